import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { duckDbColumns, duckDbDdl, LANDING_PARTITIONS, type TableDefinition } from '../domain/tables.ts';

/** The S3 server keeps an object as these two files and writes the second one last: with it the object is whole. */
const DATA = '.data';
const META = '.meta.json';

/** Parquet files that are read by one statement: each costs the memory of its footer and column buffers. */
const FILES_AT_ONCE = 16;

type Sql = { run(sql: string): Promise<void>; rows(sql: string): Promise<Record<string, unknown>[]> };

/**
 * Keeps DuckDB's landing tables equal to the Parquet objects under `objects`. Athena reads the objects themselves; here a
 * run every few seconds over all files of the window would read thousands of small ones again and again, so each is read
 * once. An object that was overwritten is read anew, one that is gone or has left the window takes its rows with it.
 */
export function landingMirror(sql: Sql, objects: string, tables: readonly TableDefinition[]) {
  const landing = tables.filter(({ kind }) => kind === 'landing');

  return {
    /** Makes the tables; one whose columns have changed is filled again from its objects. */
    async prepare(): Promise<void> {
      await sql.run('CREATE TABLE IF NOT EXISTS landed_objects (table_name VARCHAR, object VARCHAR, stamp VARCHAR)');
      for (const table of landing) {
        const mirrored = withObject(table);
        await sql.run(duckDbDdl(mirrored));
        const found = await sql.rows(`SELECT column_name FROM (DESCRIBE ${table.name})`);
        const wanted = duckDbColumns(mirrored).map(({ name }) => name);
        if (found.map((row) => row.column_name).join() === wanted.join()) continue;
        await sql.run(`DROP TABLE ${table.name}`);
        await sql.run(duckDbDdl(mirrored));
        await sql.run(`DELETE FROM landed_objects WHERE table_name = ${quote(table.name)}`);
      }
    },

    /** Takes in what is whole now and arrived on the day `since` (`2026-11-24`) or later. */
    async refresh(since: string): Promise<void> {
      for (const table of landing) {
        const present = wholeObjects(join(objects, table.prefix), since);
        const landed = await sql.rows(
          `SELECT object, stamp FROM landed_objects WHERE table_name = ${quote(table.name)}`,
        );
        const stale = landed
          .filter(({ object, stamp }) => present.get(String(object)) !== stamp)
          .map((row) => String(row.object));
        for (const some of chunks(stale)) await transaction(sql, forget(table, some));
        const kept = new Set(landed.map((row) => String(row.object)));
        for (const object of stale) kept.delete(object);
        const fresh = [...present].filter(([object]) => !kept.has(object));
        for (const some of chunks(fresh)) await transaction(sql, takeIn(table, join(objects, table.prefix), some));
      }
    },
  };
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The object that a row came from is one more column of the mirror; the plan's SQL names its columns and does not see it. */
const withObject = (table: TableDefinition): TableDefinition => ({
  ...table,
  columns: [...table.columns, { name: 'object', type: 'text' }],
});

/** Objects of a landing prefix by their path below it, with what changes when one is overwritten. */
function wholeObjects(root: string, since: string): Map<string, string> {
  const present = new Map<string, string>();
  if (!existsSync(root)) return present;
  for (const dt of readdirSync(root)) {
    if (dt < `dt=${since}`) continue;
    for (const file of readdirSync(join(root, dt), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith(META)) continue;
      const { mtimeMs, size } = statSync(join(root, dt, file));
      present.set(`${dt}/${file.slice(0, -META.length).replaceAll(sep, '/')}`, `${mtimeMs} ${size}`);
    }
  }
  return present;
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += FILES_AT_ONCE) yield items.slice(i, i + FILES_AT_ONCE);
}

function forget({ name }: TableDefinition, stale: readonly string[]): string[] {
  const list = stale.map(quote).join(', ');
  return [
    `DELETE FROM ${name} WHERE object IN (${list})`,
    `DELETE FROM landed_objects WHERE table_name = ${quote(name)} AND object IN (${list})`,
  ];
}

/** A column that a file lacks is NULL and one that no table has any more is left out: Athena reads Parquet by name too. */
function takeIn(table: TableDefinition, root: string, fresh: readonly (readonly [string, string])[]): string[] {
  const columns = duckDbColumns(table);
  const empty = columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS "${name}"`).join(', ');
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const files = fresh.map(([object]) => quote(join(root, `${object}${DATA}`))).join(', ');
  const hiveTypes = LANDING_PARTITIONS.map(({ name }) => `'${name}': VARCHAR`).join(', ');
  const object = `substr(filename, ${root.length + 1}, length(filename) - ${root.length + DATA.length})`;
  return [
    `INSERT INTO ${table.name} (${names}, object)
     SELECT ${names}, object FROM (
       SELECT ${empty}, CAST(NULL AS VARCHAR) AS object WHERE false
       UNION ALL BY NAME
       SELECT *, ${object} AS object FROM read_parquet([${files}],
         union_by_name = true, hive_partitioning = true, hive_types = {${hiveTypes}}, filename = true)
     )`,
    `INSERT INTO landed_objects VALUES ${fresh
      .map(([object, stamp]) => `(${quote(table.name)}, ${quote(object)}, ${quote(stamp)})`)
      .join(', ')}`,
  ];
}

async function transaction(sql: Sql, statements: readonly string[]): Promise<void> {
  await sql.run('BEGIN TRANSACTION');
  try {
    for (const statement of statements) await sql.run(statement);
    await sql.run('COMMIT');
  } catch (error) {
    await sql.run('ROLLBACK');
    throw error;
  }
}
