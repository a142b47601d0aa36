import { type GppError, TCF_EU_SECTION, tcSectionOf } from './gpp.ts';
import { isUnexpandedMacro } from './macros.ts';
import { decodeTcString, type TcError, type TcString } from './tcf.ts';
import { type TcfBasis, type TcfQuestion, tcfBasis } from './tcf-basis.ts';

/** The parameters of a pixel that carry a choice, as they came. `gdpr=0` is a caller's claim and is not read. */
export type TcParameters = {
  gdpr_consent?: string | undefined;
  gpp?: string | undefined;
  gpp_sid?: string | undefined;
};

/** Why the parameters state no choice that could be read. */
export type TcSignalDenial = 'absent' | 'unexpanded_macro' | TcError | `gpp_${GppError | TcError}`;

/**
 * The TC strings that speak for a request, all of which have to agree, as texts too, and when the older of them was last
 * updated (milliseconds).
 */
export type StatedSignal = { tcs: readonly [TcString, ...TcString[]]; texts: readonly string[]; lastUpdated: number };

/** The strings that speak, or why there is none. */
export type TcSignal = StatedSignal | { denied: TcSignalDenial };

/**
 * What `gdpr_consent` and section 2 of `gpp` state. The GPP string counts where `gpp_sid` says that the section is in
 * force. One that is there and cannot be read denies, whatever the other says. Never throws.
 */
export function tcSignal({ gdpr_consent, gpp, gpp_sid }: TcParameters): TcSignal {
  const tcs: TcString[] = [];
  const texts: string[] = [];
  if (isStated(gdpr_consent)) {
    const decoded = decodeTcString(gdpr_consent);
    if (!decoded.ok) return { denied: decoded.reason };
    tcs.push(decoded.tc);
    texts.push(gdpr_consent);
  }
  if (isStated(gpp) && isStated(gpp_sid) && isInForce(gpp_sid)) {
    const found = tcSectionOf(gpp);
    if (!found.ok) return { denied: `gpp_${found.reason}` };
    const decoded = decodeTcString(found.section);
    if (!decoded.ok) return { denied: `gpp_${decoded.reason}` };
    tcs.push(decoded.tc);
    texts.push(found.section);
  }
  const [first, ...others] = tcs;
  if (first === undefined)
    return { denied: [gdpr_consent, gpp, gpp_sid].some(isMacro) ? 'unexpanded_macro' : 'absent' };
  return { tcs: [first, ...others], texts, lastUpdated: Math.min(...tcs.map((tc) => tc.lastUpdated)) };
}

/**
 * The basis that a signal gives. Where two strings disagree, the stricter wins: a denial, then legitimate interest, which
 * an objection ends, then consent.
 */
export function signalBasis(signal: StatedSignal, question: TcfQuestion): TcfBasis {
  const bases = signal.tcs.map((tc) => tcfBasis(tc, question));
  const denial = bases.find((basis) => typeof basis === 'object');
  return denial ?? (bases.includes('legitimate_interest') ? 'legitimate_interest' : 'consent');
}

const isStated = (value: string | undefined): value is string =>
  value !== undefined && value !== '' && !isUnexpandedMacro(value);

const isMacro = (value: string | undefined): boolean => value !== undefined && isUnexpandedMacro(value);

/** Section ids that the caller holds in force, with commas between them. */
const isInForce = (sectionIds: string): boolean =>
  sectionIds.split(',').some((id) => id.trim() === String(TCF_EU_SECTION));
