import { BitText } from './bit-text.ts';

/** Vendors as an encoder may put them: a bit for each up to the highest, or entries of first and last id in any order. */
export type WrittenVendors = { maxId: number } & ({ ids: readonly number[] } | { entries: readonly Entry[] });
export type Entry = readonly [first: number, last: number];

/** A TC string field by field, in the order and with the units of the specification. */
export type WrittenString = {
  version: number;
  /** Tenths of a second since 1970. */
  created: number;
  lastUpdated: number;
  cmpId: number;
  cmpVersion: number;
  consentScreen: number;
  /** Two letters; A is 0. */
  consentLanguage: string;
  vendorListVersion: number;
  policyVersion: number;
  isServiceSpecific: boolean;
  useNonStandardTexts: boolean;
  specialFeatureOptIns: readonly number[];
  purposeConsents: readonly number[];
  purposeLegitimateInterests: readonly number[];
  purposeOneTreatment: boolean;
  publisherCC: string;
  vendorConsents: WrittenVendors;
  vendorLegitimateInterests: WrittenVendors;
  restrictions: readonly { purpose: number; type: number; entries: readonly Entry[] }[];
  /** Zeros behind the core. */
  padding: number;
  /** The other segments in their order, as text. */
  segments: readonly string[];
};

/** A string that grants nothing to nobody, to be changed where a case needs it. */
export const BARE: WrittenString = {
  version: 2,
  created: Date.UTC(2026, 9, 1) / 100,
  lastUpdated: Date.UTC(2026, 10, 1) / 100,
  cmpId: 31,
  cmpVersion: 7,
  consentScreen: 1,
  consentLanguage: 'DE',
  vendorListVersion: 120,
  policyVersion: 5,
  isServiceSpecific: true,
  useNonStandardTexts: false,
  specialFeatureOptIns: [],
  purposeConsents: [],
  purposeLegitimateInterests: [],
  purposeOneTreatment: false,
  publisherCC: 'DE',
  vendorConsents: { maxId: 0, ids: [] },
  vendorLegitimateInterests: { maxId: 0, ids: [] },
  restrictions: [],
  padding: 0,
  segments: [],
};

/** Writes the string, whatever its fields say: a faulty one becomes a faulty string. */
export function writeTcString(string: WrittenString): string {
  const core = new BitText()
    .write(string.version, 6)
    .write(string.created, 36)
    .write(string.lastUpdated, 36)
    .write(string.cmpId, 12)
    .write(string.cmpVersion, 12)
    .write(string.consentScreen, 6)
    .bits(letters(string.consentLanguage))
    .write(string.vendorListVersion, 12)
    .write(string.policyVersion, 6)
    .bits(flag(string.isServiceSpecific))
    .bits(flag(string.useNonStandardTexts))
    .bits(field(string.specialFeatureOptIns, 12))
    .bits(field(string.purposeConsents, 24))
    .bits(field(string.purposeLegitimateInterests, 24))
    .bits(flag(string.purposeOneTreatment))
    .bits(letters(string.publisherCC));
  writeVendors(core, string.vendorConsents);
  writeVendors(core, string.vendorLegitimateInterests);
  core.write(string.restrictions.length, 12);
  for (const { purpose, type, entries } of string.restrictions) {
    core.write(purpose, 6).write(type, 2);
    writeEntries(core, entries);
  }
  return [core.text(string.padding), ...string.segments].join('.');
}

/** A segment DisclosedVendors (type 1) or AllowedVendors (2). */
export function writeVendorSegment(type: number, vendors: WrittenVendors, padding = 0): string {
  const segment = new BitText().write(type, 3);
  writeVendors(segment, vendors);
  return segment.text(padding);
}

/** A segment PublisherTC. */
export function writePublisherSegment(
  consents: readonly number[],
  legitimateInterests: readonly number[],
  customPurposes: number,
  padding = 0,
): string {
  return new BitText()
    .write(3, 3)
    .bits(field(consents, 24))
    .bits(field(legitimateInterests, 24))
    .write(customPurposes, 6)
    .bits('10'.repeat(customPurposes))
    .text(padding);
}

/** Strings that the specification allows and the oracle's encoder never writes: forced encodings, any order, any padding. */
export function writtenStrings(random: () => number, count: number): string[] {
  return Array.from({ length: count }, () => writtenString(random));
}

function writtenString(random: () => number): string {
  const whole = (below: number) => Math.floor(random() * below);
  const some = (highest: number) => Array.from({ length: highest }, (_, i) => i + 1).filter(() => random() < 0.5);
  const letter = () => String.fromCharCode(65 + whole(26));
  const entries = (highest: number): Entry[] =>
    Array.from({ length: whole(30) }, () => {
      const first = 1 + whole(highest);
      return [first, random() < 0.5 ? first : Math.min(highest, first + whole(50))];
    });
  const vendors = (): WrittenVendors => {
    const maxId = random() < 0.1 ? whole(2) : 1 + whole(1_500);
    if (random() < 0.5) return { maxId, ids: some(maxId) };
    return { maxId, entries: maxId === 0 ? [] : entries(maxId) };
  };
  const padding = () => whole(58);

  const segments = [
    writeVendorSegment(1, vendors(), padding()),
    writeVendorSegment(2, vendors(), padding()),
    writePublisherSegment(some(24), some(24), whole(64), padding()),
  ]
    .map((segment) => ({ segment, place: random() }))
    .sort((a, b) => a.place - b.place)
    .slice(whole(4))
    .map(({ segment }) => segment);

  return writeTcString({
    version: 2,
    created: whole(2 ** 36),
    lastUpdated: whole(2 ** 36),
    // The oracle takes no CMP below 2.
    cmpId: 2 + whole(4_094),
    cmpVersion: whole(4_096),
    consentScreen: whole(64),
    consentLanguage: letter() + letter(),
    vendorListVersion: 1 + whole(4_095),
    policyVersion: whole(64),
    isServiceSpecific: random() < 0.5,
    useNonStandardTexts: random() < 0.5,
    specialFeatureOptIns: some(12),
    purposeConsents: some(24),
    purposeLegitimateInterests: some(24),
    purposeOneTreatment: random() < 0.5,
    publisherCC: letter() + letter(),
    vendorConsents: vendors(),
    vendorLegitimateInterests: vendors(),
    restrictions: Array.from({ length: random() < 0.5 ? 0 : whole(12) }, () => ({
      purpose: random() < 0.8 ? 1 + whole(11) : 1 + whole(63),
      type: whole(3),
      entries: entries(1_500),
    })),
    padding: padding(),
    segments,
  });
}

const flag = (value: boolean): string => (value ? '1' : '0');

function field(ids: readonly number[], width: number): string {
  const set = new Set(ids);
  return Array.from({ length: width }, (_, i) => flag(set.has(i + 1))).join('');
}

const letters = (text: string): string =>
  Array.from(text, (letter) => (letter.charCodeAt(0) - 65).toString(2).padStart(6, '0')).join('');

function writeVendors(to: BitText, vendors: WrittenVendors): void {
  to.write(vendors.maxId, 16);
  if ('ids' in vendors) {
    to.write(0, 1).bits(field(vendors.ids, vendors.maxId));
  } else {
    to.write(1, 1);
    writeEntries(to, vendors.entries);
  }
}

function writeEntries(to: BitText, entries: readonly Entry[]): void {
  to.write(entries.length, 12);
  for (const [first, last] of entries)
    if (first === last) to.write(0, 1).write(first, 16);
    else to.write(1, 1).write(first, 16).write(last, 16);
}
