import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { expireCookie, readConsentCookie, setCookie, writeConsentCookie } from '../../domain/consent-cookie.ts';
import { PURPOSES } from '../../domain/purposes.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';

const now = Date.UTC(2026, 10, 24);
const current = { id: 'k2', key: 'B'.repeat(43) };
const former = { id: 'k1', key: 'A'.repeat(43) };
const read = (value: string, device = 'd.x', at = now) =>
  readConsentCookie(value, device, [current, former], hashes.hmac, at);

describe('paula_consent', () => {
  it('gives back the choices that it was given', () => {
    fc.assert(
      fc.property(fc.subarray([...PURPOSES]), fc.integer({ min: 0, max: 394 }), (granted, days) => {
        const givenAt = now - days * 86_400_000;
        expect(read(writeConsentCookie({ granted, givenAt }, 'd.x', current, hashes.hmac))).toEqual({
          granted,
          givenAt,
        });
      }),
    );
  });

  const valid = writeConsentCookie({ granted: ['storage'], givenAt: now }, 'd.x', current, hashes.hmac);

  it('verifies under the former key during a rotation', () =>
    expect(read(writeConsentCookie({ granted: ['storage'], givenAt: now }, 'd.x', former, hashes.hmac))).toBeDefined());
  it('grants nothing to another device', () => expect(read(valid, 'd.y')).toBeUndefined());
  it('ends after thirteen months', () => expect(read(valid, 'd.x', now + 396 * 86_400_000)).toBeUndefined());
  it('is not from the future', () => expect(read(valid, 'd.x', now - 1)).toBeUndefined());
  it('holds no id', () => expect(valid).not.toContain('d.x'));

  it('is void when any character is changed', () => {
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.constantFrom(...'abcXYZ019._-'), (at, char) => {
        const changed = valid.slice(0, at) + char + valid.slice(at + 1);
        fc.pre(changed !== valid);
        expect(read(changed)).toBeUndefined();
      }),
    );
  });

  it('never throws', () => fc.assert(fc.property(fc.string({ maxLength: 200 }), (value) => read(value) === undefined)));
});

describe('a cookie of the door', () => {
  it.each([setCookie('paula_id', 'x'), expireCookie('paula_id')])(
    'belongs to the host that set it, and to no script: %s',
    (cookie) => {
      expect(cookie).not.toMatch(/domain/i);
      for (const attribute of ['Secure', 'HttpOnly', 'SameSite=None', 'Path=/'])
        expect(cookie).toContain(`; ${attribute}`);
    },
  );
});
