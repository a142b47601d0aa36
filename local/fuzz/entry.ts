import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { RoutedFunction, routes } from '../../domain/routes.ts';
import { headBytes, MAX_BODY_BYTES, MAX_HEAD_BYTES, toEvent } from '../api-gateway.ts';
import { matchRoute } from '../door.ts';
import type { Answer } from './answer.ts';
import type { FuzzRequest } from './draft.ts';

/** What Lambda hands on as the answer of a synchronous call, in bytes; a longer one is a 5xx of the gateway's. */
const MAX_ANSWER_BYTES = 6 * 1024 * 1024;

export type Entries = Record<RoutedFunction, (event: unknown) => Promise<unknown>>;

const refusal = (status: number): Answer => ({ status, headers: {}, body: Buffer.alloc(0) });

/** Hands a request to its function as API Gateway does, within its limits, without any network. */
export async function sendToEntry(
  request: FuzzRequest,
  doors: ReturnType<typeof routes>,
  entries: Entries,
): Promise<Answer> {
  if (headBytes({ ...request, httpVersion: '1.1' }) > MAX_HEAD_BYTES) return refusal(431);
  const route = matchRoute(doors, request.method, request.target.split('?', 1)[0] ?? '');
  if (!route) return refusal(404);
  if (request.body.length > MAX_BODY_BYTES) return refusal(413);
  const { routeKey, pathParameters, name } = route;
  const event = toEvent(
    { ...request, httpVersion: '1.1', sourceIp: '203.0.113.9' },
    { routeKey, requestId: randomUUID(), now: Date.now(), ...(pathParameters && { pathParameters }) },
  );
  if ((event.body?.length ?? 0) > MAX_BODY_BYTES) return refusal(413);
  const answer = (await entries[name](event)) as APIGatewayProxyStructuredResultV2;
  if (Buffer.byteLength(JSON.stringify(answer)) > MAX_ANSWER_BYTES) return refusal(502);
  const body = Buffer.from(answer.body ?? '', answer.isBase64Encoded ? 'base64' : 'utf8');
  return { status: answer.statusCode ?? 200, headers: answer.headers ?? {}, body };
}
