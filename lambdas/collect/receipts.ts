import { COOKIE_MAX_AGE_SECONDS } from '../../domain/consent-cookie.ts';
import type { LinkItem, ReceiptItem } from '../../domain/items.ts';
import { PURPOSES, type Purpose } from '../../domain/purposes.ts';
import type { ConsentRecord, LinkRecord } from '../../domain/stream-record.ts';
import type { Request } from '../http.ts';
import { keyed } from './admit-request.ts';
import type { CollectDeps } from './deps.ts';

export type Choice = { subject: string; site: string; granted: readonly Purpose[]; method: 'browser' | 'server' };

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
  const newest = await deps.receipts.latest(choice.subject);
  const granted = PURPOSES.filter((purpose) => choice.granted.includes(purpose));
  const stands = newest !== undefined && sameChoice(newest, granted) && newest.expires_at > at;
  if (stands && at - newest.given_at > RETRY_WINDOW_MS) return newest;
  const receipt = stands ? newest : newReceipt(choice, granted, newest, at, deps);
  if (!stands) await deps.receipts.append(receipt);

  const link = receipt.prior_receipt_id === undefined ? undefined : await linkOf(receipt.pk, deps);
  const ended = link && endsLinks(receipt) ? await linksEnded(receipt, link, deps) : [];
  await tell([consentRecord(receipt), ...ended], deps);
  await noteOnLink(receipt, link, deps);
  for (const { device_id, person_id } of ended) await deps.links.unlink(device_id, person_id);
  return receipt;
}

const sameChoice = (receipt: ReceiptItem, granted: readonly Purpose[]): boolean =>
  receipt.granted.length === granted.length && granted.every((purpose) => receipt.granted.includes(purpose));

function newReceipt(
  { subject, site, method }: Choice,
  granted: Purpose[],
  prior: ReceiptItem | undefined,
  at: number,
  deps: CollectDeps,
): ReceiptItem {
  const receiptId = deps.randomId();
  return {
    pk: subject,
    sk: `${String(at).padStart(TIME_DIGITS, '0')}#${receiptId}`,
    receipt_id: receiptId,
    site,
    granted,
    // What the prior one withdrew is said again: its own telling may have failed.
    withdrawn: PURPOSES.filter(
      (purpose) =>
        !granted.includes(purpose) && (prior?.granted.includes(purpose) || prior?.withdrawn.includes(purpose)),
    ),
    method,
    notice_version: deps.plan.config.purposes.storage.noticeVersion,
    given_at: at,
    expires_at: at + COOKIE_MAX_AGE_SECONDS * 1000,
    ...(prior && { prior_receipt_id: prior.receipt_id }),
  };
}

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
  const ttl = receipt.method === 'server' ? personLinkTtl(given_at) : linkTtl(given_at);
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
