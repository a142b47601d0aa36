import { BitCursor } from './bit-cursor.ts';
import {
  hasVendor,
  inRanges,
  MAX_VENDOR_ID,
  readRanges,
  readVendorSet,
  type VendorFault,
  type VendorRanges,
  type VendorSet,
} from './tcf-vendors.ts';

/**
 * The longest TC string that is looked at, in characters. Half of those on the web have fewer than 540; the request line
 * and the headers share 10,240 bytes at the HTTP API.
 */
export const MAX_TC_LENGTH = 4_096;

/** Why a text is no TC string that a decision may rest on: the first fault that was met. */
export type TcError = 'empty' | 'too_long' | 'foreign_character' | 'truncated' | Fault;

type Fault =
  | VendorFault
  | 'core_missing'
  | 'core_not_first'
  | 'version_1'
  | 'version_unknown'
  | 'segment_empty'
  | 'segment_unknown'
  | 'segment_duplicate'
  | 'letter_unknown'
  | 'vendor_list_zero'
  | 'restriction_unknown'
  | 'trailing_garbage';

/** What a publisher says of a purpose for some vendors: not at all, with consent only, as legitimate interest only. */
export const RESTRICTION = { notAllowed: 0, requireConsent: 1, requireLegitimateInterest: 2 } as const;
export type Restriction = (typeof RESTRICTION)[keyof typeof RESTRICTION];

/** Purposes and special features that a string has a bit for. */
const PURPOSES = 24;
const SPECIAL_FEATURES = 12;

/** Values of the field SegmentType; the core begins with its version instead, whose first three bits are 0. */
const CORE = 0;
const DISCLOSED_VENDORS = 1;
const ALLOWED_VENDORS = 2;
const PUBLISHER_TC = 3;

/** Encoders fill up to whole bytes or groups of 24 bits; examples in the specification carry 57 zeros. */
const MAX_PADDING = 63;

type Cursor = BitCursor<Fault>;

/** A publisher restriction: a purpose, a type, and the vendors that it is about. */
type RestrictionEntry = { purpose: number; type: Restriction; vendors: VendorRanges };

/** What a TC string states, as it states it: age, dates, scope and disclosure are for `tcfBasis` to judge. */
export class TcString {
  readonly version: number;
  /** Milliseconds since 1970; a string counts tenths of a second. */
  readonly created: number;
  readonly lastUpdated: number;
  readonly cmpId: number;
  readonly cmpVersion: number;
  readonly consentScreen: number;
  /** ISO 639-1, in capitals. */
  readonly consentLanguage: string;
  readonly vendorListVersion: number;
  readonly policyVersion: number;
  readonly isServiceSpecific: boolean;
  readonly useNonStandardTexts: boolean;
  readonly purposeOneTreatment: boolean;
  /** ISO 3166-1 alpha-2. */
  readonly publisherCC: string;
  readonly hasDisclosedVendors: boolean;

  readonly #specialFeatureOptIns: number;
  readonly #purposeConsents: number;
  readonly #purposeLegitimateInterests: number;
  readonly #vendorConsents: VendorSet;
  readonly #vendorLegitimateInterests: VendorSet;
  readonly #restrictions: readonly RestrictionEntry[];
  readonly #disclosedVendors: VendorSet | undefined;
  readonly #publisherConsents: number;

  /** For `decodeTcString` alone: reads the text that the cursor holds. It is no TC string where the cursor has a fault. */
  constructor(cursor: Cursor, text: string) {
    const coreEnd = segmentEnd(text, 0);
    cursor.open(0, coreEnd);
    this.version = cursor.read(6);
    this.created = readTime(cursor);
    this.lastUpdated = readTime(cursor);
    this.cmpId = cursor.read(12);
    this.cmpVersion = cursor.read(12);
    this.consentScreen = cursor.read(6);
    this.consentLanguage = readLetters(cursor);
    this.vendorListVersion = cursor.read(12);
    if (this.vendorListVersion === 0) cursor.fail('vendor_list_zero');
    this.policyVersion = cursor.read(6);
    this.isServiceSpecific = cursor.read(1) === 1;
    this.useNonStandardTexts = cursor.read(1) === 1;
    this.#specialFeatureOptIns = cursor.read(SPECIAL_FEATURES);
    this.#purposeConsents = readPurposes(cursor);
    this.#purposeLegitimateInterests = readPurposes(cursor);
    this.purposeOneTreatment = cursor.read(1) === 1;
    this.publisherCC = readLetters(cursor);
    this.#vendorConsents = readVendorSet(cursor, text);
    this.#vendorLegitimateInterests = readVendorSet(cursor, text);
    this.#restrictions = readRestrictions(cursor);
    if (!cursor.isPadding(MAX_PADDING)) cursor.fail('trailing_garbage');

    let seen = 1 << CORE;
    let disclosed: VendorSet | undefined;
    let publisherConsents = 0;
    for (let end = coreEnd; end < text.length && cursor.fault === undefined; ) {
      const from = end + 1;
      end = segmentEnd(text, from);
      if (from === end) {
        cursor.fail('segment_empty');
        break;
      }
      cursor.open(from, end);
      const type = cursor.read(3);
      if (seen & (1 << type)) cursor.fail('segment_duplicate');
      seen |= 1 << type;
      if (type === DISCLOSED_VENDORS) disclosed = readVendorSet(cursor, text);
      // Out-of-band legal bases have ended: the segment has to be sound and says nothing.
      else if (type === ALLOWED_VENDORS) readVendorSet(cursor, text);
      else if (type === PUBLISHER_TC) publisherConsents = readPublisherTc(cursor);
      else cursor.fail('segment_unknown');
      if (!cursor.isPadding(MAX_PADDING)) cursor.fail('trailing_garbage');
    }
    this.#disclosedVendors = disclosed;
    this.hasDisclosedVendors = disclosed !== undefined;
    this.#publisherConsents = publisherConsents;
  }

