import * as z from 'zod';
import { CONSENT_COOKIE, expireCookie, ID_COOKIE, setCookie, writeConsentCookie } from '../../domain/consent-cookie.ts';
import { PURPOSES, Purpose } from '../../domain/purposes.ts';
import { type Browser, deviceIdOf, presentedDevice, readBrowser } from '../browser.ts';
import { json, type Request, type Response, refusal } from '../http.ts';
import type { CollectDeps } from './deps.ts';
import { recordChoice } from './receipts.ts';

/** Eight booleans need far less; what is longer is no choice. */
const MAX_BODY_BYTES = 4096;

const ConsentBody = z.strictObject({ purposes: z.partialRecord(Purpose, z.boolean()) });

/** `PUT /v1/consent`: gives, changes and withdraws in the same way. A purpose that is not named is not granted. */
export async function putConsent(request: Request, deps: CollectDeps): Promise<Response> {
  const site = deps.plan.siteOfOrigin.get(request.headers.origin ?? '');
  if (site === undefined) {
    deps.count('Refused', 'origin');
    return refusal(403, [{ path: 'Origin', rule: 'must be a configured origin' }]);
  }
  const body = readBody(request.body);
  if ('answer' in body) {
    deps.count('Refused', 'consent_body');
    return body.answer;
  }
  const browser = readBrowser(request.cookies, deps.keys, deps, request.receivedAt);
  return body.granted.includes('storage')
    ? grant(body.granted, site, browser, request, deps)
    : refuseStorage(body.granted, site, request, deps);
}

function readBody(text: string): { granted: Purpose[] } | { answer: Response } {
  if (Buffer.byteLength(text) > MAX_BODY_BYTES)
    return { answer: refusal(413, [{ path: '', rule: `must have at most ${MAX_BODY_BYTES} bytes` }]) };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { answer: refusal(400, [{ path: '', rule: 'must be JSON' }]) };
  }
  const parsed = ConsentBody.safeParse(body);
  if (!parsed.success)
    return {
      answer: refusal(
        400,
        parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), rule: issue.message })),
      ),
    };
  return { granted: PURPOSES.filter((purpose) => parsed.data.purposes[purpose] === true) };
}

async function grant(
  granted: Purpose[],
  site: string,
  browser: Browser,
  request: Request,
  deps: CollectDeps,
): Promise<Response> {
  const newId = browser.deviceId === undefined ? deps.randomId() : undefined;
  const deviceId = browser.deviceId ?? deviceIdOf(newId as string, deps);
  const receipt = await recordChoice({ subject: deviceId, site, granted, method: 'browser' }, request, deps);
  const cookies = [consentCookie(granted, receipt.given_at, deviceId, deps)];
  if (newId !== undefined) cookies.push(setCookie(ID_COOKIE, newId));
  return { ...answer(granted), cookies };
}

/** Without storage no device is made and no receipt kept; where there was a device, this is its withdrawal. */
async function refuseStorage(granted: Purpose[], site: string, request: Request, deps: CollectDeps): Promise<Response> {
  deps.count('StorageRefused', site);
  return { ...answer(granted), cookies: await endDevice(granted, site, request, deps) };
}

/** Withdraws for the presented device, where it has a receipt, and returns the cookies that end it in the browser. */
export async function endDevice(
  granted: readonly Purpose[],
  site: string,
  request: Request,
  deps: CollectDeps,
): Promise<string[]> {
  const cookies = [consentCookie(granted, request.receivedAt, '', deps)];
  const device = presentedDevice(request.cookies, deps);
  if (device !== undefined) {
    if (await deps.receipts.latest(device))
      await recordChoice({ subject: device, site, granted: [], method: 'browser' }, request, deps);
    cookies.push(expireCookie(ID_COOKIE));
  }
  return cookies;
}

/** Seconds after which a sender should try again when the stream did not take its records. */
export const RETRY_AFTER_SECONDS = 5;

/** The honest answer when the stream did not take what it was given. */
export const unavailable = (): Response =>
  refusal(503, [{ path: '', rule: 'could not be stored; send it again' }], {
    'retry-after': String(RETRY_AFTER_SECONDS),
  });

/** The choice cookie for a device ('' for none), signed with the newest key. */
export function consentCookie(
  granted: readonly Purpose[],
  givenAt: number,
  deviceId: string,
  deps: CollectDeps,
): string {
  const [key] = deps.keys.cookie;
  if (!key) throw new Error('the keys document holds no cookie key');
  return setCookie(CONSENT_COOKIE, writeConsentCookie({ granted: [...granted], givenAt }, deviceId, key, deps.hmac));
}

const answer = (granted: readonly Purpose[]): Response =>
  json(200, { purposes: Object.fromEntries(PURPOSES.map((purpose) => [purpose, granted.includes(purpose)])) });
