import { describe, expect, it } from '@jest/globals';
import {
  BARE,
  type Entry,
  type WrittenString,
  writeTcString,
  writeVendorSegment,
} from '../../conformance/tcf/written-strings.ts';
import { decodeTcString } from '../../domain/tcf.ts';
import { type TcfBasis, type TcfQuestion, tcfBasis } from '../../domain/tcf-basis.ts';

const VENDOR = 61;
const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 24);
const disclosed = (...ids: number[]) => writeVendorSegment(1, { maxId: 100, ids });
const vendors = (...ids: number[]) => ({ maxId: 100, ids });
const at = (time: number) => ({ created: time / 100, lastUpdated: time / 100 });

/** A string of TCF 2.3 in which all that can be granted is. */
const GRANTING: WrittenString = {
  ...BARE,
  ...at(NOW - 10 * DAY_MS),
  purposeConsents: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  purposeLegitimateInterests: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  vendorConsents: vendors(VENDOR),
  vendorLegitimateInterests: vendors(VENDOR),
  segments: [disclosed(VENDOR)],
};
const REGISTRATION = { purposes: [1, 3, 4, 8], legIntPurposes: [2, 7, 9], flexiblePurposes: [2, 8] };

function basis(changes: Partial<WrittenString>, question: Partial<TcfQuestion> = {}): TcfBasis {
  const decoded = decodeTcString(writeTcString({ ...GRANTING, ...changes }));
  if (!decoded.ok) throw new Error(decoded.reason);
  return tcfBasis(decoded.tc, { vendorId: VENDOR, registration: REGISTRATION, purpose: 3, now: NOW, ...question });
}

describe('a string that holds', () => {
  it.each([
    [1, 'consent'],
    [2, 'legitimate_interest'],
    [3, 'consent'],
    [7, 'legitimate_interest'],
    [8, 'consent'],
  ])('gives purpose %i its registered basis', (purpose, expected) => {
    expect(basis({}, { purpose })).toBe(expected);
  });

  it.each([
    ['purpose_refused', { purposeConsents: [1, 2, 4] }, 3],
    ['vendor_refused', { vendorConsents: vendors(60, 62) }, 3],
    ['purpose_refused', { purposeLegitimateInterests: [7] }, 2],
    ['vendor_refused', { vendorLegitimateInterests: vendors() }, 2],
    ['purpose_not_registered', {}, 10],
  ])('is denied as %s where its bits or the registration say no', (denied, changes, purpose) => {
    expect(basis(changes, { purpose })).toEqual({ denied });
  });

  it('grants a vendor that is not on the list nothing', () => {
    expect(basis({}, { vendorId: null })).toEqual({ denied: 'vendor_not_listed' });
  });

  it('asks for both bits of the same basis', () => {
    expect(basis({ purposeConsents: [], vendorLegitimateInterests: vendors(VENDOR) })).toEqual({
      denied: 'purpose_refused',
    });
    expect(basis({ purposeLegitimateInterests: [], vendorConsents: vendors(VENDOR) }, { purpose: 2 })).toEqual({
      denied: 'purpose_refused',
    });
  });
});

describe('dates and scope', () => {
  it.each([
    ['consent', 0],
    ['consent', -395 * DAY_MS],
    [{ denied: 'stale' }, -395 * DAY_MS - 100],
    ['consent', DAY_MS],
    [{ denied: 'future_dated' }, DAY_MS + 100],
    [{ denied: 'future_dated' }, 11 * 365 * DAY_MS],
  ])('gives %p for a string that was updated %i ms from now', (expected, offset) => {
    expect(basis(at(NOW + offset))).toEqual(expected);
  });

  it('counts age from the update, and refuses a string that was created in the future', () => {
    expect(basis({ created: 0 })).toBe('consent');
    expect(basis({ created: (NOW + 2 * DAY_MS) / 100 })).toEqual({ denied: 'future_dated' });
  });

  it('refuses a global scope', () => {
    expect(basis({ isServiceSpecific: false })).toEqual({ denied: 'not_service_specific' });
  });
});

