import type { Admission } from '../../domain/admit.ts';
import { objectsAutomatically } from '../../domain/automated-objection.ts';
import { expireCookie, ID_COOKIE, setCookie } from '../../domain/consent-cookie.ts';
import {
  basisOf,
  type Granted,
  grantedToBrowser,
  type JudgedSignal,
  judgeSignal,
  refusedInSignal,
  type SignalRefusal,
} from '../../domain/granted.ts';
import type { LinkItem, ReceiptItem } from '../../domain/items.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { saidPurposes, signalReceipts, standingPurposes } from '../../domain/receipt-chain.ts';
import type { EventRecord } from '../../domain/stream-record.ts';
import { type StatedSignal, type TcParameters, tcSignal } from '../../domain/tcf-signal.ts';
import { purposesInForce } from '../../domain/withdrawals.ts';
import { type Browser, deviceIdOf, presentedDevice, readRefusal } from '../browser.ts';
import type { Request } from '../http.ts';
import type { CollectDeps } from './deps.ts';
import { type Choice, recordChoice } from './receipts.ts';

/** Who sends a request under which purposes, and what has to be recorded of its TC string before the event is kept. */
export type Verdict = {
  deviceId?: string | undefined;
  granted: readonly Purpose[];
  basis?: Exclude<EventRecord['basis'], 'anonymous'>;
  recording?: Recording;
};

/** A receipt to write and the cookies that go with it. What is given is recorded for an event that needs it alone. */
type Recording = { choice: Choice; cookies: readonly string[]; needsEvent: boolean };

/** A signal that can be read, with what it says for the brand and the digest by which a receipt names it. */
type Read = { signal: StatedSignal; judged: JudgedSignal; digest: string };

/** What is stored of the device whose id cookie was presented. */
type Stored = { device: string; link: LinkItem | undefined; receipts: readonly ReceiptItem[] };

const NONE: readonly never[] = [];

/**
 * Judges a pixel's request under the TC string that it carries (ADR 0019): at each request, from the string itself, since
 * no cookie of ours keeps what it says. Stores are asked only where the string gives or refuses something and an id cookie
 * was presented.
 */
export async function judgeBySignal(
  parameters: TcParameters,
  site: string,
  browser: Browser,
  request: Request,
  deps: CollectDeps,
): Promise<Verdict> {
  const question = {
    own: browser.choices ?? readRefusal(request.cookies, deps.keys, deps, request.receivedAt),
    objectsAutomatically: objectsAutomatically(request.headers),
    purposes: deps.plan.config.purposes,
    now: request.receivedAt,
  };
  const read = question.objectsAutomatically ? 'automated_objection' : readSignal(parameters, request, deps);
  if (typeof read === 'string') {
    deps.count('ConsentSignal', read);
    const { purposes } = grantedToBrowser({ ...question, signal: undefined, link: undefined });
    return { deviceId: browser.deviceId, granted: purposes };
  }
  const device = presentedDevice(request.cookies, deps);
  const speaks = [...read.judged.bases.values()].some((basis) => typeof basis !== 'object');
  const stored =
    device !== undefined && (speaks || refusedInSignal(read.judged).length > 0)
      ? await readStored(device, deps)
      : undefined;
  const granted = grantedToBrowser({ ...question, signal: read.judged, link: stored?.link });
  if (granted.refusal) deps.count('ConsentSignal', granted.refusal);
  const verdict = { granted: granted.purposes, basis: basisOf(granted) };

  if (stored && isLive(stored)) {
    const recording = recordingFor(stored, read, granted, browser, site, request);
    if (recording?.choice.withdrawn?.includes('storage')) return { granted: NONE, recording };
    return { ...verdict, deviceId: stored.device, ...(recording && { recording }) };
  }
  if (granted.bySignal.includes('storage')) return beginning(read, granted, site, deps);
  return { ...verdict, deviceId: browser.deviceId };
}

/** Reads and judges what the parameters state; where nothing can rest on it, why. */
function readSignal(parameters: TcParameters, request: Request, deps: CollectDeps): Read | SignalRefusal {
  const { tcf } = deps.plan.config;
  if (tcf.vendorId === null) return 'vendor_not_listed';
  const signal = tcSignal(parameters);
  if ('denied' in signal) return signal.denied;
  const digest = Buffer.from(deps.sha256(signal.texts.join('\n')), 'base64url').toString('hex');
  return { signal, judged: judgeSignal(signal, tcf, request.receivedAt), digest };
}

