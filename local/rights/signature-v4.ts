import { createHash, createHmac, type Hash, type Hmac, hash, timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest } from '@smithy/types';
import { splitTarget } from '../api-gateway.ts';
import type { SignedRequest } from '../door.ts';
import type { SigningKey } from './signing-key.ts';

/** The service of API Gateway's own routes in a credential's scope. */
const SERVICE = 'execute-api';

/** AWS refuses a signature whose clock is off by more. */
const MAX_SKEW_MS = 5 * 60_000;

const CONTENT_HASH = 'x-amz-content-sha256';

/** SHA-256, or HMAC-SHA-256 with a secret, as the signer takes it. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

const signerWith = (credentials: SigningKey, region: string): SignatureV4 =>
  new SignatureV4({ credentials, region, service: SERVICE, sha256: Sha256, applyChecksum: false });

/** Signs a call as the brand's server does: returns the headers to send. `at` in milliseconds since the epoch. */
export async function signedHeaders(
  { method, url, body = '' }: { method: string; url: string; body?: string },
  key: SigningKey,
  region: string,
  at: number,
): Promise<Record<string, string>> {
  const { host, pathname, search } = new URL(url);
  const request = httpRequest(method, `${pathname}${search}`, { host }, Buffer.from(body));
  const { headers } = await signerWith(key, region).sign(request, { signingDate: new Date(at) });
  const { host: _, ...sent } = headers;
  return sent;
}

type Claim = { accessKeyId: string; scope: string; names: readonly string[]; signature: string };

/** `AWS4-HMAC-SHA256 Credential=ID/SCOPE, SignedHeaders=a;b, Signature=hex`. */
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/([^,\s]+),\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$/;

/**
 * Verifies an AWS Signature Version 4 in the headers as IAM does in front of API Gateway: a known key, the scope of the day,
 * region and service, `host`, the date and every `x-amz-` header among those that are signed, a clock that is off by five
 * minutes at most, the body's hash, and then the signature itself, made anew and compared in constant time. Returns false for
 * any fault. `now` in milliseconds. Source: "Authenticating Requests (AWS Signature Version 4)", AWS general reference.
 */
export async function isSigned(request: SignedRequest, key: SigningKey, region: string, now: number): Promise<boolean> {
  const headers = headersOf(request.rawHeaders);
  if (!headers) return false;
  const claim = claimOf(headers.authorization);
  const date = headers['x-amz-date'] ?? '';
  const at = timeOf(date);
  if (!claim || at === undefined || Math.abs(now - at) > MAX_SKEW_MS) return false;
  if (claim.accessKeyId !== key.accessKeyId) return false;
  if (claim.scope !== `${date.slice(0, 8)}/${region}/${SERVICE}/aws4_request`) return false;
  const demanded = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
  if (!demanded.every((name) => claim.names.includes(name))) return false;
  const content = headers[CONTENT_HASH];
  if (content !== undefined && content !== hash('sha256', request.body, 'hex')) return false;

  const signed: Record<string, string> = {};
  for (const name of claim.names) {
    const value = headers[name];
    if (value === undefined) return false;
    signed[name] = value;
  }
  const again = await signerWith(key, region).sign(httpRequest(request.method, request.target, signed, request.body), {
    signingDate: new Date(at),
    signableHeaders: new Set(claim.names),
  });
  const expected = claimOf(again.headers.authorization)?.signature ?? '';
  return timingSafeEqual(Buffer.from(claim.signature.padEnd(64)), Buffer.from(expected.padEnd(64)));
}

/** Names in lower case; undefined where one comes twice, since the two could be read differently. */
function headersOf(raw: readonly string[]): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    if (headers[name] !== undefined) return undefined;
    headers[name] = raw[i + 1] ?? '';
  }
  return headers;
}

function claimOf(authorization: string | undefined): Claim | undefined {
  const [, accessKeyId, scope, names, signature] = AUTHORIZATION.exec(authorization ?? '') ?? [];
  if (!accessKeyId || !scope || !names || !signature) return undefined;
  return { accessKeyId, scope, names: names.split(';'), signature };
}

/** `20261124T112233Z` in milliseconds. */
function timeOf(date: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

function httpRequest(method: string, target: string, headers: Record<string, string>, body: Buffer): HttpRequest {
  const { path, query } = splitTarget(target);
  const parameters: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const before = parameters[name];
    parameters[name] = before === undefined ? value : [before, value].flat();
  }
  return { method, protocol: 'http:', hostname: headers.host ?? '', path, query: parameters, headers, body };
}
