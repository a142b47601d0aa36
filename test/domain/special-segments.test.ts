import { describe, expect, it } from '@jest/globals';
import { specialCategoryFinder } from '../../domain/special-categories.ts';
import { isSpecialSegment, type JudgedSegment, specialSegmentRefusals } from '../../domain/special-segments.ts';

const find = specialCategoryFinder(['Kupferhaut']);

const plain: JudgedSegment = {
  id: 'loyal',
  name: { de: 'Treue', en: 'Loyal' },
  description: { de: 'Kauft oft.', en: 'Buys often.' },
  sql: "SELECT profile_id FROM profile_events WHERE category = 'Care/Face'",
  purpose: 'profile',
  destinations: ['crm'],
};

const told: [string, Partial<JudgedSegment>][] = [
  ['id', { id: 'akne_kaeufer' }],
  ['name.de', { name: { de: 'Neurodermitispflege', en: 'Care' } }],
  ['name.en', { name: { de: 'Pflege', en: 'Pregnancy' } }],
  ['description.de', { description: { de: 'Für die Wechseljahre.', en: 'For some.' } }],
  ['description.en', { description: { de: 'Für manche.', en: 'Against hair loss.' } }],
  ['sql', { sql: "SELECT profile_id FROM profile_events WHERE category LIKE '%allergi%'" }],
  ['name.de', { name: { de: 'Kupferhautpflege', en: 'Care' } }],
];

describe('a segment of a special category', () => {
  it.each(told)('is refused by its %s where no explicit consent is configured', (part, change) => {
    const segment = { ...plain, ...change };
    expect(specialSegmentRefusals(segment, find, undefined)).toEqual([
      expect.stringMatching(new RegExp(`^${part}: "[a-z ]+" tells of (health|configured) \\(GDPR Art\\. 9\\)`)),
    ]);
    expect(isSpecialSegment(segment, find)).toBe(true);
  });

  it('is refused by its header alone, under whatever name', () => {
    const segment: JudgedSegment = { ...plain, specialCategory: 'health' };
    expect(specialSegmentRefusals(segment, find, undefined)).toEqual([
      expect.stringMatching(/^special\.category: tells of health/),
    ]);
    expect(isSpecialSegment(segment, find)).toBe(true);
  });

  it.each(told)('with %s needs header, purpose and no destination where it is configured', (part, change) => {
    const [header, purpose, destinations] = specialSegmentRefusals({ ...plain, ...change }, find, 'personalisation');
    expect(header).toMatch(new RegExp(`^special\\.category: is missing: ${part} tells of`));
    expect(purpose).toMatch(/^purpose: must be "personalisation"/);
    expect(destinations).toMatch(/^destinations: .*never activated$/);
  });

  it('may be built with all three, and still is no seed and never activated', () => {
    const segment: JudgedSegment = {
      ...plain,
      id: 'akne',
      specialCategory: 'health',
      purpose: 'personalisation',
      destinations: [],
    };
    expect(specialSegmentRefusals(segment, find, 'personalisation')).toEqual([]);
    expect(isSpecialSegment(segment, find)).toBe(true);
  });
});

describe('a segment of none', () => {
  it('may be built whatever is configured', () => {
    expect(specialSegmentRefusals(plain, find, undefined)).toEqual([]);
    expect(specialSegmentRefusals(plain, find, 'profile')).toEqual([]);
    expect(isSpecialSegment(plain, find)).toBe(false);
  });
});
