import { connect } from 'node:net';
import { LOOPBACK } from '../loopback.ts';
import type { Answer } from './answer.ts';
import type { FuzzRequest } from './draft.ts';

/** As long as API Gateway waits for a function; who has not answered by then has failed. */
const TIMEOUT_MS = 30_000;

/** The request line and the header fields as the request has them. */
export const entryHead = ({ method, target, rawHeaders }: FuzzRequest): Buffer => head(method, target, rawHeaders);

/** The same with what the wire needs: the body's length, and an end, since each request has a connection of its own. */
export const wireHead = ({ method, target, rawHeaders, body }: FuzzRequest): Buffer =>
  head(method, target, [
    ...rawHeaders,
    ...['Connection', 'close'],
    ...(body.length > 0 ? ['Content-Length', String(body.length)] : []),
  ]);

function head(method: string, target: string, fields: readonly string[]): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`];
  for (let i = 0; i < fields.length; i += 2) lines.push(`${fields[i]}: ${fields[i + 1]}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Sends the bytes of a request on a connection of its own; `status` 0 where no answer came. */
export function sendOnWire(request: FuzzRequest, port: number): Promise<Answer> {
  const sent = request.malformed ?? Buffer.concat([wireHead(request), request.body]);
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect(port, LOOPBACK, () => socket.write(sent));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on('data', (data) => received.push(data));
    // The door may refuse and close before it has read everything.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(readAnswer(Buffer.concat(received))));
    if (request.malformed) socket.on('connect', () => socket.end());
  });
}

function readAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return { status: 0, headers: {}, body: Buffer.alloc(0) };
  const [line = '', ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(':');
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  return { status: Number(line.split(' ')[1]), headers, body: bytes.subarray(end + 4) };
}
