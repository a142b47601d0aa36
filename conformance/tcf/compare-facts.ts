import { PurposeRestriction, TCModel, TCString, type Vector } from '@iabtechlabtcf/core';
import { decodeTcString, type TcString } from '../../domain/tcf.ts';

/** The last ids that are asked about: one more than a string has bits for, and every purpose that a restriction can name. */
const PURPOSES = 63;
const SPECIAL_FEATURES = 13;

/**
 * The facts of a string on which the decoder and the oracle differ, each with both answers; none where they agree, also
 * where both refuse the string. Vendors are asked about one by one up to two beyond the highest that either names.
 */
export function differences(value: string): string[] {
  const decoded = decodeTcString(value);
  const oracle = oracleReads(value);
  if (!decoded.ok) return oracle === undefined ? [] : [`the decoder refuses (${decoded.reason}), the oracle reads`];
  if (oracle === undefined) return ['the decoder reads, the oracle refuses'];
  const found: string[] = [];
  compareFields(decoded.tc, oracle, value, found);
  compareSets(decoded.tc, oracle, found);
  compareRestrictions(decoded.tc, oracle, found);
  return found;
}

function oracleReads(value: string): TCModel | undefined {
  try {
    return TCString.decode(value, new TCModel());
  } catch {
    return undefined;
  }
}

const differ = (fact: string, own: unknown, other: unknown): string => `${fact}: ${own}, the oracle ${other}`;

function compareFields(tc: TcString, oracle: TCModel, value: string, found: string[]): void {
  const fields: [name: string, own: unknown, oracle: unknown][] = [
    ['version', tc.version, oracle.version],
    ['created', tc.created, oracle.created.getTime()],
    ['lastUpdated', tc.lastUpdated, oracle.lastUpdated.getTime()],
    ['cmpId', tc.cmpId, oracle.cmpId],
    ['cmpVersion', tc.cmpVersion, oracle.cmpVersion],
    ['consentScreen', tc.consentScreen, oracle.consentScreen],
    ['consentLanguage', tc.consentLanguage, oracle.consentLanguage],
    ['vendorListVersion', tc.vendorListVersion, oracle.vendorListVersion],
    ['policyVersion', tc.policyVersion, oracle.policyVersion],
    ['isServiceSpecific', tc.isServiceSpecific, oracle.isServiceSpecific],
    ['useNonStandardTexts', tc.useNonStandardTexts, oracle.useNonStandardTexts],
    ['purposeOneTreatment', tc.purposeOneTreatment, oracle.purposeOneTreatment],
    ['publisherCC', tc.publisherCC, oracle.publisherCountryCode],
    // The oracle does not tell an absent segment from an empty one; the first character of a segment has its type.
    ['hasDisclosedVendors', tc.hasDisclosedVendors, /\.[I-P]/.test(value)],
  ];
  for (const [name, own, other] of fields) if (own !== other) found.push(differ(name, own, other));
}

function compareSets(tc: TcString, oracle: TCModel, found: string[]): void {
  const { vendorConsents, vendorLegitimateInterests, vendorsDisclosed } = oracle;
  const vendors = 2 + Math.max(vendorConsents.maxId, vendorLegitimateInterests.maxId, vendorsDisclosed.maxId);
  const sets: [name: string, own: (id: number) => boolean, oracle: Vector, ids: number][] = [
    ['purposeConsent', (id) => tc.purposeConsent(id), oracle.purposeConsents, PURPOSES],
    [
      'purposeLegitimateInterest',
      (id) => tc.purposeLegitimateInterest(id),
      oracle.purposeLegitimateInterests,
      PURPOSES,
    ],
    ['publisherConsent', (id) => tc.publisherConsent(id), oracle.publisherConsents, PURPOSES],
    ['specialFeatureOptIn', (id) => tc.specialFeatureOptIn(id), oracle.specialFeatureOptins, SPECIAL_FEATURES],
    ['vendorConsent', (id) => tc.vendorConsent(id), vendorConsents, vendors],
    ['vendorLegitimateInterest', (id) => tc.vendorLegitimateInterest(id), vendorLegitimateInterests, vendors],
    ['vendorDisclosed', (id) => tc.vendorDisclosed(id), vendorsDisclosed, vendors],
  ];
  for (const [name, own, other, ids] of sets)
    for (let id = 0; id <= ids; id++)
      if (own(id) !== other.has(id)) found.push(differ(`${name}(${id})`, own(id), other.has(id)));
}

/** Each purpose for the vendors at the edges of every restriction: whoever lies between two of them fares like both. */
function compareRestrictions(tc: TcString, { publisherRestrictions }: TCModel, found: string[]): void {
  const restrictions = publisherRestrictions.getRestrictions().map(({ purposeId, restrictionType }) => {
    const vendors = publisherRestrictions.getVendors(new PurposeRestriction(purposeId, restrictionType));
    return { purposeId, restrictionType, vendors, ids: new Set(vendors) };
  });
  const edges = new Set([1, ...restrictions.flatMap(edgesOf)]);
  for (let purpose = 0; purpose <= PURPOSES; purpose++) {
    const ofPurpose = restrictions.filter(({ purposeId }) => purposeId === purpose);
    for (const vendor of edges) {
      let lowest: number | undefined;
      for (const { restrictionType, ids } of ofPurpose)
        if (ids.has(vendor)) lowest = Math.min(lowest ?? restrictionType, restrictionType);
      const own = tc.publisherRestriction(purpose, vendor);
      if (own !== lowest) found.push(differ(`publisherRestriction(${purpose}, ${vendor})`, own, lowest));
    }
  }
}

function edgesOf({ vendors, ids }: { vendors: readonly number[]; ids: ReadonlySet<number> }): number[] {
  const edges: number[] = [];
  for (const id of vendors) {
    if (!ids.has(id - 1)) edges.push(id - 1, id);
    if (!ids.has(id + 1)) edges.push(id, id + 1);
  }
  return edges;
}
