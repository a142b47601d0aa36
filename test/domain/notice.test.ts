import { describe, expect, it } from '@jest/globals';
import { legalBasisOf, noticeVersion, noticeWording } from '../../domain/notice.ts';
import config from '../../paula.config.ts';

type Purposes = { purposes: typeof config.purposes };

const changed = (change: (purposes: Purposes['purposes']) => void): Purposes => {
  const purposes = structuredClone(config.purposes);
  change(purposes);
  return { purposes };
};

describe('the notice', () => {
  it('has the newest of its purposes’ versions, a day of a month after the month', () => {
    expect(noticeVersion(config)).toBe('2026-11');
    for (const [version, newest] of [
      ['2026-11-24', '2026-11-24'],
      ['2027-01', '2027-01'],
      ['2025-12-31', '2026-11'],
    ] as const)
      expect(noticeVersion(changed(({ email }) => Object.assign(email.notice, { version })))).toBe(newest);
  });

  it('is another wording when one text of one purpose in one language changes', () => {
    const wording = noticeWording(config);
    expect(noticeWording(structuredClone(config))).toBe(wording);
    for (const language of ['de', 'en'] as const)
      expect(noticeWording(changed(({ profile }) => (profile.notice.text[language] += ' ')))).not.toBe(wording);
    // What is asked for stays the same when it is kept for less long; only the text is hashed.
    expect(noticeWording(changed(({ profile }) => (profile.retentionDays = 1)))).toBe(wording);
  });

  it('says the basis of each granted purpose, in their order', () => {
    const mixed = changed(({ measurement }) => (measurement.legalBasis = 'legitimate_interest'));
    expect(legalBasisOf(mixed, ['storage', 'measurement'])).toBe('storage=consent,measurement=legitimate_interest');
    expect(legalBasisOf(mixed, [])).toBe('');
  });
});
