import { rmSync } from 'node:fs';
import type { TableDefinition } from '../../domain/tables.ts';

/** Athena's price per terabyte scanned, in US dollars: eu-central-1, aws.amazon.com/athena/pricing, November 2026. */
export const ATHENA_USD_PER_TB = 5;
const TB = 1e12;

/** Athena bills ten megabytes for each statement at least. */
export const ATHENA_LEAST_BYTES = 10_000_000;

/** What a statement that scans so many bytes costs, in US dollars. */
export const athenaPrice = (bytes: number): number => (Math.max(bytes, ATHENA_LEAST_BYTES) / TB) * ATHENA_USD_PER_TB;

/** Rows that are written as Parquet to see how wide a table's columns are. */
const SAMPLE_ROWS = 20_000;

type Sql = { run(sql: string): Promise<void>; rows(sql: string): Promise<Record<string, unknown>[]> };

/** As DuckDB tells an operator of a plan that has run. */
type Operator = {
  operator_type?: string;
  extra_info?: { Table?: string; Projections?: string | string[]; Filters?: string | string[] };
  children?: readonly Operator[];
};

/**
 * Bytes that Athena would scan for a SELECT over this lake's tables: each scan reads the columns that it needs, compressed as
 * in Parquet, of the rows in the partitions that its filter leaves. An estimate: files of another size compress otherwise.
 * `scratch` is a path that may be written.
 */
export async function scannedBytes(
  sql: string,
  options: { lake: Sql; tables: readonly TableDefinition[]; scratch: string },
): Promise<{ bytes: number; byTable: ReadonlyMap<string, number> }> {
  const { lake, tables, scratch } = options;
  const [explained] = await lake.rows(`EXPLAIN (ANALYZE, FORMAT json) ${sql}`);
  const byTable = new Map<string, number>();
  const widths = new Map<string, Promise<ReadonlyMap<string, number>>>();
  for (const { extra_info: scan } of scansOf(JSON.parse(String(explained?.explain_value)))) {
    const name = scan?.Table?.split('.').at(-1)?.replaceAll('"', '') ?? '';
    const table = tables.find((candidate) => candidate.name === name);
    if (!table) continue;
    if (!widths.has(name)) widths.set(name, widthsOf(table, lake, scratch));
    const width = (await widths.get(name)) ?? new Map();
    const filters = listOf(scan?.Filters);
    const read = table.columns.filter(
      (column) =>
        listOf(scan?.Projections).some((item) => item === column.name || item === `"${column.name}"`) ||
        filters.some((filter) => new RegExp(`(^|\\W)${column.name}(\\W|$)`).test(filter)),
    );
    const pruned = filters.filter((filter) => isPartitionFilter(filter, table));
    const [counted] = await lake.rows(
      `SELECT count(*) AS n FROM ${name}${pruned.length > 0 ? ` WHERE ${pruned.join(' AND ')}` : ''}`,
    );
    const perRow = read.reduce((sum, column) => sum + (width.get(column.name) ?? 0), 0);
    byTable.set(name, (byTable.get(name) ?? 0) + Number(counted?.n) * perRow);
  }
  const bytes = [...byTable.values()].reduce((sum, part) => sum + part, 0);
  return { bytes: Math.round(bytes), byTable };
}

function scansOf(operator: Operator): Operator[] {
  const below = (operator.children ?? []).flatMap(scansOf);
  return operator.operator_type?.includes('SCAN') ? [operator, ...below] : below;
}

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : [value].flat().flatMap((item) => item.split(/\n| AND /).map((part) => part.trim()));

/** Only a comparison of the partition's column with a date is one that Athena leaves files out by. */
const isPartitionFilter = (filter: string, { partitionedBy = [] }: TableDefinition): boolean =>
  partitionedBy.some((partition) => {
    const column = /^\w+\((\w+)\)$/.exec(partition)?.[1] ?? partition;
    return new RegExp(`^"?${column}"? ?(?:=|<|>|<=|>=) ?'[0-9-]{10}'::DATE$`).test(filter);
  });

/** Bytes per row of each column of a table, written as Athena writes it. */
async function widthsOf(
  { name, columns }: TableDefinition,
  lake: Sql,
  scratch: string,
): Promise<ReadonlyMap<string, number>> {
  const [counted] = await lake.rows(`SELECT least(count(*), ${SAMPLE_ROWS}) AS n FROM ${name}`);
  const rows = Number(counted?.n);
  if (rows === 0) return new Map();
  const list = columns.map((column) => `"${column.name}"`).join(', ');
  const file = `'${scratch.replaceAll("'", "''")}'`;
  try {
    await lake.run(
      `COPY (SELECT ${list} FROM ${name} LIMIT ${SAMPLE_ROWS}) TO ${file} (FORMAT parquet, COMPRESSION zstd)`,
    );
    const found = await lake.rows(
      `SELECT path_in_schema AS path, sum(total_compressed_size) AS bytes FROM parquet_metadata(${file}) GROUP BY 1`,
    );
    const widths = new Map<string, number>();
    for (const { path, bytes } of found) {
      // A list or map has a path of its own for what is in it.
      const column = String(path).split(', ')[0] ?? '';
      widths.set(column, (widths.get(column) ?? 0) + Number(bytes) / rows);
    }
    return widths;
  } finally {
    rmSync(scratch, { force: true });
  }
}
