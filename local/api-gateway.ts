import type { IncomingMessage, ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';

/** What API Gateway admits as request line and header fields together, in bytes. */
export const MAX_HEAD_BYTES = 10_240;

/** What Lambda admits as the payload of a synchronous call, in bytes; the body is by far the largest part of it. */
export const MAX_BODY_BYTES = 6 * 1024 * 1024;

/** A request as far as an event needs it; `rawHeaders` alternates names and values, as node gives them. */
export type DoorRequest = {
  method: string;
  target: string;
  httpVersion: string;
  rawHeaders: readonly string[];
  body: Buffer;
  sourceIp: string;
};

/** What API Gateway adds of its own: the route that matched, the id and the time (ms) of the request. */
export type DoorContext = { routeKey: string; pathParameters?: Record<string, string>; requestId: string; now: number };

/** Splits a request target into path and query string as they were sent; an absolute target loses scheme and host. */
export function splitTarget(target: string): { path: string; query: string } {
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target)?.[0] ?? '';
  const rest = target.slice(origin.length);
  const mark = rest.indexOf('?');
  return mark < 0
    ? { path: rest || '/', query: '' }
    : { path: rest.slice(0, mark) || '/', query: rest.slice(mark + 1) };
}

/** Bytes of the request line and the header fields, as they were on the wire. */
export function headBytes({ method, target, httpVersion, rawHeaders }: Omit<DoorRequest, 'body' | 'sourceIp'>): number {
  // "METHOD TARGET HTTP/1.1\r\n", then per field "Name: value\r\n", then the empty line.
  const line = method.length + Buffer.byteLength(target) + httpVersion.length + 9;
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, line + 2);
}

/**
 * Builds the event of a Lambda proxy integration, payload format 2.0: names in lower case, duplicates of a header or a
 * query parameter joined with commas, cookies in a list of their own, the body in base64 unless it is text.
 * Source: "Create AWS Lambda proxy integrations for HTTP APIs", API Gateway developer guide.
 */
export function toEvent(request: DoorRequest, context: DoorContext): APIGatewayProxyEventV2 {
  const { path, query } = splitTarget(request.target);
  const { headers, cookies } = readHeaders(request.rawHeaders);
  const text = isText(headers);
  return {
    version: '2.0',
    routeKey: context.routeKey,
    rawPath: path,
    rawQueryString: query,
    ...(cookies.length > 0 && { cookies }),
    headers,
    ...(query !== '' && { queryStringParameters: joined(new URLSearchParams(query)) }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: headers.host ?? '',
      domainPrefix: (headers.host ?? '').split('.', 1)[0] ?? '',
      http: {
        method: request.method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: context.requestId,
      routeKey: context.routeKey,
      stage: '$default',
      time: commonLogTime(context.now),
      timeEpoch: context.now,
    },
    ...(context.pathParameters && { pathParameters: context.pathParameters }),
    ...(request.body.length > 0 && { body: request.body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: request.body.length > 0 && !text,
  };
}

function readHeaders(raw: readonly string[]): { headers: Record<string, string>; cookies: string[] } {
  const fields: [string, string][] = [];
  const cookies: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    if (name === 'cookie')
      cookies.push(
        ...value
          .split(';')
          .map((cookie) => cookie.trim())
          .filter(Boolean),
      );
    else fields.push([name, value]);
  }
  return { headers: joined(fields), cookies };
}

function joined(pairs: Iterable<[string, string]>): Record<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) values.set(name, values.has(name) ? `${values.get(name)},${value}` : value);
  return Object.fromEntries(values);
}

/** The media types that API Gateway hands on as they are, none among them; everything else, forms too, is in base64. */
const TEXT_TYPE = /^(|text\/.*|application\/(json|xml|javascript|.*\+json|.*\+xml))$/;

function isText(headers: Record<string, string>): boolean {
  if (headers['content-encoding']) return false;
  const type = (headers['content-type'] ?? '').split(';', 1)[0] ?? '';
  return TEXT_TYPE.test(type.trim().toLowerCase());
}

/** `24/Nov/2026:11:14:13 +0000`. */
function commonLogTime(now: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) (\S+)/.exec(new Date(now).toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
}

/** The structured answer of payload format 2.0. */
const Structured = z.looseObject({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  cookies: z.array(z.string()).optional(),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().optional(),
});

/**
 * Writes a function's answer. Without a `statusCode` the answer itself is the JSON body of a 200, as format 2.0 infers;
 * an answer that has one and is malformed is the gateway's 500. Returns the status that was written.
 */
export function writeAnswer(response: ServerResponse, answer: unknown): number {
  const structured = typeof answer === 'object' && answer !== null && 'statusCode' in answer;
  if (!structured) return write(response, 200, { 'content-type': 'application/json' }, JSON.stringify(answer ?? null));
  const parsed = Structured.safeParse(answer);
  if (!parsed.success) return writeRefusal(response, 500);
  const { statusCode, headers = {}, cookies = [], body = '', isBase64Encoded } = parsed.data;
  const fields: Record<string, string | string[]> = { 'content-type': 'text/plain; charset=utf-8' };
  for (const [name, value] of Object.entries(headers)) fields[name.toLowerCase()] = String(value);
  if (cookies.length > 0) fields['set-cookie'] = cookies;
  try {
    return write(response, statusCode, fields, isBase64Encoded ? Buffer.from(body, 'base64') : body);
  } catch {
    // A header that no HTTP message may carry.
    return writeRefusal(response, 500);
  }
}

const REFUSALS = {
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Request Entity Too Large',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;

/** Writes an answer of the gateway itself: `{"message": …}`. */
export function writeRefusal(response: ServerResponse, status: keyof typeof REFUSALS): number {
  const body = JSON.stringify({ message: REFUSALS[status] });
  return write(response, status, { 'content-type': 'application/json' }, body);
}

function write(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | string[]>,
  body: string | Buffer,
): number {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const bodiless = status === 204 || status === 304;
  response.writeHead(status, bodiless ? headers : { ...headers, 'content-length': String(bytes.length) });
  response.end(bodiless ? undefined : bytes);
  return status;
}

/** Reads a body; undefined as soon as it is over the limit, and the rest is not read. Rejects when the client hangs up. */
export async function readBody(request: IncomingMessage, limit: number = MAX_BODY_BYTES): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
