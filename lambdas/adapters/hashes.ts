import { createHmac, createSecretKey, hash, type KeyObject, randomBytes } from 'node:crypto';
import type { Hashes } from '../browser.ts';

/** Keys made ready once: reading base64url on every call costs more than the hash. */
const prepared = new Map<string, KeyObject>();

function secretKey(base64url: string): KeyObject {
  let key = prepared.get(base64url);
  if (!key) {
    key = createSecretKey(Buffer.from(base64url, 'base64url'));
    prepared.set(base64url, key);
  }
  return key;
}

/** SHA-256 and HMAC-SHA-256 of UTF-8 texts, base64url. */
export const hashes: Hashes = {
  sha256: (text) => hash('sha256', text, 'base64url'),
  hmac: (text, key) => createHmac('sha256', secretKey(key)).update(text).digest('base64url'),
};

/** 128 random bits, base64url. */
export const randomId = (): string => randomBytes(16).toString('base64url');
