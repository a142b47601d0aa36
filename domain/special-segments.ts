import type { Purpose } from './purposes.ts';
import type { SpecialCategory, SpecialCategoryFinder } from './special-categories.ts';

/** What the rules below need to know of a segment; `specialCategory` is what its own header declares. */
export type JudgedSegment = {
  id: string;
  name: { de: string; en: string };
  description: { de: string; en: string };
  sql: string;
  purpose: Purpose;
  destinations: readonly string[];
  specialCategory?: SpecialCategory | undefined;
};

/** Where a segment tells of a special category: in which part of its file, and with which words. */
type Told = { part: string; category: SpecialCategory; term: string };

/**
 * True for a segment that tells of what GDPR Art. 9 protects, by its header or by its words. Such a segment is never
 * activated and never the seed of a lookalike, whatever was consented to (DSA Art. 26(3)).
 */
export const isSpecialSegment = (segment: JudgedSegment, find: SpecialCategoryFinder): boolean =>
  segment.specialCategory !== undefined || toldBy(segment, find) !== undefined;

/**
 * The rules that a segment breaks, each with the part of its file; empty where it may be built. One that tells of a special
 * category needs a header that says so, a purpose under which the explicit consent of Art. 9(2)(a) is asked for, and no
 * destination.
 */
export function specialSegmentRefusals(
  segment: JudgedSegment,
  find: SpecialCategoryFinder,
  explicitConsentPurpose: Purpose | undefined,
): string[] {
  const told = toldBy(segment, find);
  const category = segment.specialCategory ?? told?.category;
  if (category === undefined) return [];
  if (explicitConsentPurpose === undefined)
    return [
      `${told ? `${told.part}: "${told.term}" tells` : 'special.category: tells'} of ${category} (GDPR Art. 9), and no ` +
        'specialCategories.explicitConsentPurpose is configured',
    ];
  const refusals: string[] = [];
  if (segment.specialCategory === undefined && told)
    refusals.push(`special.category: is missing: ${told.part} tells of ${category} with "${told.term}"`);
  if (segment.purpose !== explicitConsentPurpose)
    refusals.push(`purpose: must be "${explicitConsentPurpose}" for a segment that tells of ${category}`);
  if (segment.destinations.length > 0)
    refusals.push(`destinations: a segment that tells of ${category} is never activated`);
  return refusals;
}

function toldBy(segment: JudgedSegment, find: SpecialCategoryFinder): Told | undefined {
  const parts: [string, string][] = [
    ['id', segment.id],
    ['name.de', segment.name.de],
    ['name.en', segment.name.en],
    ['description.de', segment.description.de],
    ['description.en', segment.description.en],
    ['sql', segment.sql],
  ];
  for (const [part, text] of parts) {
    const found = find(text);
    if (found) return { part, ...found };
  }
  return undefined;
}
