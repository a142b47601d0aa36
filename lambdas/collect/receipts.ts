import { COOKIE_MAX_AGE_SECONDS } from '../../domain/consent-cookie.ts';
import type { LinkItem, ReceiptItem } from '../../domain/items.ts';
import { PURPOSES, type Purpose } from '../../domain/purposes.ts';
import type { ConsentRecord, LinkRecord } from '../../domain/stream-record.ts';
import type { CollectDeps } from './deps.ts';

export type Choice = {
  subject: string;
  site: string;
  granted: readonly Purpose[];
  method: 'browser' | 'server';
  at: number;
};

/** Digits of a time in a sort key: enough until the year 2286, so that text order is time order. */
const TIME_DIGITS = 13;

/**
 * Writes a consent receipt and what follows from it, before the door answers: withdrawals onto the link item, and no link
 * where identity_merge or storage is withdrawn. A choice that the newest receipt already holds writes nothing.
 * Returns that receipt and the records that the lake has to learn.
 */
export async function recordChoice(
  choice: Choice,
  deps: CollectDeps,
): Promise<{ receipt: ReceiptItem; records: (ConsentRecord | LinkRecord)[] }> {
  const prior = await deps.receipts.latest(choice.subject);
  const granted = PURPOSES.filter((purpose) => choice.granted.includes(purpose));
  if (prior && sameChoice(prior, granted) && prior.expires_at > choice.at) return { receipt: prior, records: [] };

  const withdrawn = (prior?.granted ?? []).filter((purpose) => !granted.includes(purpose));
  const receipt: ReceiptItem = {
    pk: choice.subject,
    receipt_id: deps.randomId(),
    sk: '',
    site: choice.site,
    granted,
    withdrawn,
    method: choice.method,
    notice_version: deps.plan.config.purposes.storage.noticeVersion,
    given_at: choice.at,
    expires_at: choice.at + COOKIE_MAX_AGE_SECONDS * 1000,
    ...(prior && { prior_receipt_id: prior.receipt_id }),
  };
  receipt.sk = `${String(choice.at).padStart(TIME_DIGITS, '0')}#${receipt.receipt_id}`;
  await deps.receipts.append(receipt);

  const links = prior ? await applyToLinks(choice, granted, withdrawn, deps) : [];
  return { receipt, records: [consentRecord(receipt), ...links] };
}

const sameChoice = (receipt: ReceiptItem, granted: readonly Purpose[]): boolean =>
  receipt.granted.length === granted.length && granted.every((purpose) => receipt.granted.includes(purpose));

async function applyToLinks(
  choice: Choice,
  granted: readonly Purpose[],
  withdrawn: readonly Purpose[],
  deps: CollectDeps,
): Promise<LinkRecord[]> {
  const link = (await deps.links.read([choice.subject])).get(choice.subject);
  const regranted = granted.filter((purpose) => link?.withdrawn?.[purpose] !== undefined);
  if (withdrawn.length > 0 || regranted.length > 0)
    await deps.links.noteConsent(choice.subject, { withdrawn, regranted, at: choice.at, ttl: linkTtl(choice.at) });
  if (!link || !withdrawn.some((purpose) => purpose === 'identity_merge' || purpose === 'storage')) return [];
  return unlinkAll(choice, link, deps);
}

/** A device gives up its person, a person all of its devices. */
async function unlinkAll(choice: Choice, link: LinkItem, deps: CollectDeps): Promise<LinkRecord[]> {
  const devices = link.person === undefined ? (link.siblings ?? []) : [choice.subject];
  const removed: LinkRecord[] = [];
  for (const [device, item] of await deps.links.read(devices)) {
    if (item.person === undefined) continue;
    await deps.links.unlink(device, item.person);
    removed.push({
      kind: 'link',
      device_id: device,
      person_id: item.person,
      since: item.since ?? choice.at,
      receipt_id: item.receipt ?? '',
      removed_at: choice.at,
    });
  }
  return removed;
}

/** A link item lives as long as the cookie that it belongs to, in seconds since the epoch. */
export const linkTtl = (at: number): number => Math.floor(at / 1000) + COOKIE_MAX_AGE_SECONDS;

function consentRecord({ pk, sk: _, ...receipt }: ReceiptItem): ConsentRecord {
  return { kind: 'consent', subject: pk, ...receipt };
}
