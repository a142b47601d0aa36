import { corsHeaders, PREFLIGHT_HEADERS } from '../domain/cors.ts';
import type { TrackingPlan } from '../domain/tracking-plan.ts';
import { getConsent, putConsent, unavailable } from './collect/consent.ts';
import type { CollectDeps } from './collect/deps.ts';
import { messages } from './collect/messages.ts';
import { click, pixel, targetOf } from './collect/pixel.ts';
import { StreamUnavailable } from './collect/receipts.ts';
import { gif, json, type Request, type Response, redirect } from './http.ts';

/** The door: one request in, one answer out. Routes as in domain/routes.ts, `decide` excepted. */
export async function collect(request: Request, deps: CollectDeps): Promise<Response> {
  if (request.method === 'GET' && request.path === deps.plan.config.pixelPath) return pixel(request, deps);
  if (request.method === 'GET' && request.path === '/click') return click(request, deps);
  const cors = corsHeaders(request.headers.origin, deps.plan.siteOfOrigin);
  if (request.method === 'OPTIONS')
    return { statusCode: 204, headers: { ...cors, ...PREFLIGHT_HEADERS, 'cache-control': 'no-store' } };
  let answer: Response;
  try {
    answer = await stateChanging(request, deps);
  } catch (error) {
    if (!(error instanceof StreamUnavailable)) throw error;
    deps.count('StreamFailed', 'consent');
    answer = unavailable();
  }
  Object.assign(answer.headers ?? {}, cors);
  return answer;
}

function stateChanging(request: Request, deps: CollectDeps): Response | Promise<Response> {
  if (request.path === '/v1/consent') {
    if (request.method === 'PUT') return putConsent(request, deps);
    if (request.method === 'GET') return getConsent(request, deps);
  }
  if (request.method === 'POST') {
    switch (request.path) {
      case '/v1/track':
        return messages(request, 'track', deps);
      case '/v1/page':
        return messages(request, 'page', deps);
      case '/v1/identify':
        return messages(request, 'identify', deps);
      case '/v1/batch':
        return messages(request, 'batch', deps);
    }
  }
  return json(404, { message: 'Not Found' });
}

/**
 * The answer where a table or the keys could not be reached: the pixel its GIF as ever, a click its way on, all others "send
 * it again".
 */
export function answerWithoutStores(request: Request, { config, siteOfOrigin }: TrackingPlan): Response {
  const { path, headers } = request;
  if (path === config.pixelPath) return gif();
  const target = path === '/click' ? targetOf(request, config) : undefined;
  if (target !== undefined) return redirect(target);
  const answer = unavailable();
  answer.headers = { ...answer.headers, ...corsHeaders(headers.origin, siteOfOrigin) };
  return answer;
}
