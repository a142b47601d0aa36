import { type GVL, PurposeRestriction, Segment, SegmentEncoder, TCModel, type Vector } from '@iabtechlabtcf/core';

/** The Global Vendor List has about a thousand vendors under ids that reach further, since no id is used again. */
const HIGHEST_VENDOR_ID = 1_450;
const LISTED = 0.7;

/** Lengths that TC strings on the web have, in characters. */
const SHORTEST = 100;
const LONGEST = 800;

const DAY_MS = 86_400_000;
/** Strings were last updated in the thirteen months up to the end of November 2026. */
const LATEST = Date.UTC(2026, 10, 30);
const OLDEST_DAYS = 395;

const LANGUAGES = ['DE', 'EN', 'FR', 'ES', 'IT', 'PL', 'NL'];
const COUNTRIES = ['DE', 'AT', 'FR', 'ES', 'IT', 'PL', 'NL', 'AA'];
const PURPOSES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const FLEXIBLE_PURPOSES = [2, 7, 8, 9, 10, 11];

/**
 * TC strings of 100 to 800 characters that the oracle wrote: bit fields and ranges, publisher restrictions, every segment.
 * Its `TCString.encode` copies a whole vendor list for each string, so its encoder of segments is called instead.
 */
export function encodedStrings(random: () => number, count: number): string[] {
  const listed = Array.from({ length: HIGHEST_VENDOR_ID }, (_, i) => i + 1).filter(() => random() < LISTED);
  return Array.from({ length: count }, () => {
    for (;;) {
      const value = encode(modelOf(random, listed), random);
      if (value.length >= SHORTEST && value.length <= LONGEST) return value;
    }
  });
}

/** The core, and of the other segments those that a string of TCF 2.3, an older one or one of a global scope has. */
function encode(model: TCModel, random: () => number): string {
  const segments = [Segment.CORE];
  if (random() < 0.8) segments.push(Segment.VENDORS_DISCLOSED);
  if (random() < 0.1) segments.push(Segment.VENDORS_ALLOWED);
  if (random() < 0.6) segments.push(Segment.PUBLISHER_TC);
  return segments.map((segment) => SegmentEncoder.encode(model, segment)).join('.');
}

function modelOf(random: () => number, listed: readonly number[]): TCModel {
  const model = new TCModel();
  const whole = (below: number) => Math.floor(random() * below);
  const pick = <T>(values: readonly T[]): T => values[whole(values.length)] as T;
  const some = (vector: Vector, ids: readonly number[], share: number) => {
    for (const id of ids) if (random() < share) vector.set(id);
  };

  const lastUpdated = LATEST - whole(OLDEST_DAYS) * DAY_MS;
  model.lastUpdated = new Date(lastUpdated);
  model.created = new Date(lastUpdated - whole(100) * DAY_MS);
  model.cmpId = 2 + whole(450);
  model.cmpVersion = whole(300);
  model.consentScreen = whole(4);
  model.consentLanguage = pick(LANGUAGES);
  model.publisherCountryCode = pick(COUNTRIES);
  model.vendorListVersion = 1 + whole(400);
  model.policyVersion = 2 + whole(4);
  model.isServiceSpecific = random() < 0.95;
  model.useNonStandardTexts = random() < 0.2;
  model.purposeOneTreatment = random() < 0.05;
  some(model.specialFeatureOptins, [1, 2], 0.5);
  some(model.purposeConsents, PURPOSES, 0.8);
  some(model.purposeLegitimateInterests, FLEXIBLE_PURPOSES, 0.7);

  // A page discloses all vendors or the few that it works with; a person accepts none, some or all of them.
  const disclosed = random() < 0.4 ? listed : listed.slice(0, whole(listed.length)).filter(() => random() < 0.08);
  some(model.vendorConsents, disclosed, pick([0.02, 0.5, 0.95, 1]));
  some(model.vendorLegitimateInterests, disclosed, pick([0, 0.02, 0.3]));
  some(model.vendorsDisclosed, disclosed, 1);
  some(model.vendorsAllowed, disclosed, 0.2);
  some(model.publisherConsents, PURPOSES, 0.8);
  some(model.publisherLegitimateInterests, PURPOSES, 0.3);
  model.numCustomPurposes = random() < 0.3 ? whole(8) : 0;
  some(model.publisherCustomConsents, [1, 2, 3].slice(0, model.numCustomPurposes), 0.5);

  // All that the oracle asks of a vendor list here is which ids exist: its ranges bridge those that do not.
  model.publisherRestrictions.gvl = { vendorIds: new Set(listed) } as unknown as GVL;
  const restrictions = random() < 0.4 ? 1 + whole(8) : 0;
  for (let i = 0; i < restrictions; i++) {
    const restriction = new PurposeRestriction(pick(PURPOSES), whole(3));
    const share = pick([0.01, 0.1, 1]);
    const highest = pick([30, 300, HIGHEST_VENDOR_ID]);
    for (const id of disclosed) if (id <= highest && random() < share) model.publisherRestrictions.add(id, restriction);
  }
  return model;
}
