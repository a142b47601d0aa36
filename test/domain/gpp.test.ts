import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BitText } from '../../conformance/tcf/bit-text.ts';
import { HOSTILE_GPP } from '../../conformance/tcf/hostile-strings.ts';
import { MAX_GPP_HEADER_LENGTH, MAX_GPP_LENGTH, tcSectionOf } from '../../domain/gpp.ts';

const fibonacci = (value: number): string => {
  const terms = [1, 2];
  while ((terms.at(-1) as number) < value) terms.push((terms.at(-1) as number) + (terms.at(-2) as number));
  let rest = value;
  const bits = terms.map(() => '0');
  for (let i = terms.length - 1; i >= 0; i--)
    if ((terms[i] as number) <= rest) {
      bits[i] = '1';
      rest -= terms[i] as number;
    }
  return `${bits.join('').replace(/0+$/, '')}1`;
};

type Item = readonly [first: number, last: number];

function header(items: readonly Item[], { type = 3, version = 1, padding = 0 } = {}): string {
  const text = new BitText().write(type, 6).write(version, 6).write(items.length, 12);
  let last = 0;
  for (const [first, end] of items) {
    text.bits(first === end ? '0' : '1').bits(fibonacci(first - last));
    if (end > first) text.bits(fibonacci(end - first));
    last = end;
  }
  return text.text(padding);
}

describe('tcSectionOf', () => {
  it('writes headers in its tests as the specification has them', () => {
    expect(header([[2, 2]])).toBe('DBABM');
    expect(
      header([
        [2, 2],
        [6, 6],
      ]),
    ).toBe('DBACNY');
    expect(header([[5, 6]])).toBe('DBABjw');
  });

  it.each([
    ['alone', 'DBABM~EU'],
    ['with a header filled up to bytes', 'DBABMA~EU'],
    ['before another', 'DBACNYA~EU~1YNN'],
    ['after another', `${header([[1, 2]])}~CA~EU`],
    ['within a range', `${header([[1, 4]])}~a~EU~c~d`],
    ['as the first of a range', `${header([[2, 3]])}~EU~c`],
  ])('finds section 2 %s', (_where, gpp) => {
    expect(tcSectionOf(gpp)).toEqual({ ok: true, section: 'EU' });
  });

  it('finds section 2 among any others, singly and in ranges', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (drawn, inRanges) => {
          const ids = [...new Set([2, ...drawn])].sort((a, b) => a - b);
          const items: Item[] = [];
          for (const id of ids) {
            const before = items.at(-1);
            if (inRanges && before?.[1] === id - 1) items[items.length - 1] = [before[0], id];
            else items.push([id, id]);
          }
          const gpp = [header(items), ...ids.map((id) => `section-${id}`)].join('~');
          expect(tcSectionOf(gpp)).toEqual({ ok: true, section: 'section-2' });
          const others = ids.filter((id) => id !== 2);
          const without = [header(others.map((id) => [id, id] as const)), ...others.map(String)].join('~');
          expect(tcSectionOf(without)).toEqual({ ok: false, reason: 'section_missing' });
        },
      ),
    );
  });

  it.each([
    ['too_long', 'a string above the limit', `DBABM~${'A'.repeat(MAX_GPP_LENGTH)}`],
    ['too_long', 'a header above the limit', `DBABM${'A'.repeat(MAX_GPP_HEADER_LENGTH)}~EU`],
    ['truncated', 'nothing', ''],
    ['truncated', 'a header that ends too early', 'DBA~EU'],
    [
      'truncated',
      'fewer ids than announced',
      `${new BitText().write(3, 6).write(1, 6).write(9, 12).bits('0011').text()}~EU`,
    ],
    ['foreign_character', 'base64 padding', 'DBABMA==~EU'],
    ['foreign_character', 'a dot in the header', 'DBA.BM~EU'],
    ['foreign_character', 'a macro', '%%GPP_STRING%%'],
    ['header_unknown', 'another type', `${header([[2, 2]], { type: 2 })}~EU`],
    ['header_unknown', 'another version', `${header([[2, 2]], { version: 2 })}~EU`],
    ['header_unknown', 'a TC string', 'CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA'],
    ['number_too_long', 'an id that is too large', `${header([[2_000, 2_000]])}~EU`],
    ['number_too_long', 'a code word without an end', `DBAB${'A'.repeat(40)}~EU`],
    ['trailing_garbage', 'a bit behind the ids', 'DBABN~EU'],
    ['trailing_garbage', 'more zeros than any encoder fills up with', `${header([[2, 2]], { padding: 30 })}~EU`],
    ['sections_mismatch', 'fewer sections than ids', 'DBACNY~EU'],
    ['sections_mismatch', 'more sections than ids', 'DBABM~EU~1YNN'],
    ['section_missing', 'no section at all', 'DBAA'],
    ['section_missing', 'other sections', 'DBABjw~CA~1YNN'],
  ])('refuses as %s: %s', (reason, _what, gpp) => {
    expect(tcSectionOf(gpp)).toEqual({ ok: false, reason });
  });

  it('counts the ids of large ranges without listing them', () => {
    expect(tcSectionOf(`${header([[1, 1_500]])}~EU`)).toEqual({ ok: false, reason: 'sections_mismatch' });
    for (const gpp of HOSTILE_GPP.values()) expect(tcSectionOf(gpp).ok).toBe(false);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'AB_D~.0=ä'), maxLength: 60 }),
        (text) => typeof tcSectionOf(`DBA${text}`).ok === 'boolean' && typeof tcSectionOf(text).ok === 'boolean',
      ),
      { numRuns: 2_000 },
    );
  });
});
