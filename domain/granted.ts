import { underAutomatedObjection } from './automated-objection.ts';
import type { PaulaConfig } from './config.ts';
import type { Choices } from './consent-cookie.ts';
import type { LinkItem } from './items.ts';
import { PURPOSES, type Purpose } from './purposes.ts';
import type { TcfBasis, TcfDenial } from './tcf-basis.ts';
import { TCF_EQUIVALENTS } from './tcf-purposes.ts';
import { type StatedSignal, signalBasis, type TcSignalDenial } from './tcf-signal.ts';
import { hasObjected, purposesInForce } from './withdrawals.ts';

/** What the TC string of a request says of each of our purposes that it can speak of. Times in milliseconds. */
export type JudgedSignal = { lastUpdated: number; bases: ReadonlyMap<Purpose, TcfBasis> };

/** Why a TC string, or what stands in its place, opened no storage. The list is closed, so that it can be counted by. */
export type SignalRefusal =
  | TcSignalDenial
  | TcfDenial
  | 'automated_objection'
  | 'own_choice'
  | 'withdrawn'
  | 'interest_not_configured';

/** Judges what the string states for the brand's vendor id and registration. */
export function judgeSignal(signal: StatedSignal, tcf: PaulaConfig['tcf'], now: number): JudgedSignal {
  const bases = new Map<Purpose, TcfBasis>();
  for (const [purpose, equivalents] of TCF_EQUIVALENTS) {
    let basis: TcfBasis = 'consent';
    for (const equivalent of equivalents) {
      const { vendorId, registration } = tcf;
      const given = signalBasis(signal, { vendorId, registration, purpose: equivalent, now });
      if (given !== 'consent' && typeof basis !== 'object') basis = given;
    }
    bases.set(purpose, basis);
  }
  return { lastUpdated: signal.lastUpdated, bases };
}

/** The purposes that the person has said no to in the string itself; other denials are nobody's choice. */
export const refusedInSignal = ({ bases }: JudgedSignal): readonly Purpose[] =>
  [...bases].flatMap(([purpose, basis]) =>
    typeof basis === 'object' && (basis.denied === 'purpose_refused' || basis.denied === 'vendor_refused')
      ? [purpose]
      : [],
  );

/** What is known of a browser's request when it is asked which purposes are in force for it. */
export type BrowserQuestion = {
  /** The choices of a valid consent cookie, one signed for no device (storage was refused) included. */
  own: Choices | undefined;
  /** The TC string; undefined where it states nothing, whatever the reason. */
  signal: JudgedSignal | undefined;
  /** What is stored of the presented device; undefined where none was presented. */
  link: LinkItem | undefined;
  /** `Sec-GPC: 1` or `DNT: 1`. */
  objectsAutomatically: boolean;
  purposes: PaulaConfig['purposes'];
  /** Milliseconds since the epoch. */
  now: number;
};

/** The purposes in force, in the order of `PURPOSES`. */
export type Granted = {
  purposes: readonly Purpose[];
  /** Of them, those that the TC string gives, whatever else gives them too. */
  bySignal: readonly Purpose[];
  /** Of them, those that rest on a legitimate interest alone. */
  onInterest: readonly Purpose[];
  /** Why the TC string gives no storage; absent where it does, and where there is none. */
  refusal?: SignalRefusal;
};

const NONE: readonly never[] = [];

/** What a stored objection to direct marketing closes (GDPR Art. 21(3)), whatever has been consented to. */
const CLOSED_BY_OBJECTION: readonly Purpose[] = ['profile', 'personalisation', 'activation', 'email'];

/**
 * Which purposes are in force for a browser's request. The own choice or the TC string may give a purpose; a later own
 * choice without it, and a later stored withdrawal, take it back from the string. Without storage there is nothing.
 */