describe('disclosed vendors', () => {
  const deadline = Date.UTC(2026, 2, 1);

  it('have to be in a string from March 2026 on, whatever its policy version', () => {
    for (const policyVersion of [2, 4, 5]) {
      const without = { policyVersion, segments: [] };
      expect(basis({ ...without, ...at(deadline - 100) })).toBe('consent');
      expect(basis({ ...without, ...at(deadline) })).toEqual({ denied: 'disclosed_vendors_missing' });
      expect(basis({ ...at(deadline), policyVersion })).toBe('consent');
    }
  });

  it('are the only ones with a basis, in an older string that names them, too', () => {
    const others = { segments: [disclosed(60, 62)] };
    expect(basis(others)).toEqual({ denied: 'vendor_not_disclosed' });
    expect(basis({ ...others, ...at(deadline - 100) })).toEqual({ denied: 'vendor_not_disclosed' });
  });

  it('are not taken from a bit for legitimate interest or from AllowedVendors', () => {
    const allowed = writeVendorSegment(2, { maxId: 100, ids: [VENDOR] });
    expect(basis({ segments: [allowed] })).toEqual({ denied: 'disclosed_vendors_missing' });
    expect(basis({ segments: [disclosed(60), allowed] })).toEqual({ denied: 'vendor_not_disclosed' });
  });
});

describe('purposeOneTreatment', () => {
  it.each(['DE', 'AA', 'BE'])('is no permission to store, with publisher country %s', (publisherCC) => {
    const changes = { purposeOneTreatment: true, publisherCC };
    expect(basis(changes, { purpose: 1 })).toEqual({ denied: 'purpose_one_not_disclosed' });
    expect(basis(changes, { purpose: 3 })).toBe('consent');
  });
});

describe('legitimate interest', () => {
  const claimed = (purpose: number) => ({
    purpose,
    registration: { purposes: [], legIntPurposes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], flexiblePurposes: [] },
  });

  it.each([1, 3, 4, 5, 6])('is none for purpose %i, whatever the bits and the policy version say', (purpose) => {
    for (const policyVersion of [2, 4, 5])
      expect(basis({ policyVersion }, claimed(purpose))).toEqual({ denied: 'legitimate_interest_forbidden' });
  });

  it.each([2, 7, 8, 9, 10, 11])('can be one for purpose %i', (purpose) => {
    expect(basis({}, claimed(purpose))).toBe('legitimate_interest');
  });

  it('is none for a profile that the publisher moves to it', () => {
    const registration = { purposes: [3], legIntPurposes: [], flexiblePurposes: [3] };
    const entries: Entry[] = [[1, 100]];
    expect(basis({ restrictions: [{ purpose: 3, type: 2, entries }] }, { registration })).toEqual({
      denied: 'legitimate_interest_forbidden',
    });
  });
});

describe('publisher restrictions', () => {
  const under = (type: number, purpose: number, first = 1): TcfBasis =>
    basis({ restrictions: [{ purpose, type, entries: [[first, 100]] }] }, { purpose });

  it.each<[type: number, purpose: number, what: string, expected: TcfBasis]>([
    [0, 3, 'consent', { denied: 'purpose_not_allowed' }],
    [0, 2, 'flexible legitimate interest', { denied: 'purpose_not_allowed' }],
    [0, 10, 'nothing', { denied: 'purpose_not_allowed' }],
    [1, 3, 'consent', 'consent'],
    [1, 2, 'flexible legitimate interest', 'consent'],
    [1, 7, 'legitimate interest', { denied: 'basis_not_registered' }],
    [1, 10, 'nothing', { denied: 'purpose_not_registered' }],
    [2, 7, 'legitimate interest', 'legitimate_interest'],
    [2, 8, 'flexible consent', 'legitimate_interest'],
    [2, 3, 'consent', { denied: 'basis_not_registered' }],
    [2, 1, 'consent', { denied: 'basis_not_registered' }],
    [2, 10, 'nothing', { denied: 'purpose_not_registered' }],
  ])('of type %i on purpose %i, registered as %s, give %p', (type, purpose, _what, expected) => {
    expect(under(type, purpose)).toEqual(expected);
  });

  it('are for the vendors that they name', () => {
    expect(under(0, 3, VENDOR + 1)).toBe('consent');
  });

  it('of several types are judged by "not allowed"', () => {
    const restrictions = [2, 0, 1].map((type) => ({ purpose: 2, type, entries: [[VENDOR, VENDOR]] as const }));
    expect(basis({ restrictions }, { purpose: 2 })).toEqual({ denied: 'purpose_not_allowed' });
  });

  it('that ask for consent need the bits of consent', () => {
    const restrictions = [{ purpose: 2, type: 1, entries: [[VENDOR, VENDOR]] as const }];
    expect(basis({ restrictions, purposeConsents: [1, 3] }, { purpose: 2 })).toEqual({ denied: 'purpose_refused' });
  });

  it('find no basis in flexibility alone', () => {
    const registration = { purposes: [], legIntPurposes: [], flexiblePurposes: [2] };
    const restrictions = [{ purpose: 2, type: 1, entries: [[VENDOR, VENDOR]] as const }];
    expect(basis({ restrictions }, { purpose: 2, registration })).toEqual({ denied: 'purpose_not_registered' });
  });
});
