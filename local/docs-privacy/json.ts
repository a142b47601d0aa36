/** Columns of a line: those of biome.json, whose check covers the file. */
const LINE_WIDTH = 120;

/** JSON as the repository's formatter writes it: lists of texts on one line where they fit, everything else on lines. */
export const jsonFile = (value: unknown): string => `${lines(value, '', 0)}\n`;

/** `before` is what stands on the line already, in columns; a comma may follow. */
function lines(value: unknown, indent: string, before: number): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    const flat = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    const isFlat = value.every((item) => typeof item === 'string') && before + flat.length < LINE_WIDTH;
    if (isFlat) return flat;
    return `[\n${value.map((item) => deeper + lines(item, deeper, deeper.length)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  if (entries.length === 0) return '{}';
  const written = entries.map(([key, inner]) => {
    const start = `${deeper}${JSON.stringify(key)}: `;
    return start + lines(inner, deeper, start.length);
  });
  return `{\n${written.join(',\n')}\n${indent}}`;
}
