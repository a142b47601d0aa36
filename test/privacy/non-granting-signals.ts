import { BARE, type WrittenString, writeTcString, writeVendorSegment } from '../../conformance/tcf/written-strings.ts';
import { COOKIE_MAX_AGE_SECONDS, writeConsentCookie } from '../../domain/consent-cookie.ts';
import type { Key } from '../../domain/keys.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { deviceIdOf } from '../../lambdas/browser.ts';

/** The vendor id of the brand in these tests, and what it has registered. */
export const LISTED = {
  vendorId: 61,
  registration: { purposes: [1, 3, 4, 7], legIntPurposes: [], flexiblePurposes: [] },
};

const DAY_MS = 86_400_000;
const EVERY: Purpose[] = ['storage', 'measurement', 'profile', 'personalisation', 'activation', 'identity_merge'];

/** What a browser sends along: `cookies` by the id cookie that it presents. */
export type Signal = {
  query?: Record<string, string>;
  headers?: Record<string, string>;
  cookies?: (id: string) => Record<string, string>;
};

/** A TC string that grants the brand everything, last changed a day before `now`, with changes. */
export function grantingString(now: number, changes: Partial<WrittenString> = {}): string {
  const vendors = { maxId: LISTED.vendorId, ids: [LISTED.vendorId] };
  const changed = Math.trunc((now - DAY_MS) / 100);
  return writeTcString({
    ...BARE,
    created: changed,
    lastUpdated: changed,
    purposeConsents: LISTED.registration.purposes,
    vendorConsents: vendors,
    segments: [writeVendorSegment(1, vendors)],
    ...changes,
  });
}

/** Every signal that grants nothing (R1), by name. `key` signs the door's consent cookies. */
export function nonGrantingSignals(now: number, key: Key): Readonly<Record<string, Signal>> {
  const granting = grantingString(now);
  const string = (gdpr_consent: string): Signal => ({ query: { gdpr: '1', gdpr_consent } });
  const changed = (changes: Partial<WrittenString>): Signal => string(grantingString(now, changes));
  const at = (time: number) => ({ created: Math.trunc(time / 100), lastUpdated: Math.trunc(time / 100) });
  const others = { maxId: 100, ids: [60, 62] };
  const vendors = { maxId: LISTED.vendorId, ids: [LISTED.vendorId] };
  const consent = (granted: readonly Purpose[], givenAt: number, deviceId: string, signedWith = key) => ({
    paula_consent: writeConsentCookie({ granted, givenAt }, deviceId, signedWith, hashes.hmac),
  });
  const forger: Key = { id: 'k9', key: Buffer.alloc(32, 7).toString('base64url') };
  const macro = `\${GDPR_CONSENT_${LISTED.vendorId}}`;
  return {
    absent: {},
    'an empty string': string(''),
    'a malformed string': string('no*string'),
    'random letters': string('CABBAGEabbage'),
    'a truncated string': string(granting.slice(0, 40)),
    'an unexpanded macro': string(macro),
    'an unexpanded macro, encoded': string(encodeURIComponent(macro)),
    'an unexpanded macro, encoded twice': string(encodeURIComponent(encodeURIComponent(macro))),
    'an unexpanded macro in brackets': string('[GDPR_CONSENT]'),
    'gdpr=0': { query: { gdpr: '0' } },
    'gdpr=0 beside a string that refuses': {
      query: { gdpr: '0', gdpr_consent: grantingString(now, { purposeConsents: [] }) },
    },
    'a string of version 1': string('BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA'),
    'a string that refuses': changed({ purposeConsents: [3, 4, 7] }),
    'a string that refuses the vendor': changed({ vendorConsents: others }),
    'a stale string': changed(at(now - 396 * DAY_MS)),
    'a string from the future': changed(at(now + 3 * DAY_MS)),
    'a string in which the vendor was not disclosed': changed({ segments: [writeVendorSegment(1, others)] }),
    'a string cut off before its segment of disclosed vendors': changed({ segments: [] }),
    'a string that is not service-specific': changed({ isServiceSpecific: false }),
    'a string with purposeOneTreatment': changed({ purposeOneTreatment: true }),
    'a string whose publisher allows the vendor nothing': changed({
      restrictions: LISTED.registration.purposes.map((purpose) => ({ purpose, type: 0, entries: [[1, 100]] })),
    }),
    'a string with an unknown segment': changed({
      segments: [writeVendorSegment(1, vendors), writeVendorSegment(5, vendors)],
    }),
    'a string with a segment twice': changed({
      segments: [writeVendorSegment(1, vendors), writeVendorSegment(1, vendors)],
    }),
    'a string of 5,000 characters': string(granting.padEnd(5_000, 'A')),
    'a GPP string without section 2': { query: { gpp: 'DBABjw~CA~1YNN', gpp_sid: '2' } },
    'a GPP string that is not in force': { query: { gpp: `DBABMA~${granting}`, gpp_sid: '7' } },
    'a GPP string that disagrees': {
      query: { gdpr_consent: granting, gpp: `DBABMA~${grantingString(now, { purposeConsents: [] })}`, gpp_sid: '2' },
    },
    'Global Privacy Control beside a string': { ...string(granting), headers: { 'sec-gpc': '1' } },
    'Do Not Track beside a string': { ...string(granting), headers: { dnt: '1' } },
    'a forged consent cookie': { cookies: (id) => consent(EVERY, now - 1_000, deviceIdOf(id, hashes), forger) },
    'a consent cookie of nonsense': { cookies: () => ({ paula_consent: 'v1.zz.7.00' }) },
    'an expired consent cookie': {
      cookies: (id) => consent(EVERY, now - COOKIE_MAX_AGE_SECONDS * 1_000 - DAY_MS, deviceIdOf(id, hashes)),
    },
    'a consent cookie of another device': { cookies: () => consent(EVERY, now - 1_000, 'd.another') },
    'a consent cookie without a device': { cookies: () => consent(EVERY.slice(1), now - 1_000, '') },
    'storage refused after the string': {
      ...string(granting),
      cookies: () => consent(['measurement'], now - 1_000, ''),
    },
  };
}
