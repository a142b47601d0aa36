import type { Admission } from '../../domain/admit.ts';
import { ageSignal } from '../../domain/age-signal.ts';
import { clickTarget } from '../../domain/click-target.ts';
import type { PaulaConfig } from '../../domain/config.ts';
import { type PixelRequest, readClick, readPixel } from '../../domain/pixel.ts';
import { readBrowser, underItsObjection } from '../browser.ts';
import { gif, type Request, type Response, redirect, refusal } from '../http.ts';
import { admitSent, keyed } from './admit-request.ts';
import { judgeBySignal, settle, type Verdict } from './consent-signal.ts';
import type { CollectDeps } from './deps.ts';
import { StreamUnavailable } from './receipts.ts';

/** `GET` of the pixel: admits what it can and always answers the GIF. */
export async function pixel(request: Request, deps: CollectDeps): Promise<Response> {
  const query = new URLSearchParams(request.query);
  const read = readPixel(query, pageOf(request), deps.plan);
  if (read) return withCookies(gif(), await collectOne(read, query, request, deps));
  deps.count('Refused', 'site_unknown');
  return gif();
}

/** `GET /click`: sends the browser on to an allowed https target, and says no to any other without a redirect. */
export async function click(request: Request, deps: CollectDeps): Promise<Response> {
  const target = targetOf(request, deps.plan.config);
  if (target === undefined) {
    deps.count('Refused', 'click_target');
    return refusal(400, [{ path: 'to', rule: 'must be an https address on a host that a configured site allows' }]);
  }
  const query = new URLSearchParams(request.query);
  const read = readClick(query, pageOf(request), deps.plan);
  if (!read) {
    deps.count('Refused', 'site_unknown');
    return refusal(400, [{ path: 'site', rule: 'must be a configured site' }]);
  }
  return withCookies(redirect(target), await collectOne(read, query, request, deps));
}

/** Where a click leads to; undefined where that is no allowed address. */
export const targetOf = ({ query }: Request, config: PaulaConfig): string | undefined =>
  clickTarget(new URLSearchParams(query).get('to') ?? undefined, config);

const pageOf = (request: Request) => ({ url: request.headers.referer, userAgent: request.userAgent });

function withCookies(answer: Response, cookies: readonly string[]): Response {
  if (cookies.length > 0) answer.cookies = [...cookies];
  return answer;
}

/** Admits the event and returns the cookies to set. */
async function collectOne(
  read: PixelRequest,
  query: URLSearchParams,
  request: Request,
  deps: CollectDeps,
): Promise<readonly string[]> {
  if (read.unknown > 0) deps.count('UnknownParameters', read.sent.source, read.unknown);
  if (read.macros > 0) deps.count('UnexpandedMacros', read.sent.source, read.macros);
  // No parameter of the pixel holds an age, and tags send it all the same.
  const age = ageSignal({ properties: Object.fromEntries(query) }, request.receivedAt);
  const own = underItsObjection(readBrowser(request.cookies, deps.keys, deps, request.receivedAt), request);
  if (own.isRefused) deps.count('ConsentSignal', 'consent_cookie');
  const verdict: Verdict =
    read.signal && age !== 'under_16' ? await judgeBySignal(read.signal, read.sent.site, own, request, deps) : own;
  const admission = admitSent(read.sent, request, { ...verdict, age }, 0, deps);
  const cookies = await settled(verdict, admission, request, deps);
  if (cookies !== undefined && admission.outcome !== 'counted') {
    const failed = await deps.put([keyed(admission.record, deps)]);
    if (failed.length > 0) deps.count('StreamFailed', 'pixel');
  }
  return cookies ?? [];
}

/** The cookies to set; undefined where the lake could not be told of what the event rests on: then it is not kept either. */
async function settled(
  verdict: Verdict,
  admission: Admission,
  request: Request,
  deps: CollectDeps,
): Promise<readonly string[] | undefined> {
  try {
    return await settle(verdict, admission, request, deps);
  } catch (error) {
    if (!(error instanceof StreamUnavailable)) throw error;
    deps.count('StreamFailed', 'pixel');
    return undefined;
  }
}
