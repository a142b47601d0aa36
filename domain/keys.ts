import * as z from 'zod';
import type { PaulaConfig } from './config.ts';

/** Two live side by side during a rotation: what the older one made is still read. */
export const LIVE_KEYS = 2;

/**
 * Person keys can be added and not retired, so they get more room: enough for one every few years of the ten for which a
 * person's withdrawal stands. Each costs a few reads for every person that is new to the newest.
 */
export const LIVE_PERSON_KEYS = 4;

const Key = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{1,12}$/),
  key: z.base64url().min(43),
  /** From when on it signs, in milliseconds since the epoch; absent means that it always did. It verifies at once. */
  signsFrom: z.int().min(0).optional(),
});

/** Keys of one name, newest first. */
const ring = (live: number) => z.array(Key).min(1).max(live);

/** The platform's keys: one JSON document, in Secrets Manager or in the state folder's `secrets.json`. */
export const Keys = z.strictObject({
  /** Signs the cookie `paula_consent`. */
  cookie: ring(LIVE_KEYS),
  /** HMAC key of customer ids; its id is part of the person id. */
  person: ring(LIVE_PERSON_KEYS),
  /** HMAC key of event ids; a message that is sent before its rotation and again after it counts twice. */
  event: ring(LIVE_KEYS),
  /** Per site: verifies identity tokens (JWS HS256) that the brand's server signs. */
  identity: z.record(z.string(), ring(LIVE_KEYS)),
  /** Per source: its live write keys, newest first. */
  writeKeys: z.record(z.string(), z.array(z.string().min(16)).min(1).max(LIVE_KEYS)),
});

export type Keys = z.infer<typeof Keys>;
export type Key = z.infer<typeof Key>;

/** The tag that marks the secret of the document; its value is the stage's name. */
export const KEYS_TAG = 'paula:keys';

/** How long a function keeps the document in memory before it looks again. */
export const KEYS_CACHE_MS = 5 * 60_000;

/**
 * How long a new key only verifies before it signs: twice the time of the cache, so that a function whose refresh failed
 * once knows it too. Else one instance would refuse what another has just signed.
 */
export const KEY_LEAD_MS = 2 * KEYS_CACHE_MS;

/**
 * Returns the document with every key that the configuration needs: what exists stays as it is, what is missing is made.
 * `random` returns 32 random bytes as base64url.
 */
export function completeKeys(existing: Partial<Keys>, config: PaulaConfig, random: () => string): Keys {
  const present = (keys: Key[] | undefined): Key[] => keys ?? [{ id: 'k1', key: random() }];
  const identity = { ...existing.identity };
  for (const site of Object.keys(config.sites)) identity[site] = present(identity[site]);
  const writeKeys = { ...existing.writeKeys };
  for (const source of Object.keys(config.sources)) writeKeys[source] ??= [random()];
  return Keys.parse({
    cookie: present(existing.cookie),
    person: present(existing.person),
    event: present(existing.event),
    identity,
    writeKeys,
  });
}

/**
 * The document as its users read it at a time (milliseconds): the first of a list signs, all of them verify. `until` is the
 * time at which another key begins to sign, infinite where none waits.
 */
export function keysInForce(keys: Keys, now: number): { keys: Keys; until: number } {
  let until = Number.POSITIVE_INFINITY;
  const inForce = (stored: Key[]): Key[] => {
    for (const { signsFrom = 0 } of stored) if (signsFrom > now) until = Math.min(until, signsFrom);
    const signing = stored.find(({ signsFrom = 0 }) => signsFrom <= now) ?? stored.at(-1);
    return signing ? [signing, ...stored.filter((key) => key !== signing)] : stored;
  };
  const identity = Object.fromEntries(Object.entries(keys.identity).map(([site, stored]) => [site, inForce(stored)]));
  const { cookie, person, event } = keys;
  return {
    keys: { ...keys, cookie: inForce(cookie), person: inForce(person), event: inForce(event), identity },
    until,
  };
}
