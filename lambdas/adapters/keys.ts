import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { Keys } from '../../domain/keys.ts';
import { secrets } from './clients.ts';

/** How long the document is kept in memory: a rotated key reaches every function within this time. */
const REFRESH_MS = 5 * 60_000;

/**
 * Returns a loader of the keys document: a Secrets Manager secret, or a file where the id is a `file:` URL. A document
 * that was read before stays in force while a refresh fails; only the first read can throw.
 */
export function keysLoader(secretId: string): () => Promise<Keys> {
  let loaded: { keys: Keys; at: number } | undefined;
  return async () => {
    if (loaded && Date.now() - loaded.at <= REFRESH_MS) return loaded.keys;
    try {
      loaded = { keys: Keys.parse(JSON.parse(await read(secretId))), at: Date.now() };
    } catch (error) {
      if (!loaded) throw error;
      console.error(`the keys could not be refreshed: ${(error as Error).name}`);
      loaded = { ...loaded, at: Date.now() };
    }
    return loaded.keys;
  };
}

async function read(secretId: string): Promise<string> {
  if (secretId.startsWith('file:')) return readFile(fileURLToPath(secretId), 'utf8');
  const { SecretString } = await secrets().send(new GetSecretValueCommand({ SecretId: secretId }));
  if (SecretString === undefined) throw new Error('the keys secret has no text value');
  return SecretString;
}
