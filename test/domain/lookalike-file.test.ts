import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { lookalikeFaults, parseLookalike } from '../../domain/lookalike-file.ts';
import { specialCategoryFinder } from '../../domain/special-categories.ts';
import type { JudgedSegment } from '../../domain/special-segments.ts';
import { parseSegment } from '../../domain/sql-file.ts';

const SQL = join(import.meta.dirname, '..', '..', 'sql');
const FILE = 'lookalikes/like_fans.sql';

const HEADER = {
  'name.de': 'Wie Fans',
  'name.en': 'Like fans',
  'description.de': 'Verhält sich wie Fans.',
  'description.en': 'Behaves like fans.',
  seed: 'fans',
  share: '2.5 %',
  purpose: 'profile',
  exclude: 'buyers, lapsed',
  'defined.events': 'Order Completed, Order Refunded',
  'defined.products': 'p-1, p-2',
  'defined.categories': 'Care/Face',
  refresh: '6 hours',
  lifetime: '14 days',
  destinations: 'crm',
};

type Change = Partial<Record<string, string | undefined>>;

const text = (change: Change = {}): string =>
  Object.entries({ ...HEADER, ...change })
    .flatMap(([key, value]) => (value === undefined ? [] : `-- ${key}: ${value}\n`))
    .join('');

const parse = (change: Change = {}) => parseLookalike(FILE, text(change));

const segment = (id: string, over: Partial<JudgedSegment> = {}): JudgedSegment => ({
  id,
  sql: 'SELECT profile_id FROM profile_events',
  name: { de: 'Treue', en: 'Loyal' },
  description: { de: 'Kauft oft.', en: 'Buys often.' },
  purpose: 'profile',
  destinations: [],
  ...over,
});

describe('parseLookalike', () => {
  it('reads every key', () => {
    expect(parse()).toEqual({
      id: 'like_fans',
      file: FILE,
      lines: Object.fromEntries(Object.keys(HEADER).map((key, i) => [key, i + 1])),
      name: { de: 'Wie Fans', en: 'Like fans' },
      description: { de: 'Verhält sich wie Fans.', en: 'Behaves like fans.' },
      seed: 'fans',
      audience: { share: 0.025 },
      purpose: 'profile',
      exclude: ['buyers', 'lapsed'],
      definedBy: {
        events: ['Order Completed', 'Order Refunded'],
        products: ['p-1', 'p-2'],
        categories: ['Care/Face'],
      },
      refreshSeconds: 21_600,
      lifetimeDays: 14,
      destinations: ['crm'],
    });
  });

  it('takes a size, and needs neither exclusions, products, categories nor destinations', () => {
    const change = { share: undefined, size: '20000', exclude: undefined, destinations: undefined, refresh: undefined };
    const lookalike = parse({ ...change, 'defined.products': undefined, 'defined.categories': undefined });
    expect(lookalike.audience).toEqual({ size: 20_000 });
    expect(lookalike).toMatchObject({ exclude: [], destinations: [], refreshSeconds: 86_400 });
    expect(lookalike.definedBy).toMatchObject({ products: [], categories: [] });
  });

  it.each<[string, Change, string]>([
    ['a key that is missing', { seed: undefined }, `${FILE}:1: seed: is missing`],
    ['a key that it does not know', { seeds: 'fans' }, `${FILE}:15: seeds: is not a key of this header`],
    ['a seed that is no id', { seed: 'Fans!' }, `${FILE}:5: seed: must be the id of a segment`],
    ['a share that is none', { share: '5' }, `${FILE}:6: share: must be a share of the profiles, such as "5 %"`],
    ['a share of nothing', { share: '0 %' }, `${FILE}:6: share: must be more than 0 %`],
    ['a share of most', { share: '51 %' }, `${FILE}:6: share: must be 50 % at most`],
    ['a share and a size', { size: '100' }, `${FILE}:6: share: must be given, or else size, and not both`],
    ['neither', { share: undefined }, `${FILE}:1: share: must be given, or else size, and not both`],
    ['no events', { 'defined.events': undefined }, `${FILE}:1: defined.events: is missing`],
    ['an empty list of events', { 'defined.events': '' }, `${FILE}:9: defined.events: must name the events`],
    ['a lifetime without its unit', { lifetime: '14' }, `${FILE}:13: lifetime: must be a number of days`],
    ['a refresh that is none', { refresh: 'often' }, `${FILE}:12: refresh: must be how old the audience may get`],
    ['a refresh after its end', { refresh: '14 days' }, `${FILE}:12: refresh: must be shorter than the lifetime`],
    ['a purpose of its own', { purpose: 'sales' }, `${FILE}:7: purpose: `],
  ])('refuses %s, with its place', (_, change, message) => {
    expect(() => parse(change)).toThrow(message);
  });

  it('tells every error at once', () => {
    expect(() => parse({ seed: undefined, lifetime: '14' })).toThrow(
      new RegExp(`^${FILE}:1: seed: is missing\n${FILE}:12: lifetime: must`),
    );
  });

  it('refuses a statement, a line that is no key, a key twice and a name that is no id', () => {
    expect(() => parseLookalike(FILE, `${text()}\nSELECT 1`)).toThrow(`${FILE}:16: a lookalike has no statement`);
    expect(() => parseLookalike(FILE, `${text()}-- and more`)).toThrow(`${FILE}:15: a header line is "-- key: value"`);
    expect(() => parseLookalike(FILE, `${text()}-- seed: other`)).toThrow(`${FILE}:15: seed: appears twice`);
    expect(() => parseLookalike('lookalikes/Like.sql', text())).toThrow('is named by its id');
  });

  it("reads the brand's own", () => {
    const file = 'lookalikes/like_buyers_30d.sql';
    const lookalike = parseLookalike(file, readFileSync(join(SQL, file), 'utf8'));
    const seed = `segments/${lookalike.seed}.sql`;
    const segments = [parseSegment(seed, readFileSync(join(SQL, seed), 'utf8'))];
    expect(lookalikeFaults(lookalike, segments, specialCategoryFinder())).toEqual([]);
    for (const event of lookalike.definedBy.events) expect(segments[0]?.sql).toContain(`'${event}'`);
  });
});

