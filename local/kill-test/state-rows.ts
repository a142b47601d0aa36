import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DuckDBInstance } from '@duckdb/node-api';
import type { TableDefinition } from '../../domain/tables.ts';
import { startDynamo } from '../dynamo-server.ts';
import { itemRows, type Row } from './item-rows.ts';

/** Everything that a state folder holds, by table; an item's table is `<table>/<sk>` where the sort key names its kind. */
export type StateRows = ReadonlyMap<string, readonly Row[]>;

/** Reads every item and every row out of a state folder on which no platform runs. */
export async function readState(
  stateDir: string,
  tables: readonly TableDefinition[],
  region: string,
): Promise<StateRows> {
  return new Map([
    ...(await readItems(stateDir, region)),
    ...(await readLake(stateDir, tables)),
    ...readExports(stateDir),
  ]);
}

/** Reads the Iceberg tables of the lake, and the landing table of the rejections, which no other table takes up. */
export async function readLake(stateDir: string, tables: readonly TableDefinition[]): Promise<StateRows> {
  const lake = await DuckDBInstance.create(join(stateDir, 'lake/lake.duckdb'), { access_mode: 'READ_ONLY' });
  try {
    const connection = await lake.connect();
    const found = new Map<string, Row[]>();
    for (const { name, kind, columns } of tables) {
      if (kind !== 'iceberg' && name !== 'rejected') continue;
      const names = columns.map((column) => `"${column.name}"`).join(', ');
      found.set(`lake ${name}`, (await connection.runAndReadAll(`SELECT ${names} FROM ${name}`)).getRowObjectsJson());
    }
    connection.closeSync();
    return found;
  } finally {
    lake.closeSync();
  }
}

async function readItems(stateDir: string, region: string): Promise<Map<string, Row[]>> {
  const engine = await startDynamo(join(stateDir, 'dynamo'), region, []);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: engine.endpoint, region, credentials });
  try {
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    const found = new Map<string, Row[]>();
    for (const TableName of TableNames) {
      for await (const item of itemRows(client, TableName)) {
        const kind = KINDS.has(String(item.sk)) ? `${TableName}/${item.sk}` : TableName;
        const rows = found.get(kind);
        if (rows) rows.push(item);
        else found.set(kind, [item]);
      }
    }
    return found;
  } finally {
    client.destroy();
    await engine.stop();
  }
}

/** The sort keys of table `profiles`; those of table `consents` are data. */
const KINDS: ReadonlySet<string> = new Set(['profile', 'link', 'audiences', 'bought']);

/** The export files, whose names are segment and time and hold no position in the stream: a row for each line. */
function readExports(stateDir: string): Map<string, Row[]> {
  const rows: Row[] = [];
  const buckets = join(stateDir, 's3/buckets');
  for (const bucket of existsSync(buckets) ? readdirSync(buckets) : []) {
    const folder = join(buckets, bucket, 'objects/exports');
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.data')) continue;
      const path = join(folder, entry);
      const lines = readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
      rows.push(...lines.map((line) => ({ file: relative(folder, path), ...(JSON.parse(line) as Row) })));
    }
  }
  return new Map([['exports', rows]]);
}
