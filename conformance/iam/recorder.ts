import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { callOf } from './recorded-call.ts';
import { runningFunction } from './running-function.ts';

/**
 * Records the calls that a process makes to AWS, without a change of its code: `node --import …/recorder.ts`, or the same
 * in NODE_OPTIONS. PAULA_CALLS_FILE names the file; several processes may share it, since each line is one short append.
 * What goes out by `fetch` is not seen, and need not be: functions send nothing but the pre-signed answer to CloudFormation
 * that way, which is no call with rights of their own.
 */
const file = process.env.PAULA_CALLS_FILE;
if (file === undefined) throw new Error('PAULA_CALLS_FILE: the file that the calls are written to is missing');

const written = new Set<string>();

function record(request: ClientRequest, body: string): void {
  const name = runningFunction.getStore() ?? process.env.AWS_LAMBDA_FUNCTION_NAME;
  const call = callOf({ path: request.path, headers: request.getHeaders(), body });
  if (name === undefined || call === undefined) return;
  const line = `${JSON.stringify({ function: name, ...call })}\n`;
  if (written.has(line)) return;
  written.add(line);
  appendFileSync(file as string, line);
}

/** Objects may be large and their bodies name nothing; the other services name what they work on in theirs. */
const namesInBody = (request: ClientRequest): boolean => request.hasHeader('x-amz-target');

subscribe('http.client.request.created', (message) => {
  const { request } = message as { request: ClientRequest };
  if (!namesInBody(request)) {
    record(request, '');
    return;
  }
  const chunks: Buffer[] = [];
  const take = (chunk: unknown): void => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as Uint8Array));
  };
  const { write, end } = request;
  request.write = function (this: ClientRequest, ...given: unknown[]): boolean {
    take(given[0]);
    return Reflect.apply(write, this, given) as boolean;
  } as ClientRequest['write'];
  request.end = function (this: ClientRequest, ...given: unknown[]): ClientRequest {
    take(given[0]);
    record(request, Buffer.concat(chunks).toString());
    return Reflect.apply(end, this, given) as ClientRequest;
  } as ClientRequest['end'];
});
