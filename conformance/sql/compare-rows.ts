/** How far two floats may be apart, of the column's largest absolute value: both engines add up in their own order. */
const FLOAT_TOLERANCE = 1e-9;
/** Differences that are told in full; the rest are counted. */
const TOLD = 5;

export type Column = { name: string; type: string };

/** A result: its columns with their types, and rows of cells as JSON has them. */
export type Result = { columns: readonly Column[]; rows: readonly (readonly unknown[])[] };

/** Rows that were compared, and what differs, in words. */
export type Comparison = { rows: number; differences: string[] };

type Cell = string | number | null;

/**
 * Compares two results row by row in one order of their own: floats to 1e-9 of the column's largest absolute value,
 * everything else exactly. `duckdb` has DuckDB's type names and JSON forms, `trino` Trino's.
 */
export function compareResults(duckdb: Result, trino: Result): Comparison {
  const left = duckdb.columns.map(({ name, type }) => ({ name, type: typeOfDuckDb(type) }));
  const right = trino.columns.map(({ name, type }) => ({ name, type: typeOfTrino(type) }));
  const spelled = (columns: readonly Column[]): string => columns.map(({ name, type }) => `${name} ${type}`).join(', ');
  if (spelled(left) !== spelled(right))
    return { rows: 0, differences: [`columns: DuckDB has ${spelled(left)}; Trino has ${spelled(right)}`] };
  const types = left.map(({ type }) => type);
  return compareRows(sorted(duckdb.rows, types), sorted(trino.rows, types), left);
}

function compareRows(left: readonly Row[], right: readonly Row[], columns: readonly Column[]): Comparison {
  const differences: string[] = [];
  const floats = columns.flatMap(({ type }, i) => (type === 'double' ? [i] : []));
  const allowed = new Map(floats.map((i) => [i, FLOAT_TOLERANCE * largest([...left, ...right], i)]));
  let compared = 0;
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const a = left[l];
    const b = right[r];
    if (a && b && a.exact === b.exact) {
      for (const i of floats)
        if (!close(a.cells[i] ?? null, b.cells[i] ?? null, allowed.get(i) ?? 0))
          differences.push(`${columns[i]?.name}: DuckDB ${a.cells[i]}, Trino ${b.cells[i]} in ${a.exact}`);
      compared++;
      l++;
      r++;
    } else if (!b || (a && a.exact < b.exact)) {
      differences.push(`only in DuckDB: ${a?.exact}`);
      l++;
    } else {
      differences.push(`only in Trino: ${b.exact}`);
      r++;
    }
  }
  const more = differences.length - TOLD;
  return { rows: compared, differences: more > 0 ? [...differences.slice(0, TOLD), `and ${more} more`] : differences };
}

/** A row and its exact cells as one text, by which rows of the two sides find each other. */
type Row = { exact: string; cells: readonly Cell[] };

function sorted(rows: readonly (readonly unknown[])[], types: readonly string[]): Row[] {
  const canonical = rows.map((row) => {
    const cells = types.map((type, i) => canonicalCell(type, row[i]));
    return { exact: JSON.stringify(cells.filter((_, i) => types[i] !== 'double')), cells };
  });
  const floats = types.flatMap((type, i) => (type === 'double' ? [i] : []));
  return canonical.sort((a, b) => {
    if (a.exact !== b.exact) return a.exact < b.exact ? -1 : 1;
    for (const i of floats) {
      const [x, y] = [numberOf(a.cells[i]), numberOf(b.cells[i])];
      if (x !== y) return x - y;
    }
    return 0;
  });
}

const numberOf = (cell: Cell | undefined): number => (typeof cell === 'number' ? cell : Number.NEGATIVE_INFINITY);

const close = (a: Cell, b: Cell, within: number): boolean =>
  a === b || (typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= within);

function largest(rows: readonly Row[], column: number): number {
  let most = 0;
  for (const { cells } of rows) {
    const cell = cells[column];
    if (typeof cell === 'number' && Number.isFinite(cell)) most = Math.max(most, Math.abs(cell));
  }
  return most;
}

/** One form for what each engine writes in its own: 64-bit integers, fractions of a second, maps. */
function canonicalCell(type: string, value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (type === 'double') return typeof value === 'number' ? value : String(value);
  if (type === 'timestamp') return withMicroseconds(String(value));
  if (type.startsWith('map')) return JSON.stringify(entriesOf(value).sort(byKey));
  if (type.startsWith('array')) return JSON.stringify(value);
  // JSON.parse would have rounded it already.
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new Error(`${value} is no exact ${type}`);
  return String(value);
}

/** `2026-11-24 10:00:00.007` with six places. */
function withMicroseconds(text: string): string {
  const [seconds = '', fraction = ''] = text.split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}

/** DuckDB writes a map as a list of entries, Trino as an object. */
function entriesOf(map: unknown): [string, unknown][] {
  if (!Array.isArray(map)) return Object.entries(map as Record<string, unknown>);
  return map.map(({ key, value }: { key: string; value: unknown }) => [key, value]);
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);

/** Trino's types without the lengths of texts and the precision of times, which DuckDB's do not have. */
function typeOfTrino(type: string): string {
  return type
    .replaceAll(/varchar\(\d+\)/g, 'varchar')
    .replace(/^timestamp\(\d+\)$/, 'timestamp')
    .replace(/^decimal\((\d+), (\d+)\)$/, 'decimal($1,$2)');
}

function typeOfDuckDb(type: string): string {
  const lower = type.toLowerCase();
  const list = /^(.+)\[\]$/.exec(lower);
  return list ? `array(${list[1]})` : lower;
}
