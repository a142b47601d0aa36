import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { KEYS_CACHE_MS, Keys, keysInForce } from '../../domain/keys.ts';
import { secrets } from './clients.ts';

/**
 * Returns a loader of the keys in force (`keysInForce`): from a Secrets Manager secret, or from a file where the id is a
 * `file:` URL. A document that was read before stays while a refresh fails; only the first read can throw. The same object
 * comes back as long as nothing changes.
 */
export function keysLoader(secretId: string): () => Promise<Keys> {
  let loaded: { stored: Keys; at: number; inForce: ReturnType<typeof keysInForce> } | undefined;
  return async () => {
    const now = Date.now();
    if (!loaded || now - loaded.at > KEYS_CACHE_MS) {
      try {
        const stored = Keys.parse(JSON.parse(await read(secretId)));
        loaded = { stored, at: now, inForce: keysInForce(stored, now) };
      } catch (error) {
        if (!loaded) throw error;
        console.error(`the keys could not be refreshed: ${(error as Error).name}`);
        loaded = { ...loaded, at: now };
      }
    }
    if (now >= loaded.inForce.until) loaded = { ...loaded, inForce: keysInForce(loaded.stored, now) };
    return loaded.inForce.keys;
  };
}

async function read(secretId: string): Promise<string> {
  if (secretId.startsWith('file:')) return readFile(fileURLToPath(secretId), 'utf8');
  const { SecretString } = await secrets().send(new GetSecretValueCommand({ SecretId: secretId }));
  if (SecretString === undefined) throw new Error('the keys secret has no text value');
  return SecretString;
}
