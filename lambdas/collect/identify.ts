import { ID_COOKIE, setCookie } from '../../domain/consent-cookie.ts';
import type { LinkItem, ReceiptItem } from '../../domain/items.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { ownReceipt } from '../../domain/receipt-chain.ts';
import { contextText, type SegmentMessage } from '../../domain/segment-message.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { purposesInForce } from '../../domain/withdrawals.ts';
import { type Browser, deviceIdOf } from '../browser.ts';
import type { Request } from '../http.ts';
import { consentCookie } from './consent.ts';
import type { CollectDeps } from './deps.ts';
import { personIdOf } from './person.ts';
import { linkTtl, personLinkTtl, RETRY_WINDOW_MS, recordChoice } from './receipts.ts';

/** A browser after it was identified: perhaps a new device, the records to tell, and cookies to set. */
export type Identified = { deviceId: string; records: StreamRecord[]; cookies: string[] };

/** Why a browser may not be identified; answered with 403. */
export type IdentifyRefusal = { refused: 'identity_token' | 'identity_consent' };

/**
 * Makes the browser's device one of the person's that the identity token names. It needs storage, a token that the
 * brand's server signed for this site, a live identity_merge receipt, and no withdrawal of it by the person. A device that belongs to another person stays
 * with that person: a new device begins here, under a receipt of its own.
 */
export async function identifyBrowser(
  message: SegmentMessage,
  browser: Browser,
  site: string,
  request: Request,
  deps: CollectDeps,
): Promise<Identified | IdentifyRefusal> {
  const at = request.receivedAt;
  const token = contextText(message, 'identityToken');
  const userId = token === undefined ? undefined : await deps.verifyIdentity(token, site, at);
  if (userId === undefined) return { refused: 'identity_token' };
  const { deviceId } = browser;
  if (deviceId === undefined || !browser.granted.includes('identity_merge')) return { refused: 'identity_consent' };
  const receipt = ownReceipt(await deps.receipts.recent(deviceId));
  if (!receipt?.granted.includes('identity_merge') || receipt.expires_at <= at) return { refused: 'identity_consent' };

  const person = await personIdOf(userId, deps);
  const links = await deps.links.read([deviceId, person]);
  // The device's receipt says that it may be linked; the person may have said to a server that nothing may be.
  if (purposesInForce(['identity_merge'], links.get(person)).length === 0) return { refused: 'identity_consent' };
  const current = links.get(deviceId);
  if (current?.person === person) return { deviceId, records: toldAgain(current, person, at), cookies: [] };
  if (current?.person === undefined) {
    const link = linkFrom(deviceId, person, receipt, at);
    if (await deps.links.link(link)) return { deviceId, records: [linkRecord(link)], cookies: [] };
  }
  return newDevice(person, receipt.granted, site, request, deps);
}

/** A link that begins at `at` under a receipt, with the times until which its two items are kept. */
const linkFrom = (device: string, person: string, receipt: ReceiptItem, at: number) => ({
  device,
  person,
  since: at,
  receipt: receipt.receipt_id,
  ttl: linkTtl(at),
  personTtl: personLinkTtl(at),
});

/** The record of a link that a call made whose answer may have been lost; nothing of an older one. */
const toldAgain = ({ pk, since = 0, receipt = '' }: LinkItem, person: string, at: number): StreamRecord[] =>
  at - since > RETRY_WINDOW_MS ? [] : [linkRecord({ device: pk, person, since, receipt })];

/** Another person's browser begins anew as a device of its own, under the same choices in a receipt of its own. */
async function newDevice(
  person: string,
  granted: readonly Purpose[],
  site: string,
  request: Request,
  deps: CollectDeps,
): Promise<Identified> {
  const at = request.receivedAt;
  const cookieId = deps.randomId();
  const deviceId = deviceIdOf(cookieId, deps);
  const receipt = await recordChoice({ subject: deviceId, site, granted, method: 'browser' }, request, deps);
  const link = linkFrom(deviceId, person, receipt, at);
  await deps.links.link(link);
  return {
    deviceId,
    records: [linkRecord(link)],
    cookies: [consentCookie(granted, receipt.given_at, deviceId, deps), setCookie(ID_COOKIE, cookieId)],
  };
}

const linkRecord = (link: { device: string; person: string; since: number; receipt: string }): StreamRecord => ({
  kind: 'link',
  device_id: link.device,
  person_id: link.person,
  since: link.since,
  receipt_id: link.receipt,
});
