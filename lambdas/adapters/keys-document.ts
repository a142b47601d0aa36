import { randomBytes } from 'node:crypto';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

/** The keys document as deploy writes it: read as it stands, undefined where the secret was just made and holds nothing. */
export function keysDocument(client: SecretsManagerClient, secretId: string) {
  return {
    async read(): Promise<string | undefined> {
      try {
        return (await client.send(new GetSecretValueCommand({ SecretId: secretId }))).SecretString;
      } catch (error) {
        // Also thrown for a secret that does not exist; then the write fails and says so.
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    },
    async write(document: string): Promise<void> {
      await client.send(new PutSecretValueCommand({ SecretId: secretId, SecretString: document }));
    },
  };
}

/** A 256-bit key, base64url. */
export const randomKey = (): string => randomBytes(32).toString('base64url');
