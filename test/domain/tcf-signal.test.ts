import { describe, expect, it } from '@jest/globals';
import { BARE, type WrittenString, writeTcString, writeVendorSegment } from '../../conformance/tcf/written-strings.ts';
import { signalBasis, type TcParameters, tcSignal } from '../../domain/tcf-signal.ts';

const NOW = Date.UTC(2026, 10, 24);
const VENDOR = 61;
const QUESTION = {
  vendorId: VENDOR,
  registration: { purposes: [1, 3, 4], legIntPurposes: [7], flexiblePurposes: [7] },
  now: NOW,
};

const vendors = { maxId: VENDOR, ids: [VENDOR] };
const granting = (changes: Partial<WrittenString>): string =>
  writeTcString({
    ...BARE,
    vendorConsents: vendors,
    vendorLegitimateInterests: vendors,
    segments: [writeVendorSegment(1, vendors)],
    ...changes,
  });

const both = granting({ purposeConsents: [1, 3, 4] });
const storageOnly = granting({ purposeConsents: [1], lastUpdated: BARE.lastUpdated - 1_000 });
const inGpp = (section: string) => ({ gpp: `DBABMA~${section}`, gpp_sid: '2' });

const basis = (parameters: TcParameters, purpose: number) => {
  const signal = tcSignal(parameters);
  return 'denied' in signal ? signal : signalBasis(signal, { ...QUESTION, purpose });
};
const granted = (parameters: TcParameters) => [1, 3, 4].filter((purpose) => basis(parameters, purpose) === 'consent');

describe('tcSignal', () => {
  it.each([
    ['gdpr_consent', { gdpr_consent: both }],
    ['section 2 of gpp', inGpp(both)],
    ['section 2 of gpp beside an empty gdpr_consent', { gdpr_consent: '', ...inGpp(both) }],
    ['both where they agree', { gdpr_consent: both, ...inGpp(both) }],
    ['gdpr_consent where gpp_sid is absent', { gdpr_consent: both, gpp: inGpp(storageOnly).gpp }],
    ['gdpr_consent where another section is in force', { gdpr_consent: both, ...inGpp('?'), gpp_sid: '6,22' }],
    ['gdpr_consent where gpp is absent', { gdpr_consent: both, gpp_sid: '2' }],
  ])('reads %s', (_what, parameters) => {
    expect(granted(parameters)).toEqual([1, 3, 4]);
  });

  it.each([
    ['gdpr_consent', { gdpr_consent: storageOnly, ...inGpp(both) }],
    ['gpp', { gdpr_consent: both, ...inGpp(storageOnly) }],
    ['gpp, one of two sections in force', { gdpr_consent: both, ...inGpp(storageOnly), gpp_sid: '6, 2' }],
  ])('grants no more than the stricter, %s', (_what, parameters) => {
    expect(granted(parameters)).toEqual([1]);
    expect(tcSignal(parameters)).toMatchObject({
      texts: expect.any(Array),
      lastUpdated: (BARE.lastUpdated - 1_000) * 100,
    });
  });

  it('takes legitimate interest for stricter than consent', () => {
    const claimed = granting({ purposeLegitimateInterests: [7] });
    const asked = granting({
      purposeConsents: [7],
      restrictions: [{ purpose: 7, type: 1, entries: [[VENDOR, VENDOR]] }],
    });
    expect(basis({ gdpr_consent: asked, ...inGpp(asked) }, 7)).toBe('consent');
    expect(basis({ gdpr_consent: asked, ...inGpp(claimed) }, 7)).toBe('legitimate_interest');
    expect(basis({ gdpr_consent: claimed, ...inGpp(asked) }, 7)).toBe('legitimate_interest');
  });

  it.each([
    ['absent', {}],
    ['absent', { gdpr_consent: '', gpp: '', gpp_sid: '' }],
    ['absent', { gpp: `DBABMA~${both}` }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an ad server's macro
    ['unexpanded_macro', { gdpr_consent: '${GDPR_CONSENT_61}' }],
    ['unexpanded_macro', { gdpr_consent: '[GDPR_CONSENT]' }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an ad server's macro
    ['unexpanded_macro', { gpp: `DBABMA~${both}`, gpp_sid: '${GPP_SID}' }],
    ['unexpanded_macro', { gdpr_consent: '%24%7BGDPR_CONSENT_61%7D' }],
    ['version_1', { gdpr_consent: writeTcString({ ...BARE, version: 1 }), ...inGpp(both) }],
    ['gpp_truncated', { gdpr_consent: both, ...inGpp(both.slice(0, 40)) }],
    ['gpp_section_missing', { gdpr_consent: both, gpp: 'DBABjw~CA~1YNN', gpp_sid: '2' }],
    ['gpp_foreign_character', { gdpr_consent: both, gpp: both, gpp_sid: '2' }],
  ])('is denied as %s', (denied, parameters) => {
    expect(tcSignal(parameters)).toEqual({ denied });
    expect(granted(parameters)).toEqual([]);
  });
});
