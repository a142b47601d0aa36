import { ageSignal } from '../../domain/age-signal.ts';
import { clickTarget } from '../../domain/click-target.ts';
import { type PixelRequest, readClick, readPixel } from '../../domain/pixel.ts';
import { readBrowser } from '../browser.ts';
import { gif, type Request, type Response, redirect, refusal } from '../http.ts';
import { admitSent, keyed } from './admit-request.ts';
import type { CollectDeps } from './deps.ts';

/** `GET` of the pixel: admits what it can and always answers the GIF. */
export async function pixel(request: Request, deps: CollectDeps): Promise<Response> {
  const query = new URLSearchParams(request.query);
  const read = readPixel(query, pageOf(request), deps.plan);
  if (read) await collectOne(read, query, request, deps);
  else deps.count('Refused', 'site_unknown');
  return gif();
}

/** `GET /click`: sends the browser on to an allowed https target, and says no to any other without a redirect. */
export async function click(request: Request, deps: CollectDeps): Promise<Response> {
  const query = new URLSearchParams(request.query);
  const target = clickTarget(query.get('to') ?? undefined, deps.plan.config);
  if (target === undefined) {
    deps.count('Refused', 'click_target');
    return refusal(400, [{ path: 'to', rule: 'must be an https address on a host that a configured site allows' }]);
  }
  const read = readClick(query, pageOf(request), deps.plan);
  if (!read) {
    deps.count('Refused', 'site_unknown');
    return refusal(400, [{ path: 'site', rule: 'must be a configured site' }]);
  }
  await collectOne(read, query, request, deps);
  return redirect(target);
}

const pageOf = (request: Request) => ({ url: request.headers.referer, userAgent: request.userAgent });

async function collectOne(
  read: PixelRequest,
  query: URLSearchParams,
  request: Request,
  deps: CollectDeps,
): Promise<void> {
  if (read.unknown > 0) deps.count('UnknownParameters', read.sent.source, read.unknown);
  if (read.macros > 0) deps.count('UnexpandedMacros', read.sent.source, read.macros);
  const browser = readBrowser(request.cookies, deps.keys, deps, request.receivedAt);
  // No parameter of the pixel holds an age, and tags send it all the same.
  const age = ageSignal({ properties: Object.fromEntries(query) }, request.receivedAt);
  const admission = admitSent(read.sent, request, { ...browser, age }, 0, deps);
  if (admission.outcome === 'counted') return;
  const failed = await deps.put([keyed(admission.record, deps)]);
  if (failed.length > 0) deps.count('StreamFailed', 'pixel');
}
