import { describe, expect, it } from '@jest/globals';
import { parseConfig, stageOf } from '../../domain/config.ts';
import config from '../../paula.config.ts';

/** A copy of the demo configuration with one place changed. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(config) as Record<string, unknown>;
  const keys = path.split('/');
  const last = keys.pop() as string;
  let at: Record<string, unknown> = copy;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[last] = value;
  return copy;
}

const ASSESSMENT = { id: 'LIA-1', date: '2026-11-02', reviewer: 'data protection officer' };

describe('paula.config.ts', () => {
  it('is accepted as shipped', () => expect(parseConfig(structuredClone(config))).toEqual(config));

  it.each([
    ['stages/prod/region', 'eu-west-2', /stages\.prod\.region: region "eu-west-2" is refused: data stays in the EU/],
    ['stages/prod/region', 'eu-central-2', /region "eu-central-2" is refused/],
    ['stages/prod/region', 'us-east-1', /region "us-east-1" is refused/],
    ['sites/shop/origins', ['https://shop.example/path'], /sites\.shop\.origins\.0: must be an exact origin/],
    ['sites/shop/clickHosts', ['*.example'], /sites\.shop\.clickHosts\.0: must be a host name/],
    ['pixelPath', '/v1/track', /pixelPath: must be a path/],
    ['purposes/profile/legalBasis', 'legitimate_interest', /purposes\.profile\.legalBasis: "profile" needs consent/],
    ['purposes/storage/retentionDays', 400, /purposes\.storage\.retentionDays: 13 months/],
    [
      'purposes/identity_merge',
      { ...config.purposes.identity_merge, legalBasis: 'contract' },
      /identity_merge.*consent/,
    ],
    ['purposes/measurement/legalBasis', 'legitimate_interest', /purposes\.measurement\.assessment: is required/],
    ['purposes/measurement/assessment', ASSESSMENT, /measurement\.assessment: belongs to a legitimate interest/],
    [
      'purposes/measurement',
      {
        ...config.purposes.measurement,
        legalBasis: 'legitimate_interest',
        assessment: { ...ASSESSMENT, date: '1 May' },
      },
      /purposes\.measurement\.assessment\.date/,
    ],
    ['purposes/email/notice/text/de', undefined, /purposes\.email\.notice\.text\.de/],
    ['purposes/email/notice/text/en', 'Mail.', /purposes\.email\.notice\.text\.en: must say what is done/],
    ['purposes/email/notice/version', 'v2', /purposes\.email\.notice\.version: must be a month or a day/],
    ['purposes/email/noticeVersion', '2026-11', /purposes\.email: .*noticeVersion/],
    ['decisions', { suppressProductDays: 396 }, /decisions\.suppressProductDays/],
    ['decisions', { suppressPriceDays: 1 }, /decisions: .*suppressPriceDays/],
    [
      'campaigns',
      { autumn: { caps: [{ count: 21, windowHours: 1 }] } },
      /autumn\.caps\.0\.count: .*last 20 impressions/,
    ],
    ['campaigns', { autumn: { caps: [{ count: 1, windowHours: 745 }] } }, /windowHours: .*for 744 hours/],
    ['campaigns', { autumn: { caps: [{ count: 0, windowHours: 1 }] } }, /autumn\.caps\.0\.count/],
    ['campaigns', { autumn: { coolDownHours: -1 } }, /autumn\.coolDownHours/],
    [
      'trackingPlan/fields/campaign',
      { type: 'text', purposes: ['measurement'] },
      /campaigns\.winter: needs the field "campaign" .* "profile"/,
    ],
    ['destinations', { ads: { country: 'DE' } }, /destinations\.ads\.transferMechanism/],
    ['destinations', { ads: { transferMechanism: 'scc' } }, /destinations\.ads\.country/],
    [
      'destinations',
      { ads: { country: 'US', transferMechanism: 'none_needed_eu' } },
      /destinations\.ads\.transferMechanism: "US" is outside the EEA/,
    ],
    ['destinations', { ads: { country: 'NO', transferMechanism: 'scc' } }, /"NO" is within the EEA/],
    [
      'consentServices',
      ['A Service'],
      /consentServices\.0: no adapter for the consent service "A Service" has been built/,
    ],
    ['pricesByProfile', true, /pricesByProfile: prices that differ by profile are out of scope/],
    [
      'trackingPlan/fields/campaign/purposes',
      [],
      /trackingPlan\.fields\.campaign\.purposes: every field needs at least one purpose/,
    ],
    ['trackingPlan/fields/campaign/type', 'integer', /the standard field "campaign" is of type text/],
    [
      'trackingPlan/fields/device_id',
      { type: 'text', purposes: ['profile'] },
      /device_id: this name is written by the platform itself/,
    ],
    ['trackingPlan/events/Order Completed/fields', ['order_number'], /"order_number" is not in trackingPlan\.fields/],
    ['trackingPlan/events/Identified', undefined, /trackingPlan\.events/],
    ['sources/web/site', 'blog', /sources\.web\.site: "blog" is not a configured site/],
    ['sources/web/events', ['Nothing'], /sources\.web\.events\.0: "Nothing" is not in trackingPlan\.events/],
    [
      'sites/portal/origins',
      ['https://www.lindenblatt.example'],
      /sites\.portal\.origins\.0: "https:\/\/www\.lindenblatt\.example" belongs to site "shop"/,
    ],
    [
      'trackingPlan/fields/first_name',
      { type: 'text', purposes: ['profile'] },
      /trackingPlan\.fields\.first_name: "first_name" promises personal data in clear \(name\)/,
    ],
    ['trackingPlan/fields/birth_year', { type: 'integer', purposes: ['profile'] }, /birth_year.*\(age\)/],
    ['trackingPlan/fields/acne_level', { type: 'text', purposes: ['profile'] }, /acne_level: "acne" tells of health/],
    ['trackingPlan/events/Akne Quiz', { fields: [] }, /trackingPlan\.events\.Akne Quiz: "akne" tells of health/],
    ['specialCategories', { extraTerms: ['Öl'] }, /specialCategories\.extraTerms\.0: must be words/],
    ['specialCategories', { explicitConsentPurpose: 'activation' }, /specialCategories\.explicitConsentPurpose/],
    ['tcf', { vendorId: 0 }, /tcf\.vendorId/],
    ['tcf', { vendorId: 65_536 }, /tcf\.vendorId/],
    ['tcf', { vendorId: 755 }, /tcf\.vendorId: 755 is Google's/],
    ['tcf', { registration: { purposes: [1] } }, /tcf\.registration: must be empty without a vendorId/],
    ['tcf', { vendorId: 61, registration: { purposes: [12] } }, /tcf\.registration\.purposes\.0/],
    ['tcf', { vendorId: 61, registration: { legIntPurposes: [2, 3] } }, /legIntPurposes\.1: purpose 3 needs consent/],
    [
      'tcf',
      { vendorId: 61, registration: { purposes: [7], legIntPurposes: [7] } },
      /legIntPurposes\.0: purpose 7 is among registration\.purposes/,
    ],
    ['tcf', { vendorId: 61, registration: { flexiblePurposes: [7] } }, /flexiblePurposes\.0: purpose 7 is in neither/],
    ['tcf', { vendor: 61 }, /tcf.*vendor/],
    ['rawRetentionDays', 91, /rawRetentionDays/],
    ['rawRetentionDays', 7, /rawRetentionDays: ingest reads this many days of landing/],
    ['colour', 'blue', /colour/],
  ])('refuses %s = %j with the key and the rule', (path, value, message) =>
    expect(() => parseConfig(changed(path, value))).toThrow(message),
  );

  it('takes a field of a special category for the purpose alone that asks for explicit consent', () => {
    const withField = (purposes: string[], explicitConsentPurpose?: string) => {
      const copy = changed('trackingPlan/fields/acne_level', { type: 'text', purposes }) as Record<string, unknown>;
      return { ...copy, specialCategories: { explicitConsentPurpose } };
    };
    expect(parseConfig(withField(['personalisation'], 'personalisation')).trackingPlan.fields.acne_level).toBeDefined();
    expect(() => parseConfig(withField(['personalisation', 'profile'], 'personalisation'))).toThrow(/acne_level/);
    expect(() => parseConfig(withField(['profile'], 'personalisation'))).toThrow(/acne_level/);
    const contract = withField(['measurement'], 'measurement');
    Object.assign(contract, {
      purposes: { ...config.purposes, measurement: { ...config.purposes.measurement, legalBasis: 'contract' } },
    });
    expect(() => parseConfig(contract)).toThrow(/"measurement" needs the legal basis "consent"/);
  });

  it('takes a legitimate interest with its assessment, where the law leaves room for one', () => {
    const terms = { ...config.purposes.measurement, legalBasis: 'legitimate_interest', assessment: ASSESSMENT };
    expect(parseConfig(changed('purposes/measurement', terms)).purposes.measurement).toEqual(terms);
  });

  it('takes a registration as the vendor list has it, and none where the brand is not on the list', () => {
    const registration = { purposes: [1, 3, 4], legIntPurposes: [7], flexiblePurposes: [7] };
    expect(parseConfig(changed('tcf', { vendorId: 61, registration })).tcf).toEqual({ vendorId: 61, registration });
    const none = { purposes: [], legIntPurposes: [], flexiblePurposes: [] };
    expect(parseConfig(changed('tcf', undefined)).tcf).toEqual({ vendorId: null, registration: none });
  });

  it('defaults to Frankfurt', () => expect(stageOf(config, 'dev').region).toBe('eu-central-1'));
  it('holds an override of the region to the same rule', () => {
    expect(stageOf(config, 'prod', 'eusc-de-east-1').region).toBe('eusc-de-east-1');
    expect(() => stageOf(config, 'prod', 'eu-west-2')).toThrow(/data stays in the EU/);
  });
  it('names the known stages where one is unknown', () =>
    expect(() => stageOf(config, 'qa')).toThrow(/known: local, dev, prod/));
});
