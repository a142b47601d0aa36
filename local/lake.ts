import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { duckDbColumns, LANDING_PARTITIONS, type TableDefinition } from '../domain/tables.ts';
import { DIALECT } from './duckdb-dialect.ts';

/** Enough for the demo's joins over 400,000 rows with spilling, and a third of what the platform may take in all. */
const MEMORY_LIMIT = '200MB';

/** As many as the smallest machine that the platform is made for has. */
const THREADS = 2;

/** The S3 server keeps an object as these two files; the second is written last, so with it the object is whole. */
const DATA = '.data';
const META = '.meta.json';

export type Lake = Awaited<ReturnType<typeof openLake>>;

/**
 * Opens the local lake: DuckDB in Athena's place. Iceberg tables are DuckDB's own, in `<folder>/lake.duckdb`; landing
 * tables are views over the Parquet objects that the S3 server keeps under `objects`. One process may hold it at a time.
 */
export async function openLake(options: { folder: string; objects: string; tables: readonly TableDefinition[] }) {
  const { folder, objects, tables } = options;
  mkdirSync(folder, { recursive: true });
  const scratch = join(folder, 'lake.scratch');
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  const instance = await DuckDBInstance.create(join(folder, 'lake.duckdb'), {
    memory_limit: MEMORY_LIMIT,
    threads: String(THREADS),
    temp_directory: scratch,
    preserve_insertion_order: 'false',
  });
  const connection = await instance.connect();
  const run = async (sql: string): Promise<void> => {
    await connection.run(sql);
  };
  for (const statement of DIALECT) await run(statement);

  return {
    run,

    /** The rows of a query, as JSON has them: times, decimals and 64-bit integers are texts. */
    async rows(sql: string): Promise<Record<string, unknown>[]> {
      return (await connection.runAndReadAll(sql)).getRowObjectsJson();
    },

    /** Lets the landing tables show the objects that are whole now and arrived on `since` (`2026-11-24`) or later. */
    async refreshLanding(since: string): Promise<void> {
      for (const table of tables)
        if (table.kind === 'landing') await run(landingView(table, wholeObjects(objects, table.prefix, since)));
    },

    /** Writes a query's rows as gzipped JSON lines into a scratch file and returns its path. */
    async unload(sql: string, name: string): Promise<string> {
      const file = join(scratch, name);
      await run(`COPY (${sql}) TO ${quote(file)} (FORMAT json, COMPRESSION gzip)`);
      return file;
    },

    close(): void {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function wholeObjects(objects: string, prefix: string, since: string): string[] {
  const root = join(objects, prefix);
  if (!existsSync(root)) return [];
  const files = readdirSync(root).flatMap((dt) =>
    dt < `dt=${since}`
      ? []
      : readdirSync(join(root, dt), { recursive: true }).map((file) => join(root, dt, String(file))),
  );
  const whole = new Set(files.filter((file) => file.endsWith(META)).map((file) => file.slice(0, -META.length)));
  return files.filter((file) => file.endsWith(DATA) && whole.has(file.slice(0, -DATA.length))).sort();
}

/** A column that a file lacks is NULL and one that no table has any more is left out, as Athena reads Parquet by name. */
function landingView(table: TableDefinition, files: readonly string[]): string {
  const columns = duckDbColumns(table);
  const view = `CREATE OR REPLACE TEMP VIEW ${table.name} AS`;
  const empty = `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS "${name}"`).join(', ')} WHERE false`;
  if (files.length === 0) return `${view} ${empty}`;
  const hiveTypes = LANDING_PARTITIONS.map(({ name }) => `'${name}': VARCHAR`).join(', ');
  return [
    `${view} SELECT ${columns.map(({ name, type }) => `CAST("${name}" AS ${type}) AS "${name}"`).join(', ')} FROM (`,
    `  ${empty} UNION ALL BY NAME`,
    `  SELECT * FROM read_parquet([${files.map(quote).join(', ')}],`,
    `    union_by_name = true, hive_partitioning = true, hive_types = {${hiveTypes}})`,
    ')',
  ].join('\n');
}
