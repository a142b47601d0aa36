import { describe, expect, it } from '@jest/globals';
import { isUnexpandedMacro } from '../../domain/macros.ts';

describe('isUnexpandedMacro', () => {
  const macros = ['$' + '{GDPR_CONSENT_61}', '%%CACHEBUSTER%%', '[GDPR_CONSENT]', '{{gdpr_consent}}'];
  const encoded = (value: string, times: number): string =>
    times === 0 ? value : encoded(encodeURIComponent(value), times - 1);

  it.each(macros)('knows %s, and percent-encoded once, twice and three times', (macro) => {
    for (const times of [0, 1, 2, 3]) expect([times, isUnexpandedMacro(encoded(macro, times))]).toEqual([times, true]);
    expect(isUnexpandedMacro(encoded(macro, 1).toLowerCase())).toBe(true);
  });

  it.each([
    '',
    '$',
    '%',
    '%24',
    '%24100',
    '%25 off',
    '%7Bbrace',
    '$' + '{open',
    'a$' + '{GDPR}',
    '%24%7BGDPR%7D and more',
    'CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA',
  ])('takes %p for a value', (value) => {
    expect(isUnexpandedMacro(value)).toBe(false);
  });

  it('reads a long text to its end', () => {
    for (const part of ['%', '%25', '%2525', '[', '{{', '%24%7B'])
      expect(isUnexpandedMacro(`${part.repeat(20_000)}x`)).toBe(false);
  });
});
