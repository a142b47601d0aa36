import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type AttributeValue, DynamoDBClient, ListTablesCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DuckDBInstance } from '@duckdb/node-api';
import { unpackBought, unpackProfile } from '../../domain/profile-codec.ts';
import type { TableDefinition } from '../../domain/tables.ts';
import { startDynamo } from '../dynamo-server.ts';

/** A row of the lake or an item of DynamoDB, with its values as JSON has them. */
export type Row = Readonly<Record<string, unknown>>;

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
      for await (const item of scan(client, TableName)) {
        const kind = KINDS.has(String(item.sk)) ? `${TableName}/${item.sk}` : TableName;
        const rows = found.get(kind);
        if (rows) rows.push(unpacked(item));
        else found.set(kind, [unpacked(item)]);
      }
    }
    return found;
  } finally {
    client.destroy();
    await engine.stop();
  }
}

async function* scan(client: DynamoDBClient, TableName: string): AsyncGenerator<Row> {
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({ TableName, ConsistentRead: true, ...(ExclusiveStartKey && { ExclusiveStartKey }) }),
    );
    for (const item of page.Items ?? [])
      yield Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
}

/** The sort keys of table `profiles`; those of table `consents` are data. */
const KINDS: ReadonlySet<string> = new Set(['profile', 'link', 'audiences', 'bought']);

/** An attribute as a value: a set in a fixed order, since it has none; packed bytes as they are. */
function plain(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return value.N;
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return value.B;
  if (value.SS !== undefined) return [...value.SS].sort();
  if (value.L !== undefined) return value.L.map(plain);
  if (value.M !== undefined)
    return Object.fromEntries(Object.entries(value.M).map(([name, inner]) => [name, plain(inner)]));
  throw new Error(`an attribute of an unknown type: ${Object.keys(value).join()}`);
}

/** The item with the fields of its packed attribute `b` in its place. */
function unpacked({ b, ...item }: Row): Row {
  if (b === undefined) return item;
  if (item.sk === 'profile') return { ...item, ...jsonOf(unpackProfile(b as Uint8Array)) };
  return { ...item, purchases: jsonValue(unpackBought(b as Uint8Array)) };
}

const jsonOf = (value: object): Row =>
  Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, jsonValue(inner)]));

/** Maps as lists of their entries, in their order; big integers as texts. */
function jsonValue(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(([key, inner]) => [key, jsonValue(inner)]);
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(jsonValue);
  return typeof value === 'object' && value !== null ? jsonOf(value) : (value ?? null);
}

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
