import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { readJson, writePrivateJson } from '../private-file.ts';

const SigningKey = z.strictObject({
  accessKeyId: z.string().regex(/^LOCAL[A-Z0-9]{15}$/),
  secretAccessKey: z.string().min(40),
});

/** The pair with which the brand's server signs its calls to a local platform, as it would with IAM's. */
export type SigningKey = z.infer<typeof SigningKey>;

const pathOf = (stateDir: string): string => join(stateDir, 'signing-key.json');

/** Reads the pair of a state folder; throws where a platform has never been started on it. */
export function readSigningKey(stateDir: string): SigningKey {
  const document = readJson(pathOf(stateDir));
  if (document === undefined)
    throw new Error(`no signing key in ${stateDir}: start the platform on it first (npm start)`);
  return SigningKey.parse(document);
}

/** Reads the pair, or makes it; it stands beside the keys, since it belongs to the state and to no configuration. */
export function ensureSigningKey(stateDir: string): SigningKey {
  const existing = readJson(pathOf(stateDir));
  if (existing !== undefined) return SigningKey.parse(existing);
  const made = {
    accessKeyId: `LOCAL${randomBytes(8).toString('hex').toUpperCase().slice(0, 15)}`,
    secretAccessKey: randomBytes(30).toString('base64'),
  };
  writePrivateJson(pathOf(stateDir), made);
  return made;
}
