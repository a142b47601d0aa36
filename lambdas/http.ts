import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** One HTTP request as the use cases see it. `body` is decoded text; header names are lower-case. */
export type Request = {
  method: string;
  path: string;
  query: string;
  headers: Readonly<Record<string, string | undefined>>;
  cookies: readonly string[];
  body: string;
  sourceIp: string;
  userAgent: string | undefined;
  requestId: string;
  /** The gateway's time of receipt, milliseconds since the epoch. */
  receivedAt: number;
};

export type Response = APIGatewayProxyStructuredResultV2;

/** Reads an HTTP API event of payload format 2.0. */
export function readRequest(event: APIGatewayProxyEventV2): Request {
  const { http, requestId, timeEpoch } = event.requestContext;
  const body = event.body ?? '';
  return {
    method: http.method,
    path: event.rawPath,
    query: event.rawQueryString,
    headers: event.headers,
    cookies: event.cookies ?? [],
    body: event.isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body,
    sourceIp: http.sourceIp,
    userAgent: event.headers['user-agent'],
    requestId,
    receivedAt: timeEpoch,
  };
}

/** Nothing that the door answers may be kept by a cache: it depends on cookies and on consent that can end. */
const NO_STORE = { 'cache-control': 'no-store' };

/** A JSON answer. */
export const json = (statusCode: number, body: unknown, headers: Record<string, string> = {}): Response => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(body),
});

/** An answer that names what was wrong: the path of each field and its rule. */
export const refusal = (
  statusCode: number,
  errors: readonly { path: string; rule: string }[],
  headers: Record<string, string> = {},
): Response => json(statusCode, { success: false, errors }, headers);

/** The transparent GIF of one pixel, 43 bytes. */
const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==';

/** The pixel's one answer, whatever was asked. */
export const gif = (): Response => ({
  statusCode: 200,
  headers: { 'content-type': 'image/gif', ...NO_STORE },
  body: GIF,
  isBase64Encoded: true,
});

/** A redirect that no cache keeps and that passes no referrer on. */
export const redirect = (location: string): Response => ({
  statusCode: 302,
  headers: { location, 'referrer-policy': 'no-referrer', ...NO_STORE },
  body: '',
});