  purposeConsent(purpose: number): boolean {
    return hasBit(this.#purposeConsents, PURPOSES, purpose);
  }

  purposeLegitimateInterest(purpose: number): boolean {
    return hasBit(this.#purposeLegitimateInterests, PURPOSES, purpose);
  }

  specialFeatureOptIn(feature: number): boolean {
    return hasBit(this.#specialFeatureOptIns, SPECIAL_FEATURES, feature);
  }

  vendorConsent(vendor: number): boolean {
    return hasVendor(this.#vendorConsents, vendor);
  }

  vendorLegitimateInterest(vendor: number): boolean {
    return hasVendor(this.#vendorLegitimateInterests, vendor);
  }

  /** False, too, where there is no segment DisclosedVendors. */
  vendorDisclosed(vendor: number): boolean {
    return this.#disclosedVendors !== undefined && hasVendor(this.#disclosedVendors, vendor);
  }

  /** The restriction of a purpose for a vendor; where several apply, the lowest type: "not allowed" beats the others. */
  publisherRestriction(purpose: number, vendor: number): Restriction | undefined {
    let lowest: Restriction | undefined;
    for (const restriction of this.#restrictions)
      if (
        restriction.purpose === purpose &&
        (lowest === undefined || restriction.type < lowest) &&
        inRanges(restriction.vendors, vendor)
      )
        lowest = restriction.type;
    return lowest;
  }

  /** The publisher's own consent; false, too, where there is no segment PublisherTC. */
  publisherConsent(purpose: number): boolean {
    return hasBit(this.#publisherConsents, PURPOSES, purpose);
  }
}

const CURSOR: Cursor = new BitCursor(MAX_TC_LENGTH);

/**
 * Decodes a TC string of version 2 (IAB Tech Lab, "Consent string and vendor list formats v2"). Never throws. Time and
 * memory are linear in the length, which is bounded: no range is expanded. Segments after the core come in any order.
 */
export function decodeTcString(value: string): { ok: true; tc: TcString } | { ok: false; reason: TcError } {
  if (value.length === 0) return { ok: false, reason: 'empty' };
  if (value.length > MAX_TC_LENGTH) return { ok: false, reason: 'too_long' };
  if (!CURSOR.load(value)) return { ok: false, reason: 'foreign_character' };
  const reason = coreFault(value);
  if (reason !== undefined) return { ok: false, reason };
  const tc = new TcString(CURSOR, value);
  return CURSOR.fault === undefined ? { ok: true, tc } : { ok: false, reason: CURSOR.fault };
}

/** What the first character tells: where the core is elsewhere or of another version, nothing can be read in its place. */
function coreFault(value: string): Fault | undefined {
  switch (value.charAt(0)) {
    case 'C':
      return undefined;
    case 'B':
      return 'version_1';
    case '.':
      return 'segment_empty';
  }
  if (isCore(value)) return 'version_unknown';
  return value.split('.').slice(1).some(isCore) ? 'core_not_first' : 'core_missing';
}

const isCore = (segment: string): boolean => /^[A-H]/.test(segment);

function segmentEnd(text: string, from: number): number {
  const dot = text.indexOf('.', from);
  return dot < 0 ? text.length : dot;
}

const hasBit = (field: number, width: number, id: number): boolean =>
  id >= 1 && id <= width && ((field >> (width - id)) & 1) === 1;

/** Tenths of a second in 36 bits, as milliseconds. */
const readTime = (cursor: Cursor): number => (cursor.read(18) * 2 ** 18 + cursor.read(18)) * 100;

const readPurposes = (cursor: Cursor): number => (cursor.read(12) << 12) | cursor.read(12);

const ALPHABET = 26;
const CAPITAL_A = 65;

/** Two letters of six bits each. */
function readLetters(cursor: Cursor): string {
  const first = cursor.read(6);
  const second = cursor.read(6);
  if (first >= ALPHABET || second >= ALPHABET) cursor.fail('letter_unknown');
  return String.fromCharCode(CAPITAL_A + first, CAPITAL_A + second);
}

const NO_RESTRICTIONS: readonly RestrictionEntry[] = [];

function readRestrictions(cursor: Cursor): readonly RestrictionEntry[] {
  const count = cursor.read(12);
  if (count === 0) return NO_RESTRICTIONS;
  const restrictions: RestrictionEntry[] = [];
  for (let i = 0; i < count && cursor.fault === undefined; i++) {
    const purpose = cursor.read(6);
    const type = cursor.read(2);
    if (purpose === 0 || type > RESTRICTION.requireLegitimateInterest) cursor.fail('restriction_unknown');
    restrictions.push({ purpose, type: type as Restriction, vendors: readRanges(cursor, MAX_VENDOR_ID) });
  }
  return restrictions;
}

/** Reads the publisher's consents; its legitimate interests and custom purposes have to be there and are not kept. */
function readPublisherTc(cursor: Cursor): number {
  const consents = readPurposes(cursor);
  cursor.skip(PURPOSES);
  const customPurposes = cursor.read(6);
  cursor.skip(2 * customPurposes);
  return consents;
}
