import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { LEDGER, type LinkItem, SK, subjectPk } from '../../domain/items.ts';
import type { ReadItems, StoredItems } from '../stored-items.ts';
import { batchGet } from './batch-get.ts';
import { tombstoneOf } from './tombstone.ts';

/**
 * How long a stage without a salt is taken to have none still. Until its first erasure or objection there is nothing to
 * look up; what is folded in the minute after that is found by the second walk of the erasure.
 */
const NO_SALT_MS = 60_000;

/**
 * Reads of table `profiles` with what the ledger in table `consents` knows of the same ids: a link that is asked for comes
 * with the time of erasure and objection, also where no link item stands any more.
 */
export function withLedger(read: ReadItems, client: DynamoDBClient, consentsTable: string): ReadItems {
  let known: { salt: string | undefined; at: number } | undefined;

  const saltInUse = async (): Promise<string | undefined> => {
    if (known && (known.salt !== undefined || Date.now() - known.at < NO_SALT_MS)) return known.salt;
    const Key = { pk: { S: LEDGER.shared }, sk: { S: LEDGER.salt } };
    const { Item } = await client.send(new GetItemCommand({ TableName: consentsTable, Key }));
    known = { salt: Item?.salt?.S, at: Date.now() };
    return known.salt;
  };

  const noted = async (ids: readonly string[], consistency: 'eventual' | 'strong') => {
    const salt = ids.length === 0 ? undefined : await saltInUse();
    if (salt === undefined) return new Map<string, Pick<LinkItem, 'erased' | 'objected'>>();
    const idOf = new Map(ids.map((id) => [subjectPk(tombstoneOf(salt, id)), id]));
    const keys = [...idOf.keys()].map((pk) => ({ pk: { S: pk }, sk: { S: LEDGER.subject } }));
    return new Map(
      (await batchGet(client, consentsTable, keys, consistency)).map(({ pk, erased, objected }) => [
        idOf.get(pk?.S ?? '') ?? '',
        {
          ...(erased?.N !== undefined && { erased: Number(erased.N) }),
          ...(objected?.N !== undefined && { objected: Number(objected.N) }),
        },
      ]),
    );
  };

  return async (keys, consistency) => {
    const ids = [...new Set(keys.flatMap(({ pk, sk }) => (sk === SK.link ? [pk] : [])))];
    const [stored, ledger] = await Promise.all([read(keys, consistency), noted(ids, consistency)]);
    if (ledger.size === 0) return stored;
    const merged = new Map<string, StoredItems>(stored);
    for (const [pk, times] of ledger) {
      const items = merged.get(pk);
      const link: LinkItem = { pk, sk: SK.link, ttl: Number.POSITIVE_INFINITY, ...items?.link, ...times };
      merged.set(pk, { ...items, link });
    }
    return merged;
  };
}
