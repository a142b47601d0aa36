import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { seeded } from '../../bench/random.ts';
import { encodedStrings } from '../../conformance/tcf/encoded-strings.ts';
import { HOSTILE_SHAPES, hostileStrings, worstCases } from '../../conformance/tcf/hostile-strings.ts';
import {
  BARE,
  type WrittenString,
  writePublisherSegment,
  writeTcString,
  writeVendorSegment,
} from '../../conformance/tcf/written-strings.ts';
import { decodeTcString, MAX_TC_LENGTH, type TcError, type TcString } from '../../domain/tcf.ts';

const write = (changes: Partial<WrittenString>): string => writeTcString({ ...BARE, ...changes });

function decoded(value: string): TcString {
  const result = decodeTcString(value);
  if (!result.ok) throw new Error(result.reason);
  return result.tc;
}

const reasonOf = (value: string): TcError | 'decoded' => {
  const result = decodeTcString(value);
  return result.ok ? 'decoded' : result.reason;
};

/** The ids from 0 to 70 that a question is answered with true for. */
const idsOf = (question: (id: number) => boolean): number[] =>
  Array.from({ length: 71 }, (_, id) => id).filter(question);

describe('decodeTcString', () => {
  it('tells every field of the core', () => {
    const tc = decoded(
      write({
        created: 2 ** 36 - 1,
        lastUpdated: 17_000_000_001,
        cmpId: 4_095,
        cmpVersion: 1,
        consentScreen: 63,
        consentLanguage: 'AZ',
        vendorListVersion: 4_095,
        policyVersion: 63,
        isServiceSpecific: false,
        useNonStandardTexts: true,
        purposeOneTreatment: true,
        publisherCC: 'ZA',
      }),
    );
    expect({ ...tc }).toEqual({
      version: 2,
      created: (2 ** 36 - 1) * 100,
      lastUpdated: 1_700_000_000_100,
      cmpId: 4_095,
      cmpVersion: 1,
      consentScreen: 63,
      consentLanguage: 'AZ',
      vendorListVersion: 4_095,
      policyVersion: 63,
      isServiceSpecific: false,
      useNonStandardTexts: true,
      purposeOneTreatment: true,
      publisherCC: 'ZA',
      hasDisclosedVendors: false,
    });
  });

  it('tells purposes and special features, and none that the string has no bit for', () => {
    const tc = decoded(
      write({
        specialFeatureOptIns: [1, 12],
        purposeConsents: [1, 3, 24],
        purposeLegitimateInterests: [2, 23],
        segments: [writePublisherSegment([4, 24], [5], 3)],
      }),
    );
    expect(idsOf((id) => tc.specialFeatureOptIn(id))).toEqual([1, 12]);
    expect(idsOf((id) => tc.purposeConsent(id))).toEqual([1, 3, 24]);
    expect(idsOf((id) => tc.purposeLegitimateInterest(id))).toEqual([2, 23]);
    expect(idsOf((id) => tc.publisherConsent(id))).toEqual([4, 24]);
  });

  it('tells vendors of bit fields and of ranges, unordered and overlapping ones too', () => {
    const tc = decoded(
      write({
        vendorConsents: { maxId: 69, ids: [1, 6, 7, 69] },
        vendorLegitimateInterests: {
          maxId: 64,
          entries: [
            [60, 64],
            [2, 2],
            [1, 3],
          ],
        },
        segments: [writeVendorSegment(1, { maxId: 8, ids: [8] })],
      }),
    );
    expect(idsOf((id) => tc.vendorConsent(id))).toEqual([1, 6, 7, 69]);
    expect(idsOf((id) => tc.vendorLegitimateInterest(id))).toEqual([1, 2, 3, 60, 61, 62, 63, 64]);
    expect(idsOf((id) => tc.vendorDisclosed(id))).toEqual([8]);
    expect(tc.hasDisclosedVendors).toBe(true);
  });

  it('takes the segments behind the core in any order, and nothing from AllowedVendors', () => {
    const segments = [
      writePublisherSegment([2], [], 0),
      writeVendorSegment(2, { maxId: 5, ids: [5] }),
      writeVendorSegment(1, { maxId: 3, entries: [[3, 3]] }),
    ];
    for (const order of [segments, segments.toReversed()]) {
      const tc = decoded(write({ segments: order }));
      expect(idsOf((id) => tc.vendorDisclosed(id))).toEqual([3]);
      expect(idsOf((id) => tc.publisherConsent(id))).toEqual([2]);
    }
    const allowedOnly = decoded(write({ segments: segments.slice(1, 2) }));
    expect(allowedOnly.hasDisclosedVendors).toBe(false);
    expect(idsOf((id) => allowedOnly.vendorDisclosed(id))).toEqual([]);
    expect(idsOf((id) => allowedOnly.publisherConsent(id))).toEqual([]);
  });

  it('tells the lowest type of several restrictions of a purpose for a vendor', () => {
    const tc = decoded(
      write({
        restrictions: [
          { purpose: 2, type: 2, entries: [[1, 65_535]] },
          {
            purpose: 2,
            type: 0,
            entries: [
              [10, 20],
              [30, 30],
            ],
          },
          { purpose: 2, type: 1, entries: [[15, 40]] },
          { purpose: 7, type: 1, entries: [] },
        ],
      }),
    );
    expect([1, 10, 20, 21, 30, 40, 41, 65_535].map((vendor) => tc.publisherRestriction(2, vendor))).toEqual([
      2, 0, 0, 1, 0, 1, 2, 2,
    ]);
    expect(tc.publisherRestriction(7, 15)).toBeUndefined();
    expect(tc.publisherRestriction(3, 15)).toBeUndefined();
    expect(tc.publisherRestriction(2, 65_536)).toBeUndefined();
  });

  it('keeps its answers when other strings are decoded after it', () => {
    const tc = decoded(write({ vendorConsents: { maxId: 9, ids: [4] }, purposeConsents: [2] }));
    decoded(write({ vendorConsents: { maxId: 9, ids: [5] }, purposeConsents: [3] }));
    expect(idsOf((id) => tc.vendorConsent(id))).toEqual([4]);
    expect(idsOf((id) => tc.purposeConsent(id))).toEqual([2]);
  });

  const bare = write({});
  const entry = { maxId: 50, entries: [[7, 9]] as const };

  it.each<[TcError, string, string]>([
    ['empty', 'nothing', ''],
    ['too_long', 'one character above the limit', 'C'.repeat(MAX_TC_LENGTH + 1)],
    ['too_long', 'a megabyte', `C${'A'.repeat(1e6)}`],
    ['foreign_character', 'padding of base64', `${bare}=`],
    ['foreign_character', 'the other base64', `${bare.slice(0, -1)}+`],
    ['foreign_character', 'a line end', `${bare}\n`],
    ['foreign_character', 'a letter beyond ASCII', `${bare}ä`],
    ['foreign_character', 'a letter beyond ASCII that the limit cuts off', `${'A'.repeat(MAX_TC_LENGTH - 1)}ä`],
    ['foreign_character', 'half of a pair', `${bare}\ud800`],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an ad server's macro
    ['foreign_character', 'a macro', '${GDPR_CONSENT_755}'],
    ['foreign_character', 'an encoded macro', '%24%7BGDPR_CONSENT_755%7D'],
    ['version_1', 'version 1', write({ version: 1 })],
    ['version_unknown', 'version 0', write({ version: 0 })],
    ['version_unknown', 'version 3', write({ version: 3 })],
    ['core_missing', 'DisclosedVendors alone', writeVendorSegment(1, { maxId: 3, ids: [3] })],
    ['core_missing', 'a version that looks like a segment', write({ version: 8 })],
    ['core_not_first', 'DisclosedVendors before the core', `${writeVendorSegment(1, { maxId: 3, ids: [3] })}.${bare}`],
    ['segment_duplicate', 'the core twice', `${bare}.${bare}`],
    ['segment_duplicate', 'DisclosedVendors twice', write({ segments: Array(2).fill(writeVendorSegment(1, entry)) })],
    ['segment_duplicate', 'PublisherTC twice', write({ segments: Array(2).fill(writePublisherSegment([], [], 0)) })],
    ['segment_unknown', 'type 4', write({ segments: [writeVendorSegment(4, entry)] })],
    ['segment_unknown', 'type 7', write({ segments: [writeVendorSegment(7, entry)] })],
    ['segment_empty', 'a dot at the end', `${bare}.`],
    ['segment_empty', 'a dot at the beginning', `.${bare}`],
    ['segment_empty', 'two dots', `${bare}..${writeVendorSegment(1, entry)}`],
    ['truncated', 'one character', 'C'],
    ['truncated', 'a core without its last character', bare.slice(0, -1)],
    [
      'truncated',
      'a bit field that is shorter than its maximum',
      `${write({ vendorConsents: { maxId: 900, ids: [] } }).slice(0, 120)}`,
    ],
    ['truncated', 'fewer entries than announced', write({ vendorConsents: entry }).slice(0, 47)],
    ['truncated', 'a segment of a type and nothing else', `${bare}.I`],
    ['truncated', 'custom purposes without their bits', `${bare}.${writePublisherSegment([], [], 63).slice(0, 12)}`],
    ['range_reversed', 'a vendor range', write({ vendorConsents: { maxId: 50, entries: [[9, 7]] } })],
    ['range_reversed', 'a range that ends at 0', write({ vendorConsents: { maxId: 50, entries: [[9, 0]] } })],
    ['range_reversed', 'a restriction', write({ restrictions: [{ purpose: 1, type: 0, entries: [[2, 1]] }] })],
    ['vendor_zero', 'a single vendor', write({ vendorLegitimateInterests: { maxId: 50, entries: [[0, 0]] } })],
    ['vendor_zero', 'a range', write({ segments: [writeVendorSegment(1, { maxId: 50, entries: [[0, 4]] })] })],
    ['vendor_zero', 'a restriction', write({ restrictions: [{ purpose: 1, type: 0, entries: [[0, 3]] }] })],
    ['vendor_beyond_max', 'a single vendor', write({ vendorConsents: { maxId: 50, entries: [[51, 51]] } })],
    ['vendor_beyond_max', 'a range', write({ vendorConsents: { maxId: 50, entries: [[1, 65_535]] } })],
    ['vendor_list_zero', 'no vendor list', write({ vendorListVersion: 0 })],
    ['letter_unknown', 'the language', write({ consentLanguage: 'D[' })],
    ['letter_unknown', 'the country', write({ publisherCC: 'de' })],
    ['restriction_unknown', 'type 3', write({ restrictions: [{ purpose: 1, type: 3, entries: [[1, 1]] }] })],
    ['restriction_unknown', 'purpose 0', write({ restrictions: [{ purpose: 0, type: 0, entries: [[1, 1]] }] })],
    ['trailing_garbage', 'a bit that is set behind the core', `${bare.slice(0, -1)}B`],
    ['trailing_garbage', 'characters behind the core', `${bare}AAAB`],
    ['trailing_garbage', 'more zeros than any encoder fills up with', `${bare}${'A'.repeat(11)}`],
    ['trailing_garbage', 'behind another segment', `${bare}.${writePublisherSegment([], [], 0)}_`],
  ])('refuses as %s: %s', (reason, _what, value) => {
    expect(reasonOf(value)).toBe(reason);
  });

  it('takes zeros up to 63 bits behind a segment, as the examples of the specification have them', () => {
    for (let padding = 0; padding < 58; padding++)
      expect(reasonOf(write({ padding, segments: [writePublisherSegment([], [], 0, padding)] }))).toBe('decoded');
  });

  it('refuses a sound string that is cut anywhere but at a dot', () => {
    const value = write({
      vendorConsents: entry,
      restrictions: [{ purpose: 3, type: 0, entries: [[1, 9]] }],
      segments: [writeVendorSegment(1, entry), writePublisherSegment([1], [2], 5)],
    });
    const sound = Array.from({ length: value.length }, (_, end) => end).filter(
      (end) => reasonOf(value.slice(0, end)) === 'decoded',
    );
    expect(sound).toEqual([value.indexOf('.'), value.lastIndexOf('.')]);
  });

  it('reads what holds other decoders up, without expanding a range', () => {
    for (const [name, value] of HOSTILE_SHAPES)
      expect([name, reasonOf(value)]).toEqual([name, value.length > MAX_TC_LENGTH ? 'too_long' : 'decoded']);
    const everybody = decoded(HOSTILE_SHAPES.get('72 restrictions of 1 range') as string);
    expect(everybody.publisherRestriction(24, 65_535)).toBe(0);
    for (const value of worstCases(MAX_TC_LENGTH).values()) expect(reasonOf(value)).not.toBe('too_long');
  });

  it('never throws, and leaves nothing behind for the next string', () => {
    const random = seeded(5);
    const sound = encodedStrings(random, 20);
    const strings = hostileStrings(random, sound);
    const reasons = new Set<string>();
    const spoilt: string[] = [];
    for (let i = 0; i < 4_000; i++) {
      const hostile = strings.next().value as string;
      reasons.add(reasonOf(hostile));
      if (reasonOf(sound[i % sound.length] as string) !== 'decoded') spoilt.push(hostile);
    }
    expect(spoilt).toEqual([]);
    // A run that met one reason alone would show nothing.
    expect(reasons.size).toBeGreaterThan(12);
  });
});

