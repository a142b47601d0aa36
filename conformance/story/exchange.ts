import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** Where a door answers. `host` goes into the Host header where the door's name is not that of its address. */
export type Door = { url: string; host?: string };

export type Request = {
  method: string;
  /** With its query. */
  target: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** How long silence is borne. */
  timeoutMs?: number;
};

/** An answer as it was on the wire. Header names are in lower case; times in milliseconds since the epoch. */
export type Exchange = {
  status: number;
  headers: IncomingHttpHeaders;
  setCookies: readonly string[];
  body: Buffer;
  sentAt: number;
  answeredAt: number;
};

/** API Gateway gives up a call after 30 seconds; a second more and the silence is the network's. */
const TIMEOUT_MS = 31_000;

/** Sends one request to a door, follows no redirect, and reads the answer to its end. Rejects where none comes. */
export function exchange(door: Door, request: Request): Promise<Exchange> {
  const { method, target, headers, body, timeoutMs = TIMEOUT_MS } = request;
  const url = new URL(door.url);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const options = {
    method,
    host: url.hostname,
    port: url.port,
    path: target,
    headers: {
      ...headers,
      ...(door.host !== undefined && { host: door.host }),
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    },
    timeout: timeoutMs,
    // A connection of its own: a kept one may be closed by the door just when the next request goes out on it.
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const sentAt = Date.now();
    const sent = send(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          setCookies: response.headers['set-cookie'] ?? [],
          body: Buffer.concat(chunks),
          sentAt,
          answeredAt: Date.now(),
        }),
      );
    });
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    sent.once('error', reject);
    sent.end(body);
  });
}

/** True for this machine itself, where browsers keep and send Secure cookies without TLS. */
export const isLocal = ({ hostname }: URL): boolean => hostname === 'localhost' || /^127\.|^\[::1\]$/.test(hostname);
