import { MAX_DEVICE_RETENTION_DAYS } from './config.ts';
import { DAY_MS } from './profile.ts';
import { RESTRICTION, type TcString } from './tcf.ts';
import { STORE_AND_ACCESS, TCF_CONSENT_ONLY } from './tcf-purposes.ts';

/** The purposes that a vendor is registered for, under the names of the Global Vendor List. */
export type VendorRegistration = {
  /** Purposes for which consent is the default basis. */
  purposes: readonly number[];
  /** Purposes for which legitimate interest is the default basis. */
  legIntPurposes: readonly number[];
  /** Purposes of either list for which a publisher may ask for the other basis. */
  flexiblePurposes: readonly number[];
};

/** Who asks, for which purpose of the framework (1 to 11), and when (milliseconds). `vendorId` is null off the list. */
export type TcfQuestion = {
  vendorId: number | null;
  registration: VendorRegistration;
  purpose: number;
  now: number;
};

/** Why a string gives no basis. */
export type TcfDenial =
  | 'vendor_not_listed'
  | 'future_dated'
  | 'stale'
  | 'not_service_specific'
  | 'disclosed_vendors_missing'
  | 'vendor_not_disclosed'
  | 'purpose_one_not_disclosed'
  | 'purpose_not_registered'
  | 'purpose_not_allowed'
  | 'basis_not_registered'
  | 'legitimate_interest_forbidden'
  | 'purpose_refused'
  | 'vendor_refused';

type Basis = 'consent' | 'legitimate_interest';
export type TcfBasis = Basis | { denied: TcfDenial };

/** From then on a string has to name the vendors that were disclosed (TCF 2.3, whose grace ended on 28 February 2026). */
const DISCLOSURE_REQUIRED_FROM = Date.UTC(2026, 2, 1);

/** The choice has to be asked for again after thirteen months (TCF policies). */
const MAX_AGE_MS = MAX_DEVICE_RETENTION_DAYS * DAY_MS;

/** Strings carry whole days and clocks differ; what lies further ahead was not made by a person's choice. */
const MAX_AHEAD_MS = DAY_MS;

/**
 * The basis on which the vendor may process for the purpose, in the order of the TCF's implementation guidelines: a valid
 * string, a disclosed vendor, the publisher's restriction, the registered basis, and both bits on that basis.
 */
export function tcfBasis(tc: TcString, { vendorId, registration, purpose, now }: TcfQuestion): TcfBasis {
  if (vendorId === null) return { denied: 'vendor_not_listed' };
  const invalid = invalidity(tc, now);
  if (invalid !== undefined) return { denied: invalid };
  if (tc.hasDisclosedVendors && !tc.vendorDisclosed(vendorId)) return { denied: 'vendor_not_disclosed' };
  // The flag says that nobody was asked: in Germany that is no permission, whatever country the publisher names.
  if (purpose === STORE_AND_ACCESS && tc.purposeOneTreatment) return { denied: 'purpose_one_not_disclosed' };

  const basis = applicableBasis(registration, purpose, tc.publisherRestriction(purpose, vendorId));
  if (typeof basis === 'object') return basis;
  if (basis === 'consent') {
    if (!tc.purposeConsent(purpose)) return { denied: 'purpose_refused' };
    if (!tc.vendorConsent(vendorId)) return { denied: 'vendor_refused' };
    return basis;
  }
  if (TCF_CONSENT_ONLY.includes(purpose)) return { denied: 'legitimate_interest_forbidden' };
  if (!tc.purposeLegitimateInterest(purpose)) return { denied: 'purpose_refused' };
  if (!tc.vendorLegitimateInterest(vendorId)) return { denied: 'vendor_refused' };
  return basis;
}

/** What makes a string void for every vendor and purpose. */
function invalidity(tc: TcString, now: number): TcfDenial | undefined {
  if (Math.max(tc.created, tc.lastUpdated) > now + MAX_AHEAD_MS) return 'future_dated';
  if (now - tc.lastUpdated > MAX_AGE_MS) return 'stale';
  if (!tc.isServiceSpecific) return 'not_service_specific';
  // By date and not by policy version: 5 was in use long before the segment had to be there.
  if (!tc.hasDisclosedVendors && tc.lastUpdated >= DISCLOSURE_REQUIRED_FROM) return 'disclosed_vendors_missing';
  return undefined;
}

/** The registered basis, or the one that the publisher asks for where the vendor has registered or is flexible about it. */
function applicableBasis(
  { purposes, legIntPurposes, flexiblePurposes }: VendorRegistration,
  purpose: number,
  restriction: ReturnType<TcString['publisherRestriction']>,
): TcfBasis {
  if (restriction === RESTRICTION.notAllowed) return { denied: 'purpose_not_allowed' };
  const registered = purposes.includes(purpose)
    ? 'consent'
    : legIntPurposes.includes(purpose)
      ? 'legitimate_interest'
      : undefined;
  if (registered === undefined) return { denied: 'purpose_not_registered' };
  if (restriction === undefined) return registered;
  const required = restriction === RESTRICTION.requireConsent ? 'consent' : 'legitimate_interest';
  if (required !== registered && !flexiblePurposes.includes(purpose)) return { denied: 'basis_not_registered' };
  return required;
}
