import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { isLive, LEDGER, type LinkItem, SK, subjectPk } from '../../domain/items.ts';
import type { ReadItems } from '../stored-items.ts';
import { batchGetAll } from './batch-get.ts';
import { keyOf, storedById } from './profile-store.ts';
import { tombstoneOf } from './tombstone.ts';

/**
 * How long a stage without a salt is taken to have none still: until its first erasure or objection there is nothing to
 * look up. An objection stands on the link item as well, and a strong read asks again; what is folded in the minute after
 * the first erasure is found by its second walk.
 */
const NO_SALT_MS = 60_000;

/**
 * Reads of table `profiles` with what the ledger in table `consents` knows of the same ids, in the same call: a link that is
 * asked for comes with the time of erasure and objection, also where no link item stands any more.
 */
export function readsWithLedger(client: DynamoDBClient, tables: { profiles: string; consents: string }): ReadItems {
  let known: { salt: string | undefined; at: number } | undefined;

  const saltInUse = async (consistency: 'eventual' | 'strong'): Promise<string | undefined> => {
    if (known?.salt !== undefined) return known.salt;
    if (known && consistency === 'eventual' && Date.now() - known.at < NO_SALT_MS) return undefined;
    const Key = { pk: { S: LEDGER.shared }, sk: { S: LEDGER.salt } };
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tables.consents, Key, ConsistentRead: consistency === 'strong' }),
    );
    known = { salt: Item?.salt?.S, at: Date.now() };
    return known.salt;
  };

  return async (keys, consistency) => {
    const ids = [...new Set(keys.flatMap(({ pk, sk }) => (sk === SK.link ? [pk] : [])))];
    const salt = ids.length === 0 ? undefined : await saltInUse(consistency);
    const idOf = new Map(salt === undefined ? [] : ids.map((id) => [subjectPk(tombstoneOf(salt, id)), id]));
    const wanted = [
      ...keys.map((key) => ({ table: tables.profiles, key: keyOf(key) })),
      ...[...idOf.keys()].map((pk) => ({ table: tables.consents, key: { pk: { S: pk }, sk: { S: LEDGER.subject } } })),
    ];
    const found = await batchGetAll(client, wanted, consistency);
    const stored = storedById(found.get(tables.profiles) ?? []);
    for (const { pk, erased, objected } of found.get(tables.consents) ?? []) {
      const id = idOf.get(pk?.S ?? '') ?? '';
      const items = stored.get(id);
      // The ledger outlives a link item, whose expiry must not take it along.
      const live = items?.link && isLive(items.link, Math.floor(Date.now() / 1000)) ? items.link : undefined;
      const link: LinkItem = {
        pk: id,
        sk: SK.link,
        ttl: Number.POSITIVE_INFINITY,
        ...live,
        ...(erased?.N !== undefined && { erased: Number(erased.N) }),
        ...(objected?.N !== undefined && { objected: Number(objected.N) }),
      };
      stored.set(id, { ...items, link });
    }
    return stored;
  };
}
