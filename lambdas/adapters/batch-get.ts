import { setTimeout as pause } from 'node:timers/promises';
import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';

export type Attributes = Record<string, AttributeValue>;

/** Keys that one BatchGetItem call takes. */
const MAX_KEYS = 100;

/** Attempts while a call leaves keys over, and their first pause; it doubles, with jitter. */
const ATTEMPTS = 8;
const FIRST_PAUSE_MS = 25;

type Consistency = 'eventual' | 'strong';

/** Reads items by key, a hundred to the call and the calls at once. Throws where keys are left over after all attempts. */
export async function batchGet(
  client: DynamoDBClient,
  table: string,
  keys: readonly Attributes[],
  consistency: Consistency,
): Promise<Attributes[]> {
  const wanted = keys.map((key) => ({ table, key }));
  return (await batchGetAll(client, wanted, consistency)).get(table) ?? [];
}

/** The same over several tables, which share the calls; returns the items by table. */
export async function batchGetAll(
  client: DynamoDBClient,
  wanted: readonly { table: string; key: Attributes }[],
  consistency: Consistency,
): Promise<ReadonlyMap<string, Attributes[]>> {
  const items = new Map<string, Attributes[]>();
  const chunks: KeysByTable[] = [];
  for (let at = 0; at < wanted.length; at += MAX_KEYS) chunks.push(byTable(wanted.slice(at, at + MAX_KEYS)));
  for (const found of await Promise.all(chunks.map((chunk) => getChunk(client, chunk, consistency === 'strong'))))
    for (const [table, some] of found) items.set(table, [...(items.get(table) ?? []), ...some]);
  return items;
}

type KeysByTable = ReadonlyMap<string, readonly Attributes[]>;

function byTable(wanted: readonly { table: string; key: Attributes }[]): KeysByTable {
  const keys = new Map<string, Attributes[]>();
  for (const { table, key } of wanted) {
    const sofar = keys.get(table);
    if (sofar) sofar.push(key);
    else keys.set(table, [key]);
  }
  return keys;
}

async function getChunk(
  client: DynamoDBClient,
  keys: KeysByTable,
  ConsistentRead: boolean,
): Promise<ReadonlyMap<string, Attributes[]>> {
  const items = new Map<string, Attributes[]>();
  let left = keys;
  for (let attempt = 0; left.size > 0; attempt++) {
    if (attempt === ATTEMPTS) throw new Error('BatchGetItem left keys unprocessed');
    if (attempt > 0) await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    const RequestItems = Object.fromEntries(
      [...left].map(([table, Keys]) => [table, { Keys: [...Keys], ConsistentRead }]),
    );
    const { Responses = {}, UnprocessedKeys = {} } = await client.send(new BatchGetItemCommand({ RequestItems }));
    for (const [table, some] of Object.entries(Responses)) items.set(table, [...(items.get(table) ?? []), ...some]);
    left = new Map(Object.entries(UnprocessedKeys).flatMap(([table, { Keys }]) => (Keys ? [[table, Keys]] : [])));
  }
  return items;
}