export function grantedToBrowser(question: BrowserQuestion): Granted {
  const { own, signal, link, objectsAutomatically } = question;
  const chosen = own?.granted.includes('storage') ? purposesInForce(own.granted, link) : NONE;
  if (objectsAutomatically) {
    // A TC string alone is no opt-in with this brand, and a browser that objects is not asked to be clearer.
    const purposes = inForce(underAutomatedObjection(chosen), question);
    return { purposes, bySignal: NONE, onInterest: NONE, ...(signal && { refusal: 'automated_objection' }) };
  }
  if (!signal) return { purposes: inForce(chosen, question), bySignal: NONE, onInterest: NONE };

  const refused = new Map<Purpose, SignalRefusal>();
  const given: Purpose[] = [];
  for (const [purpose, basis] of signal.bases) {
    const refusal = refusalOf(purpose, basis, signal.lastUpdated, question);
    if (refusal === undefined) given.push(purpose);
    else refused.set(purpose, refusal);
  }
  const purposes = inForce(
    PURPOSES.filter((purpose) => chosen.includes(purpose) || given.includes(purpose)),
    question,
  );
  const bySignal = purposes.filter((purpose) => given.includes(purpose));
  const refusal = refused.get('storage');
  return {
    purposes,
    bySignal,
    onInterest: bySignal.filter(
      (purpose) => signal.bases.get(purpose) === 'legitimate_interest' && !chosen.includes(purpose),
    ),
    ...(refusal && { refusal }),
  };
}

/** Why the string does not give a purpose; undefined where it does. */
function refusalOf(
  purpose: Purpose,
  basis: TcfBasis,
  lastUpdated: number,
  { own, link, purposes, now }: BrowserQuestion,
): SignalRefusal | undefined {
  if (typeof basis === 'object') return basis.denied;
  // The brand claims an interest in its own configuration, with an assessment behind it, or not at all.
  if (
    basis === 'legitimate_interest' &&
    (purposes[purpose].legalBasis !== 'legitimate_interest' || hasObjected(link, now))
  )
    return 'interest_not_configured';
  if (own && own.givenAt > lastUpdated && !own.granted.includes(purpose)) return 'own_choice';
  const withdrawn = purposesInForce([purpose], link).length === 0;
  return withdrawn && (link?.withdrawn?.[purpose] ?? 0) > lastUpdated ? 'withdrawn' : undefined;
}

function inForce(purposes: readonly Purpose[], { link, now }: BrowserQuestion): readonly Purpose[] {
  return purposes.includes('storage') ? withoutObjected(purposes, link, now) : NONE;
}

const withoutObjected = (purposes: readonly Purpose[], link: LinkItem | undefined, now: number): readonly Purpose[] =>
  hasObjected(link, now) ? purposes.filter((purpose) => !CLOSED_BY_OBJECTION.includes(purpose)) : purposes;

/**
 * Which purposes are in force for a server's message about a person: those that it says were chosen, or, where it says
 * nothing, those for which the configuration claims a legitimate interest that nobody has objected to.
 */
export function grantedToServer({
  choice,
  link,
  purposes,
  now,
}: {
  choice: readonly Purpose[] | undefined;
  link: LinkItem | undefined;
  purposes: PaulaConfig['purposes'];
  now: number;
}): Pick<Granted, 'purposes' | 'onInterest'> {
  if (choice) return { purposes: withoutObjected(purposesInForce(choice, link), link, now), onInterest: NONE };
  if (hasObjected(link, now)) return { purposes: NONE, onInterest: NONE };
  const claimed = purposesInForce(
    PURPOSES.filter((purpose) => purposes[purpose].legalBasis === 'legitimate_interest'),
    link,
  );
  return { purposes: claimed, onInterest: claimed };
}

/** The basis of an event's row: an interest where measurement, for which the row is kept under an id, rests on one. */
export const basisOf = ({ onInterest }: Pick<Granted, 'onInterest'>): 'consent' | 'legitimate_interest' =>
  onInterest.includes('measurement') ? 'legitimate_interest' : 'consent';
