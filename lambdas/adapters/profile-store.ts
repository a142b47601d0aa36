import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type BoughtItem, type ProfileItem, SK } from '../../domain/items.ts';
import type { ProfileWrite, WriteOutcome } from '../profile.ts';
import type { ItemKey, ReadItems, StoredItems } from '../stored-items.ts';
import { type Attributes, batchGet } from './batch-get.ts';
import { linkItemOf } from './link-item.ts';

/** Profiles that are written at once: enough for a thousand within a second, few enough for the kept connections. */
const WRITES_AT_ONCE = 32;

/** The items of table `profiles` that `profile` and `decide` read, and those that `profile` writes. */
export function profileStore(
  client: DynamoDBClient,
  table: string,
): {
  read: ReadItems;
  write: (writes: readonly ProfileWrite[]) => Promise<WriteOutcome[]>;
  withdraw: (items: readonly (ProfileItem | BoughtItem)[]) => Promise<void>;
} {
  const put = async (item: ProfileItem | BoughtItem): Promise<void> => {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: {
          pk: { S: item.pk },
          sk: { S: item.sk },
          b: { B: item.b },
          v: { N: String(item.v) },
          ttl: { N: String(item.ttl) },
        },
        ...(item.v === 1
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : { ConditionExpression: 'v = :read', ExpressionAttributeValues: { ':read': { N: String(item.v - 1) } } }),
      }),
    );
  };

  const writeOne = async ({ items }: ProfileWrite): Promise<WriteOutcome> => {
    try {
      for (const item of items) await put(item);
      return 'written';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'conflict';
      return { failed: (error as Error).name };
    }
  };

  return {
    async read(keys, consistency) {
      return storedById(await batchGet(client, table, keys.map(keyOf), consistency));
    },

    async write(writes) {
      const outcomes: WriteOutcome[] = [];
      const queue = writes.entries();
      const worker = async (): Promise<void> => {
        for (const [i, write] of queue) outcomes[i] = await writeOne(write);
      };
      await Promise.all(Array.from({ length: WRITES_AT_ONCE }, worker));
      return outcomes;
    },

    async withdraw(items) {
      for (const { pk, sk, v } of items)
        try {
          await client.send(
            new DeleteItemCommand({
              TableName: table,
              Key: { pk: { S: pk }, sk: { S: sk } },
              ConditionExpression: 'v = :written',
              ExpressionAttributeValues: { ':written': { N: String(v) } },
            }),
          );
        } catch (error) {
          // Gone already, or written since by somebody who has looked later.
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
        }
    },
  };
}

/** Items of table `profiles` as DynamoDB returns them, by their id. */
export function storedById(items: readonly Attributes[]): Map<string, StoredItems> {
  const stored = new Map<string, StoredItems>();
  for (const item of items) {
    const pk = item.pk?.S ?? '';
    stored.set(pk, { ...stored.get(pk), ...storedItem(pk, item) });
  }
  return stored;
}

export const keyOf = ({ pk, sk }: ItemKey): Attributes => ({ pk: { S: pk }, sk: { S: SK[sk] } });

function storedItem(pk: string, item: Attributes): StoredItems {
  const packed = { pk, b: item.b?.B ?? new Uint8Array(), v: Number(item.v?.N), ttl: Number(item.ttl?.N) };
  switch (item.sk?.S) {
    case SK.profile:
      return { profile: { ...packed, sk: SK.profile } };
    case SK.bought:
      return { bought: { ...packed, sk: SK.bought } };
    case SK.link:
      return { link: linkItemOf(item) };
    case SK.audiences:
      return { audiences: { pk, sk: SK.audiences, ids: new Set(item.ids?.SS ?? []) } };
    default:
      return {};
  }
}