/** The vectors that public decoders' own tests assert, read where they are: they are no part of the repository. */
const DATA = process.env.PAULA_DATA ?? join(import.meta.dirname, '../../../shared/data');
const VECTORS = join(DATA, 'tcf_vectors.json');

type IdSet = { exact?: number[]; has?: number[]; hasNot?: number[] };
type Vector = { id: string; string: string; why?: string; expect: Record<string, unknown> };

/** Facts of vectors that `TcString` has no answer to. */
const NOT_EXPOSED = [
  'maxVendorConsent',
  'numCustomPurposes',
  'publisherCustomConsents',
  'publisherCustomLegitimateInterests',
  'publisherLegitimateInterests',
  'vendorsAllowed',
];

const QUESTIONS: Record<string, (tc: TcString, id: number) => boolean> = {
  specialFeatureOptIns: (tc, id) => tc.specialFeatureOptIn(id),
  purposeConsents: (tc, id) => tc.purposeConsent(id),
  purposeLegitimateInterests: (tc, id) => tc.purposeLegitimateInterest(id),
  publisherConsents: (tc, id) => tc.publisherConsent(id),
  vendorConsents: (tc, id) => tc.vendorConsent(id),
  vendorLegitimateInterests: (tc, id) => tc.vendorLegitimateInterest(id),
  vendorsDisclosed: (tc, id) => tc.vendorDisclosed(id),
};
const EVERY_ID = Array.from({ length: 2_000 }, (_, id) => id);

