import * as z from 'zod';
import { objectsAutomatically, underAutomatedObjection } from '../../domain/automated-objection.ts';
import { CONSENT_COOKIE, expireCookie, ID_COOKIE, setCookie, writeConsentCookie } from '../../domain/consent-cookie.ts';
import { mayAsk } from '../../domain/consent-service.ts';
import type { Issue } from '../../domain/field-values.ts';
import { Language } from '../../domain/notice.ts';
import { PURPOSES, Purpose, purposeMask } from '../../domain/purposes.ts';
import { type Browser, deviceIdOf, presentedDevice, readBrowser } from '../browser.ts';
import { json, type Request, type Response, refusal } from '../http.ts';
import { deviceOfSignal } from './consent-signal.ts';
import type { CollectDeps } from './deps.ts';
import { recordChoice } from './receipts.ts';

/** Eight booleans need far less; what is longer is no choice. */
const MAX_BODY_BYTES = 4096;

const ConsentBody = z.strictObject({
  purposes: z.partialRecord(Purpose, z.boolean()),
  /** The text that was shown. */
  notice: z.strictObject({ version: z.string().max(40), language: Language }).optional(),
});

/** What a browser's choice comes to. `ungranted`: what was asked for and cannot be granted here. */
type Wish = { granted: Purpose[]; language?: Language; ungranted: Issue[] };

/** Anybody can type in anybody's address, so that a browser's word is no confirmation of it (ADR 0020). */
const NO_MAIL_FROM_BROWSERS: Issue = {
  path: 'purposes.email',
  rule: 'is granted by the confirmation link in a mail or by the brand’s server, not by a browser (UWG section 7)',
};

const NO_ACTIVATION: Issue = {
  path: 'purposes.activation',
  rule: 'is not granted while the browser objects by Sec-GPC or DNT',
};

/** An opt-in is explicit and stands against the browser's own objection, but for the handing on to others. */
const withoutHandingOn = (wish: Wish): Wish =>
  wish.granted.includes('activation')
    ? {
        ...wish,
        granted: [...underAutomatedObjection(wish.granted)],
        ungranted: [...wish.ungranted, NO_ACTIVATION],
      }
    : wish;

/**
 * `PUT /v1/consent`: gives, changes and withdraws in the same way; the same call again changes nothing and is answered with
 * the same cookies. A purpose that is not named is not granted.
 */
export async function putConsent(request: Request, deps: CollectDeps): Promise<Response> {
  const site = deps.plan.siteOfOrigin.get(request.headers.origin ?? '');
  if (site === undefined) {
    deps.count('Refused', 'origin');
    return refusal(403, [{ path: 'Origin', rule: 'must be a configured origin' }]);
  }
  const body = readBody(request.body, deps);
  if ('answer' in body) {
    deps.count('Refused', 'consent_body');
    return body.answer;
  }
  const wish = objectsAutomatically(request.headers) ? withoutHandingOn(body) : body;
  const browser = readBrowser(request.cookies, deps.keys, deps, request.receivedAt);
  return wish.granted.includes('storage')
    ? grant(wish, site, browser, request, deps)
    : refuseStorage(wish, site, browser, request, deps);
}

/**
 * `GET /v1/consent`: the choices that the cookie holds, so that a page can show them, and whether it may ask for others of
 * its own accord. It asks no store and sets nothing.
 */
export function getConsent(request: Request, deps: CollectDeps): Response {
  const { choices } = readBrowser(request.cookies, deps.keys, deps, request.receivedAt);
  return json(200, {
    ...choicesOf(choices?.granted ?? []),
    ...(choices && { givenAt: new Date(choices.givenAt).toISOString() }),
    mayAsk: mayAsk(choices, undefined, deps.terms.notice_version),
    notice: { version: deps.terms.notice_version },
  });
}

function readBody(text: string, { terms }: CollectDeps): Wish | { answer: Response } {
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
  const { purposes, notice } = parsed.data;
  if (notice && notice.version !== terms.notice_version)
    return {
      answer: refusal(400, [
        {
          path: 'notice.version',
          rule: `must be the version in force, ${terms.notice_version}; show that text and ask`,
        },
      ]),
    };
  return {
    granted: PURPOSES.filter((purpose) => purpose !== 'email' && purposes[purpose] === true),
    ...(notice && { language: notice.language }),
    ungranted: purposes.email === true ? [NO_MAIL_FROM_BROWSERS] : [],
  };
}

async function grant(
  { granted, language, ungranted }: Wish,
  site: string,
  browser: Browser,
  request: Request,
  deps: CollectDeps,
): Promise<Response> {
  const known = browser.deviceId ?? (await deviceOfSignal(request, deps));
  const newId = known === undefined ? deps.randomId() : undefined;
  const deviceId = known ?? deviceIdOf(newId as string, deps);
  const choice = { subject: deviceId, site, granted, method: 'browser', ...(language && { language }) } as const;
  const receipt = await recordChoice(choice, request, deps);
  const cookies = [consentCookie(granted, receipt.given_at, deviceId, deps)];
  if (newId !== undefined) cookies.push(setCookie(ID_COOKIE, newId));
  return { ...answer(granted, ungranted), cookies };
}

/** Without storage no device is made and no receipt kept; where there was a device, this is its withdrawal. */
async function refuseStorage(
  { granted, ungranted }: Wish,
  site: string,
  { deviceId, choices }: Browser,
  request: Request,
  deps: CollectDeps,
): Promise<Response> {
  deps.count('StorageRefused', site);
  // The same refusal again is no new choice, so it keeps its time. One that was signed for a device is another.
  const same = choices && deviceId === undefined && sameMask(choices.granted, granted) ? choices.givenAt : undefined;
  return { ...answer(granted, ungranted), cookies: await endDevice(granted, site, request, deps, same) };
}

const sameMask = (a: readonly Purpose[], b: readonly Purpose[]): boolean => purposeMask(a) === purposeMask(b);

/**
 * Withdraws for the presented device, where it has a receipt, and returns the cookies that end it in the browser; `givenAt`
 * is the time of the choice where it is older than the request.
 */
export async function endDevice(
  granted: readonly Purpose[],
  site: string,
  request: Request,
  deps: CollectDeps,
  givenAt = request.receivedAt,
): Promise<string[]> {
  const cookies = [consentCookie(granted, givenAt, '', deps)];
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

const choicesOf = (granted: readonly Purpose[]) => ({
  purposes: Object.fromEntries(PURPOSES.map((purpose) => [purpose, granted.includes(purpose)])),
});

const answer = (granted: readonly Purpose[], ungranted: readonly Issue[]): Response =>
  json(200, { ...choicesOf(granted), ...(ungranted.length > 0 && { ungranted }) });
