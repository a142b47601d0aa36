/** A literal, quoted identifier or comment (which may hold a `?` that is none of ours), or a placeholder. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

/**
 * Cuts a statement at its `?` placeholders; n placeholders give n + 1 pieces. The values go between them as SQL literals,
 * in every place where the plan is run: Athena's own ExecutionParameters take no MERGE, and a `?` only in a WHERE clause.
 */
export function splitAtPlaceholders(sql: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (const match of sql.matchAll(TOKEN)) {
    if (match[0] !== '?') continue;
    pieces.push(sql.slice(start, match.index));
    start = match.index + 1;
  }
  return [...pieces, sql.slice(start)];
}

/** Puts SQL literals in the place of the placeholders, in order; throws where their numbers differ. */
export function bindPlaceholders(sql: string, literals: readonly string[]): string {
  const pieces = splitAtPlaceholders(sql);
  if (pieces.length !== literals.length + 1)
    throw new Error(`the statement has ${pieces.length - 1} placeholders and got ${literals.length} values`);
  return pieces.map((piece, i) => piece + (literals[i] ?? '')).join('');
}