(existsSync(VECTORS) ? describe : describe.skip)(`the public vectors in ${VECTORS}`, () => {
  const vectors: Vector[] = existsSync(VECTORS) ? JSON.parse(readFileSync(VECTORS, 'utf8')).vectors : [];
  const malformed = vectors.filter(({ expect }) => expect.malformed === true);
  const valid = vectors.filter(({ expect }) => expect.malformed !== true);

  it('agree in every fact that a TcString exposes', () => {
    expect(valid.length).toBeGreaterThan(0);
    for (const { id, string, expect: facts } of valid) {
      const tc = decoded(string);
      for (const [fact, expected] of Object.entries(facts)) {
        if (NOT_EXPOSED.includes(fact)) continue;
        const question = QUESTIONS[fact];
        if (question)
          expect({ id, fact, ...answers(tc, question, expected as IdSet) }).toEqual({
            id,
            fact,
            ...(expected as IdSet),
          });
        else if (fact === 'restrictions')
          for (const [purpose, type, vendor] of expected as [number, number, number][])
            expect({ id, type: tc.publisherRestriction(purpose, vendor) }).toEqual({ id, type });
        else expect({ id, fact, value: plain(tc, fact, expected) }).toEqual({ id, fact, value: expected });
      }
    }
  });

  it('name no fact that is neither exposed nor listed as not exposed', () => {
    const known = [
      ...NOT_EXPOSED,
      ...Object.keys(QUESTIONS),
      ...Object.keys({ ...decoded(write({})) }),
      'restrictions',
    ];
    const named = new Set(valid.flatMap(({ expect: facts }) => Object.keys(facts)));
    expect([...named].filter((fact) => !known.includes(fact))).toEqual([]);
  });

  it('are refused where they are malformed', () => {
    expect(malformed.length).toBeGreaterThan(0);
    expect(malformed.filter(({ string }) => reasonOf(string) === 'decoded')).toEqual([]);
  });
});

function answers(tc: TcString, question: (tc: TcString, id: number) => boolean, expected: IdSet): IdSet {
  return {
    ...(expected.exact && { exact: EVERY_ID.filter((id) => question(tc, id)) }),
    ...(expected.has && { has: expected.has.filter((id) => question(tc, id)) }),
    ...(expected.hasNot && { hasNot: expected.hasNot.filter((id) => !question(tc, id)) }),
  };
}

/** Times stand as ISO texts in the vectors, in whole seconds where their test says no more. */
function plain(tc: TcString, fact: string, expected: unknown): unknown {
  const value = (tc as unknown as Record<string, unknown>)[fact];
  if (fact !== 'created' && fact !== 'lastUpdated') return value;
  return `${new Date(value as number).toISOString().slice(0, String(expected).includes('.') ? 23 : 19)}Z`;
}