async function readStored(device: string, { links, receipts }: CollectDeps): Promise<Stored> {
  const [found, recent] = await Promise.all([links.read([device]), receipts.recent(device)]);
  return { device, link: found.get(device), receipts: recent };
}

/**
 * True where the presented id is a device's: the door has begun it under a receipt and its storage has not been withdrawn.
 * Any other is as good as none, so that nobody can choose the id of somebody else's browser.
 */
const isLive = ({ link, receipts }: Stored): boolean =>
  receipts.length > 0 && purposesInForce(['storage'], link).length > 0;

/**
 * The presented device where a TC string began it or has spoken for it last: it has no consent cookie, and an own choice is
 * made for it and takes back what the string gave.
 */
export async function deviceOfSignal(request: Request, deps: CollectDeps): Promise<string | undefined> {
  const device = presentedDevice(request.cookies, deps);
  const stored = device === undefined ? undefined : await readStored(device, deps);
  return stored && isLive(stored) && signalReceipts(stored.receipts).size > 0 ? device : undefined;
}

/** A device that begins with the string; what was chosen for another one does not go with it. */
function beginning(read: Read, { bySignal, onInterest }: Granted, site: string, deps: CollectDeps): Verdict {
  const cookieId = deps.randomId();
  const deviceId = deviceIdOf(cookieId, deps);
  const choice = choiceOf(read, deviceId, site, bySignal);
  return {
    deviceId,
    granted: bySignal,
    basis: basisOf({ onInterest }),
    recording: { choice, cookies: [setCookie(ID_COOKIE, cookieId)], needsEvent: true },
  };
}

/**
 * What is recorded of a string for a device that is known already: what the person has said no to since, withdrawn where
 * nothing else grants it, and what it gives that nothing else does. The same string on the next impression leads to nothing.
 */
function recordingFor(
  { device, link, receipts }: Stored,
  read: Read,
  { bySignal }: Granted,
  { granted: own }: Browser,
  site: string,
  { receivedAt: now }: Request,
): Recording | undefined {
  const mine = signalReceipts(receipts).get(site);
  const lost = mine ? refusedSince(mine, read) : NONE;
  const elsewhere = standingPurposes(
    receipts.filter((receipt) => receipt.method !== 'tcf' || receipt.site !== site),
    now,
  );
  const withdrawn = lost.filter((purpose) => !elsewhere.has(purpose));
  if (withdrawn.includes('storage')) {
    const all = [...saidPurposes(receipts)];
    return { choice: choiceOf(read, device, site, NONE, all), cookies: [expireCookie(ID_COOKIE)], needsEvent: false };
  }
  const recorded = purposesInForce(mine && mine.expires_at > now ? mine.granted : NONE, link);
  const adds = bySignal.some((purpose) => !recorded.includes(purpose) && !own.includes(purpose));
  if (lost.length === 0 && !adds) return undefined;
  return { choice: choiceOf(read, device, site, bySignal, withdrawn), cookies: NONE, needsEvent: lost.length === 0 };
}

/**
 * The purposes that the site's last receipt granted and the person has said no to in its string since. Strings may carry
 * whole days (TCF policies), so one of the same time counts as the newer where it is another one.
 */
function refusedSince(mine: ReceiptItem, { judged, digest }: Read): readonly Purpose[] {
  if (mine.signal_digest === digest || judged.lastUpdated < (mine.signal_updated_at ?? 0)) return NONE;
  const refused = refusedInSignal(judged);
  return mine.granted.filter((purpose) => refused.includes(purpose));
}

const choiceOf = (
  { judged, digest }: Read,
  subject: string,
  site: string,
  granted: readonly Purpose[],
  withdrawn: readonly Purpose[] = NONE,
): Choice => ({
  subject,
  site,
  granted,
  withdrawn,
  method: 'tcf',
  signal: {
    kind: 'tcf',
    digest,
    updatedAt: judged.lastUpdated,
    legalBasis: granted.map((purpose) => `${purpose}=${judged.bases.get(purpose)}`).join(','),
  },
});

/**
 * Records what the verdict asks for and returns the cookies to set. A device begins, and more is recorded as given, only
 * with an event that is kept under the device's id: whoever needs no id gets none.
 */
export async function settle(
  { deviceId, recording }: Verdict,
  admission: Admission,
  request: Request,
  deps: CollectDeps,
): Promise<readonly string[]> {
  if (!recording) return NONE;
  const carried = admission.outcome === 'accepted' && admission.record.device_id === deviceId;
  if (recording.needsEvent && !carried) return NONE;
  await recordChoice(recording.choice, request, deps);
  return recording.cookies;
}
