import { CONSENT_COOKIE, expireCookie, ID_COOKIE } from '../domain/consent-cookie.ts';
import { corsHeaders } from '../domain/cors.ts';
import { type RequestItem, statusOf } from '../domain/rights.ts';
import { presentedDevice } from './browser.ts';
import { unavailable } from './collect/consent.ts';
import { StreamUnavailable } from './collect/receipts.ts';
import { json, type Request, type Response, refusal } from './http.ts';
import { type BundleFormat, bundleKey } from './rights/bundle-key.ts';
import type { RightsDeps } from './rights/deps.ts';
import { type Asked, askAccess, erase, object } from './rights/requests.ts';
import { MAX_CUSTOMER_ID, subjectsOfPerson } from './rights/subjects.ts';

/** A request with the route that matched, its `{id}`, and who signed it where the gateway has verified that. */
export type RightsRequest = Request & { route: string; id?: string; caller?: string };

/** After so many seconds a page may ask again for its bundle: the job runs once an hour. */
const RETRY_AFTER_SECONDS = 600;

/** Lambda answers with 6 MB at most, and base64 makes a third more of the bytes. */
const MAX_ANSWER_BYTES = 4_400_000;

const MEDIA_TYPES: Readonly<Record<BundleFormat, string>> = {
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
};

/**
 * The door for rights. A browser proves by its cookie that it is that device, and gets that device's data and no other. A
 * person's data need the brand's signed call: the gateway has verified the signature, and without it nothing is answered.
 */
export async function rights(request: RightsRequest, deps: RightsDeps): Promise<Response> {
  const cors = corsHeaders(request.headers.origin, deps.plan.siteOfOrigin);
  let answer: Response;
  try {
    answer = await (request.path.startsWith('/v1/me') ? ofDevice(request, deps) : ofBrand(request, deps));
  } catch (error) {
    if (!(error instanceof StreamUnavailable)) throw error;
    deps.count('StreamFailed', 'rights');
    answer = unavailable();
  }
  Object.assign(answer.headers ?? {}, cors);
  return answer;
}

async function ofDevice(request: RightsRequest, deps: RightsDeps): Promise<Response> {
  const { origin } = request.headers;
  const reads = request.method === 'GET';
  // Pages send no Origin when they read from their own host, and a person may follow a link to the data.
  if (!(reads && origin === undefined) && !deps.plan.siteOfOrigin.has(origin ?? ''))
    return refused(403, 'origin', { path: 'Origin', rule: 'must be a configured origin' }, deps);
  const device = presentedDevice(request.cookies, deps);
  if (device === undefined)
    return refused(401, 'cookie', { path: 'Cookie', rule: `must hold ${ID_COOKIE}, which proves the device` }, deps);
  const asked: Asked = { subjects: [device], channel: 'device', at: request.receivedAt };
  switch (request.route) {
    case 'GET /v1/me': {
      const access = await askAccess(asked, deps);
      const format = formatOf(request) ?? 'json';
      return access.state === 'ready' ? bundleAnswer(access, format, deps) : taken(access);
    }
    case 'POST /v1/me/objection':
      return json(200, { request: statusOf(await object(asked, deps)) });
    case 'POST /v1/me/erasure':
      // The browser is nobody from here on, as if it had never been asked.
      return { ...taken(await erase(asked, deps)), cookies: [ID_COOKIE, CONSENT_COOKIE].map(expireCookie) };
    default:
      return json(404, { message: 'Not Found' });
  }
}

async function ofBrand(request: RightsRequest, deps: RightsDeps): Promise<Response> {
  if (request.caller === undefined)
    return refused(
      403,
      'signature',
      { path: 'Authorization', rule: 'must be a verified AWS Signature Version 4' },
      deps,
    );
  if (request.route === 'GET /v1/requests/{id}') return statusAnswer(request, deps);
  const id = request.id ?? '';
  if (id === '' || id.length > MAX_CUSTOMER_ID)
    return refusal(400, [{ path: 'id', rule: `must be a customer id of ${MAX_CUSTOMER_ID} characters at most` }]);
  const asked = async (): Promise<Asked> => {
    return { subjects: await subjectsOfPerson(id, deps), channel: 'person', at: request.receivedAt };
  };
  switch (request.route) {
    case 'POST /v1/persons/{id}/export':
      return taken(await askAccess(await asked(), deps));
    case 'POST /v1/persons/{id}/objection':
      return json(200, { request: statusOf(await object(await asked(), deps)) });
    case 'POST /v1/persons/{id}/erasure':
      return taken(await erase(await asked(), deps));
    default:
      return json(404, { message: 'Not Found' });
  }
}

async function statusAnswer(request: RightsRequest, deps: RightsDeps): Promise<Response> {
  const found = /^[\w-]{22}$/.test(request.id ?? '') ? await deps.ledger.request(request.id ?? '') : undefined;
  if (!found) return refusal(404, [{ path: 'id', rule: 'must be the id of a request' }]);
  const format = formatOf(request);
  if (format === undefined) return json(200, { request: statusOf(found) });
  if (found.right !== 'access' || found.state !== 'ready')
    return refusal(409, [{ path: 'format', rule: 'there is a bundle once an access request is ready' }]);
  return bundleAnswer(found, format, deps);
}

function formatOf(request: RightsRequest): BundleFormat | undefined {
  const format = new URLSearchParams(request.query).get('format');
  return format === 'json' || format === 'csv' ? format : undefined;
}

async function bundleAnswer({ id }: RequestItem, format: BundleFormat, deps: RightsDeps): Promise<Response> {
  const file = await deps.bundle(bundleKey(id, format));
  if (!file) return refusal(410, [{ path: '', rule: 'the bundle has expired; ask again' }]);
  if (file.byteLength > MAX_ANSWER_BYTES)
    return refusal(413, [{ path: '', rule: 'the bundle is too large for an answer; the controller hands it over' }]);
  return {
    statusCode: 200,
    headers: {
      'content-type': MEDIA_TYPES[format],
      'content-encoding': 'gzip',
      'content-disposition': `attachment; filename="data.${format}"`,
      'cache-control': 'no-store',
    },
    body: Buffer.from(file).toString('base64'),
    isBase64Encoded: true,
  };
}

const taken = (request: RequestItem): Response =>
  json(202, { request: statusOf(request) }, { 'retry-after': String(RETRY_AFTER_SECONDS) });

function refused(
  status: number,
  reason: string,
  error: { path: string; rule: string },
  { count }: RightsDeps,
): Response {
  count('Refused', reason);
  return refusal(status, [error]);
}
