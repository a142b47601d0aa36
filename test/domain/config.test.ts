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

  it('defaults to Frankfurt', () => expect(stageOf(config, 'dev').region).toBe('eu-central-1'));
  it('holds an override of the region to the same rule', () => {
    expect(stageOf(config, 'prod', 'eusc-de-east-1').region).toBe('eusc-de-east-1');
    expect(() => stageOf(config, 'prod', 'eu-west-2')).toThrow(/data stays in the EU/);
  });
  it('names the known stages where one is unknown', () =>
    expect(() => stageOf(config, 'qa')).toThrow(/known: local, dev, prod/));
});
