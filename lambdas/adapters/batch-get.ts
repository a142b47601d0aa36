import { setTimeout as pause } from 'node:timers/promises';
import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';

export type Attributes = Record<string, AttributeValue>;

/** Keys that one BatchGetItem call takes. */
const MAX_KEYS = 100;

/** Attempts while a call leaves keys over, and their first pause; it doubles, with jitter. */
const ATTEMPTS = 8;
const FIRST_PAUSE_MS = 25;

/** Reads items by key, a hundred to the call and the calls at once. Throws where keys are left over after all attempts. */
export async function batchGet(
  client: DynamoDBClient,
  table: string,
  keys: readonly Attributes[],
  consistency: 'eventual' | 'strong',
): Promise<Attributes[]> {
  const chunks: (readonly Attributes[])[] = [];
  for (let at = 0; at < keys.length; at += MAX_KEYS) chunks.push(keys.slice(at, at + MAX_KEYS));
  return (await Promise.all(chunks.map((chunk) => getChunk(client, table, chunk, consistency === 'strong')))).flat();
}

async function getChunk(
  client: DynamoDBClient,
  table: string,
  keys: readonly Attributes[],
  ConsistentRead: boolean,
): Promise<Attributes[]> {
  const items: Attributes[] = [];
  let left: readonly Attributes[] = keys;
  for (let attempt = 0; left.length > 0; attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`BatchGetItem left ${left.length} keys unprocessed`);
    if (attempt > 0) await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    const answer = await client.send(
      new BatchGetItemCommand({ RequestItems: { [table]: { Keys: [...left], ConsistentRead } } }),
    );
    items.push(...(answer.Responses?.[table] ?? []));
    left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
  }
  return items;
}
