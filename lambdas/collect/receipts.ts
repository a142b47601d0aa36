import { COOKIE_MAX_AGE_SECONDS } from '../../domain/consent-cookie.ts';
import type { EmailGrant } from '../../domain/email-permission.ts';
import type { LinkItem, ReceiptItem } from '../../domain/items.ts';
import { type Language, legalBasisOf } from '../../domain/notice.ts';
import { PURPOSES, type Purpose } from '../../domain/purposes.ts';
import { saidPurposes } from '../../domain/receipt-chain.ts';
import type { ConsentRecord, LinkRecord } from '../../domain/stream-record.ts';
import type { Request } from '../http.ts';
import { keyed } from './admit-request.ts';
import type { CollectDeps } from './deps.ts';
import { endProfile } from './end-profile.ts';
import { isPersonId } from './person.ts';

/** A choice as it came in. `digest` is the SHA-256 of the TC string, lower-case hex; `updatedAt` milliseconds. */
export type Choice = {
  subject: string;
  site: string;
  granted: readonly Purpose[];
  method: ConsentRecord['method'];
  language?: Language;
  signal?: { kind: 'tcf'; digest: string; updatedAt: number; legalBasis: string };
  /** What a signal takes back, or everything. A choice of the person's own is whole: it takes back what it does not name. */
  withdrawn?: readonly Purpose[];
  email?: EmailGrant;
};

/** The stream did not take what has to be told to the lake; the sender is asked to send again. */
export class StreamUnavailable extends Error {
  override name = 'StreamUnavailable';
}

/** Digits of a time in a sort key: enough until the year 2286, so that text order is time order. */
const TIME_DIGITS = 13;

/** A choice or link this young may be the retry of a call whose answer was lost: what follows from it is done again. */
export const RETRY_WINDOW_MS = 3_600_000;

/**
 * Records a choice before the door answers: the receipt; then the lake is told of it and of the links that end by it; then
 * the link items learn withdrawals and ends. In this order every step can be done again, so a retry repairs what a crash
 * or a failing store left; an older choice that the newest receipt already holds does nothing. Returns the receipt in force.
 */
export async function recordChoice(choice: Choice, request: Request, deps: CollectDeps): Promise<ReceiptItem> {
  const at = request.receivedAt;
  const recent = await deps.receipts.recent(choice.subject);
  const [newest] = recent;
  const granted = PURPOSES.filter((purpose) => choice.granted.includes(purpose));
  const stands = newest !== undefined && newest.expires_at > at && sameChoice(newest, { ...choice, granted }, deps);
  if (stands && at - newest.given_at > RETRY_WINDOW_MS) return newest;
  const receipt = stands ? newest : newReceipt(choice, granted, recent, at, deps);
  // Nobody repeats a call for a string: it comes with the next impression, and its receipt says that nothing is left to do.
  const isLast = choice.signal !== undefined;
  if (!stands && !isLast) await deps.receipts.append(receipt);

  const isFirst = receipt.prior_receipt_id === undefined && receipt.withdrawn.length === 0;
  const link = isFirst ? undefined : await linkOf(receipt.pk, deps);
  const ended = link && endsLinks(receipt) ? await linksEnded(receipt, link, deps) : [];
  await tell([consentRecord(receipt), ...ended], deps);
  await noteOnLink(receipt, link, deps);
  // A choice that was overtaken on its way: what the later one grants is in force again.
  if (newest && newest.given_at > receipt.given_at) await noteOnLink(newest, await linkOf(newest.pk, deps), deps);
  await endProfile(receipt, deps);
  for (const { device_id, person_id } of ended) await deps.links.unlink(device_id, person_id);
  if (isLast) await deps.receipts.append(receipt);
  return receipt;
}

/** The same purposes, under the same text where the caller says which was shown, and with the same permission for mail. */
function sameChoice(
  receipt: ReceiptItem,
  { granted, withdrawn = [], language, email, signal }: Choice,
  { terms }: CollectDeps,
): boolean {
  if (signal || receipt.method === 'tcf') return false;
  if (!withdrawn.every((purpose) => receipt.withdrawn.includes(purpose))) return false;
  if (receipt.granted.length !== granted.length || !granted.every((purpose) => receipt.granted.includes(purpose)))
    return false;
  if (language !== undefined && receipt.notice_version !== terms.notice_version) return false;
  const mail = email && granted.includes('email') ? emailFields(email) : {};
  return EMAIL_FIELDS.every((field) => receipt[field] === mail[field]);
}

const EMAIL_FIELDS = ['email_permission', 'email_requested_at', 'email_confirmed_at', 'email_text_version'] as const;

