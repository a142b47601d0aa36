import * as z from 'zod';
import type { PaulaConfig } from './config.ts';

/** A key with its id; the first of a list signs, all of them verify, so two live side by side during a rotation. */
const Key = z.strictObject({ id: z.string().regex(/^[a-z0-9]{1,12}$/), key: z.base64url().min(43) });
const Ring = z.array(Key).min(1).max(2);

/** The platform's keys: one JSON document, in Secrets Manager or in the state folder's `secrets.json`. */
export const Keys = z.strictObject({
  /** Signs the cookie `paula_consent`. */
  cookie: Ring,
  /** HMAC key of customer ids; its id is part of the person id. */
  person: Ring,
  /** HMAC key of event ids; it cannot rotate within the ingest window without letting retries count twice. */
  event: Ring,
  /** Per site: verifies identity tokens (JWS HS256) that the brand's server signs. */
  identity: z.record(z.string(), Ring),
  /** Per source: its live write keys, newest first. */
  writeKeys: z.record(z.string(), z.array(z.string().min(16)).min(1).max(2)),
});

export type Keys = z.infer<typeof Keys>;
export type Key = z.infer<typeof Key>;

/**
 * Returns the document with every key that the configuration needs: what exists stays as it is, what is missing is made.
 * `random` returns 32 random bytes as base64url.
 */
export function completeKeys(existing: Partial<Keys>, config: PaulaConfig, random: () => string): Keys {
  const ring = (present: Key[] | undefined): Key[] => present ?? [{ id: 'k1', key: random() }];
  const identity = { ...existing.identity };
  for (const site of Object.keys(config.sites)) identity[site] = ring(identity[site]);
  const writeKeys = { ...existing.writeKeys };
  for (const source of Object.keys(config.sources)) writeKeys[source] ??= [random()];
  return Keys.parse({
    cookie: ring(existing.cookie),
    person: ring(existing.person),
    event: ring(existing.event),
    identity,
    writeKeys,
  });
}