describe('lookalikeFaults', () => {
  const find = specialCategoryFinder(['Kupferhaut']);
  const others = [segment('buyers'), segment('lapsed')];
  const refusals = (change: Change, ...segments: JudgedSegment[]) =>
    lookalikeFaults(parse(change), [...others, ...segments], find);

  it('lets a lookalike of a plain segment be', () => expect(refusals({}, segment('fans'))).toEqual([]));

  it.each<[string, Partial<JudgedSegment>]>([
    ['its header', { specialCategory: 'health' }],
    ['its words', { description: { de: 'Kauft gegen Akne.', en: 'Buys.' } }],
    ['its rule', { sql: "SELECT profile_id FROM profile_events WHERE category = 'Kupferhautpflege'" }],
  ])('refuses a seed that tells of a special category by %s', (_, over) => {
    expect(refusals({}, segment('fans', over))).toEqual([
      `${FILE}:5: seed: segment "fans" tells of a special category (GDPR Art. 9) and is never a seed`,
    ]);
  });

  it.each([
    ['name.de', 'Schwangerschaft'],
    ['name.en', 'Pregnancy'],
    ['description.en', 'For a hijab.'],
    ['defined.products', 'p-1, anti-acne-gel'],
    ['defined.categories', 'Care/Psoriasis'],
  ])('refuses a lookalike that tells of one by its %s', (key, value) => {
    expect(refusals({ [key]: value }, segment('fans'))).toEqual([
      expect.stringMatching(
        new RegExp(`^${FILE}:\\d+: ${key}: "[a-z ]+" tells of (health|religion) \\(GDPR Art\\. 9\\)$`),
      ),
    ]);
  });

  it('refuses segments that are not there, and the name of one that is', () => {
    expect(refusals({ exclude: 'buyers, gone' }, segment('like_fans'))).toEqual([
      `${FILE}:1: id: there is a segment "like_fans"; give the file another name`,
      `${FILE}:5: seed: there is no segment "fans"`,
      `${FILE}:8: exclude: there is no segment "gone"`,
    ]);
  });
});
