import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { TableDefinition } from '../domain/tables.ts';
import { DIALECT } from './duckdb-dialect.ts';
import { landingMirror } from './landing-mirror.ts';

/** Enough for the demo's joins over 400,000 rows with spilling, and a quarter of what the platform may take in all. */
const MEMORY_LIMIT = '128MB';

/** What DuckDB frees goes back to the system soon, by a thread of its own, instead of being kept for the next query. */
const GIVE_BACK = [
  'SET allocator_background_threads = true',
  "SET allocator_flush_threshold = '8MB'",
  "SET allocator_bulk_deallocation_flush_threshold = '16MB'",
];

/** As many as the smallest machine that the platform is made for has. */
const THREADS = 2;

export type Lake = Awaited<ReturnType<typeof openLake>>;

/**
 * Opens the local lake: DuckDB in Athena's place. Iceberg tables are DuckDB's own, in `<folder>/lake.duckdb`; landing
 * tables mirror the Parquet objects that the S3 server keeps under `objects`. One process may hold it at a time.
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
  for (const statement of [...GIVE_BACK, ...DIALECT]) await run(statement);

  /** The rows of a query, as JSON has them: times, decimals and 64-bit integers are texts. */
  const rows = async (sql: string): Promise<Record<string, unknown>[]> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJson();
  const mirror = landingMirror({ run, rows }, objects, tables);
  await mirror.prepare();

  return {
    run,
    rows,

    /** Lets the landing tables show the objects that are whole now and arrived on `since` (`2026-11-24`) or later. */
    refreshLanding: mirror.refresh,

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