function newReceipt(
  { subject, site, method, language, signal, withdrawn, email }: Choice,
  granted: Purpose[],
  recent: readonly ReceiptItem[],
  at: number,
  deps: CollectDeps,
): ReceiptItem {
  const receiptId = deps.randomId();
  const [prior] = recent;
  const takenBack = new Set(withdrawn ?? saidPurposes(recent));
  return {
    pk: subject,
    sk: `${String(at).padStart(TIME_DIGITS, '0')}#${receiptId}`,
    receipt_id: receiptId,
    site,
    granted,
    withdrawn: PURPOSES.filter((purpose) => takenBack.has(purpose) && !granted.includes(purpose)),
    method,
    given_at: at,
    expires_at: (signal?.updatedAt ?? at) + COOKIE_MAX_AGE_SECONDS * 1000,
    ...(prior && { prior_receipt_id: prior.receipt_id }),
    ...(signal ? signalTerms(deps.terms) : deps.terms),
    ...(language && { language }),
    ...(granted.length > 0 && { legal_basis: signal?.legalBasis ?? legalBasisOf(deps.plan.config, granted) }),
    signal_kind: signal?.kind ?? 'own',
    ...(signal && { signal_digest: signal.digest, signal_updated_at: signal.updatedAt }),
    ...(email && granted.includes('email') && emailFields(email)),
  };
}

/** Who chose in a consent dialogue of the TCF has read its text there and not the brand's: the string is what names it. */
const signalTerms = ({ controller, region }: CollectDeps['terms']) => ({ controller, region, notice_version: 'tcf' });

const emailFields = (email: EmailGrant): Partial<ReceiptItem> =>
  email.permission === 'existing_customer'
    ? { email_permission: email.permission }
    : {
        email_permission: email.permission,
        email_requested_at: email.requestedAt,
        email_confirmed_at: email.confirmedAt,
        email_text_version: email.textVersion,
      };

const linkOf = async (id: string, deps: CollectDeps): Promise<LinkItem | undefined> =>
  (await deps.links.read([id])).get(id);

const endsLinks = ({ withdrawn }: ReceiptItem): boolean =>
  withdrawn.some((purpose) => purpose === 'identity_merge' || purpose === 'storage');

/** The links that end with a receipt: a device gives up its person, a person all of its devices. */
async function linksEnded(receipt: ReceiptItem, link: LinkItem, deps: CollectDeps): Promise<LinkRecord[]> {
  const linked =
    link.siblings !== undefined && link.person === undefined
      ? await deps.links.read(link.siblings)
      : [[link.pk, link] as const];
  return [...linked].flatMap(([device, { person, since, receipt: under }]) =>
    person === undefined
      ? []
      : [
          {
            kind: 'link' as const,
            device_id: device,
            person_id: person,
            since: since ?? receipt.given_at,
            receipt_id: under ?? '',
            removed_at: receipt.given_at,
          },
        ],
  );
}

async function noteOnLink(receipt: ReceiptItem, link: LinkItem | undefined, deps: CollectDeps): Promise<void> {
  const { pk, granted, withdrawn, given_at } = receipt;
  const regranted = granted.filter((purpose) => link?.withdrawn?.[purpose] !== undefined);
  if (withdrawn.length === 0 && regranted.length === 0) return;
  const ttl = isPersonId(pk) ? personLinkTtl(given_at) : linkTtl(given_at);
  await deps.links.noteConsent(pk, { withdrawn, regranted, at: given_at, ttl });
}

/** Puts records on the stream, each under its own key; throws `StreamUnavailable` where it does not take them all. */
async function tell(records: readonly (ConsentRecord | LinkRecord)[], deps: CollectDeps): Promise<void> {
  const failed = await deps.put(records.map((record) => keyed(record, deps)));
  if (failed.length > 0) throw new StreamUnavailable();
}

/** A device's link item lives as long as the cookie that it belongs to, in seconds since the epoch. */
export const linkTtl = (at: number): number => Math.floor(at / 1000) + COOKIE_MAX_AGE_SECONDS;

/** A person's withdrawal has to outlive whatever a server may still send; no purpose may state a longer retention. */
const PERSON_LINK_YEARS = 10;

/** A person's link item outlives every cookie, since it holds withdrawals that a server's `context.consent` cannot lift. */
export const personLinkTtl = (at: number): number => Math.floor(at / 1000) + PERSON_LINK_YEARS * 366 * 86_400;

function consentRecord({ pk, sk: _, ...receipt }: ReceiptItem): ConsentRecord {
  return { kind: 'consent', subject: pk, ...receipt };
}
