import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashes } from '../../lambdas/adapters/hashes.ts';

describe('hashes', () => {
  it('is HMAC-SHA-256 for any text and any key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ minLength: 1, maxLength: 100 }), (text, key) => {
        expect(hashes.hmac(text, Buffer.from(key).toString('base64url'))).toBe(
          createHmac('sha256', key).update(text).digest('base64url'),
        );
      }),
    );
  });

  it('is SHA-256', () => expect(hashes.sha256('paula')).toBe(createHash('sha256').update('paula').digest('base64url')));
});
