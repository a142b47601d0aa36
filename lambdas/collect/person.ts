import type { Key } from '../../domain/keys.ts';
import type { CollectDeps } from './deps.ts';

type Reads = Pick<CollectDeps, 'keys' | 'hmac' | 'links' | 'receipts'>;

/** The person id of a brand's customer id: a keyed hash under the person key that is in force for new persons. */
export const newPersonId = (userId: string, { keys, hmac }: Pick<Reads, 'keys' | 'hmac'>): string =>
  idUnder(firstOf(keys.person), userId, hmac);

/**
 * The person ids of brands' customer ids. A person keeps the id that was made first, so while several person keys are live
 * (the first is for new persons) it is looked up under all of them. What the door writes itself (links and receipts) counts
 * before a profile, since the fold comes later and could bring an older id back after a newer one is in use.
 */
export async function personIds(userIds: Iterable<string>, deps: Reads): Promise<Map<string, string>> {
  const users = [...new Set(userIds)];
  if (deps.keys.person.length === 1) return new Map(users.map((user) => [user, newPersonId(user, deps)]));
  return new Map(await Promise.all(users.map(async (user) => [user, await knownAs(user, deps)] as const)));
}

/** The person id of one customer id, as `personIds` finds it. */
export async function personIdOf(userId: string, deps: Reads): Promise<string> {
  return (await personIds([userId], deps)).get(userId) as string;
}

async function knownAs(userId: string, { keys, hmac, links, receipts }: Reads): Promise<string> {
  const [fresh = '', ...others] = keys.person.map((key) => idUnder(key, userId, hmac));
  const oldestFirst = others.reverse();
  const linked = await links.read([fresh, ...oldestFirst]);
  for (const id of [...oldestFirst, fresh]) if (linked.has(id) || (await receipts.latest(id)) !== undefined) return id;
  for (const id of oldestFirst) if (await links.hasProfile(id)) return id;
  return fresh;
}

/** The ids that a customer may have: one under each live person key. */
export const personIdsUnderKeys = (userId: string, { keys, hmac }: Pick<Reads, 'keys' | 'hmac'>): string[] =>
  keys.person.map((key) => idUnder(key, userId, hmac));

/** A person's id as `idUnder` makes it, with a hash of 256 bits: no customer's id is of that form. */
const PERSON_ID = /^p\.[^.]+\.[\w-]{43}$/;

/** True for an id of the platform's own, false for a brand's customer id. */
export const isPersonKey = (id: string): boolean => PERSON_ID.test(id);

/** True for a person's id, false for a device's. */
export const isPersonId = (id: string): boolean => id.startsWith('p.');

const idUnder = (key: Key, userId: string, hmac: Reads['hmac']): string => `p.${key.id}.${hmac(userId, key.key)}`;

function firstOf([key]: readonly Key[]): Key {
  if (!key) throw new Error('the keys document holds no person key');
  return key;
}
