import { describe, expect, it } from '@jest/globals';
import { mayHoldTerm, openingsOf } from '../../domain/term-openings.ts';

describe('term openings', () => {
  const openings = openingsOf([
    '(?<!c)akne(?!r[ns]?$)',
    '^ad hs$',
    '^(?:mom|mum) to be$',
    'über gewicht',
    '^ba[rt] mi',
    'co?eliac',
  ]);

  it.each([
    'akne',
    'Anti-AKNE-Creme',
    'a_k_n_e',
    'ad-hs',
    'MumToBe',
    'uebergewicht',
    'ubergewicht',
    'bat mitzwa',
    'celiac',
    'coeliac',
    'x1a2d3h4s',
  ])('a term may be in %j', (text) => {
    expect(mayHoldTerm(text, openings)).toBe(true);
  });

  it.each(['SKU-00012', 'autumn-3', '/products/17', 'Care/Face', '', 'ak', 'a.k.x.n.e'])(
    'none can be in %j',
    (text) => {
      expect(mayHoldTerm(text, openings)).toBe(false);
    },
  );

  it.each(['%61kne', '&#97;kne', 'a\\u006bne', 'Crème', 'a\u200bkne', '\tx'])(
    'leaves %j, whose letters are not its reader’s, to the closer look',
    (text) => {
      expect(mayHoldTerm(text, openings)).toBe(true);
    },
  );

  it('refuses a term that is too short for it, or written in another way', () => {
    expect(() => openingsOf(['^ms$'])).toThrow('fewer than 3 letters');
    expect(() => openingsOf(['abc(d)'])).toThrow('bracket of another kind');
    expect(() => openingsOf(['ab.c'])).toThrow('no meaning in a term');
  });
});
