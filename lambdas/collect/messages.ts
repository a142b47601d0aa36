import type { Issue } from '../../domain/field-values.ts';
import { readSegmentMessage, type SegmentMessage } from '../../domain/segment-message.ts';
import { json, type Request, type Response, refusal } from '../http.ts';
import { keyed } from './admit-request.ts';
import { unavailable } from './consent.ts';
import type { CollectDeps } from './deps.ts';
import { judgeOf, type Outcome } from './judge.ts';
import { authenticate, BATCH_BYTES, BATCH_MESSAGES, eventLimit, type Sender } from './sender.ts';

/** `POST /v1/track|page|identify|batch`: the public Segment HTTP format. In a batch the good events are taken. */
export function messages(
  request: Request,
  route: SegmentMessage['type'] | 'batch',
  deps: CollectDeps,
): Response | Promise<Response> {
  if (exceeds(request.body, BATCH_BYTES))
    return refused(413, 'too_large', [{ path: '', rule: `must have at most ${BATCH_BYTES} bytes` }], deps);
  const body = parseObject(request.body);
  if (!body) return refused(400, 'no_json', [{ path: '', rule: 'must be a JSON object' }], deps);
  const sender = authenticate(request, body, deps);
  if ('answer' in sender) return sender.answer;
  return route === 'batch' ? batch(request, body, sender, deps) : single(request, body, route, sender, deps);
}

async function single(
  request: Request,
  body: Record<string, unknown>,
  type: SegmentMessage['type'],
  sender: Sender,
  deps: CollectDeps,
): Promise<Response> {
  const limit = eventLimit(sender.config);
  if (exceeds(request.body, limit))
    return refused(413, 'too_large', [{ path: '', rule: `must have at most ${limit} bytes` }], deps);
  const read = readSegmentMessage(body, type);
  const judge = await judgeOf(sender, [read], request, deps);
  const outcome = await judge(read, 0);
  if (!(await stored([outcome], deps))) return unavailable();
  if (outcome.issues.length > 0) return refusal(outcome.status, outcome.issues);
  return accepted({ ungranted: outcome.ungranted }, outcome.cookies);
}

async function batch(
  request: Request,
  body: Record<string, unknown>,
  sender: Sender,
  deps: CollectDeps,
): Promise<Response> {
  if (!Array.isArray(body.batch) || body.batch.length === 0)
    return refused(400, 'no_batch', [{ path: 'batch', rule: 'must be a list of messages' }], deps);
  if (body.batch.length > BATCH_MESSAGES)
    return refused(413, 'too_large', [{ path: 'batch', rule: `must have at most ${BATCH_MESSAGES} messages` }], deps);
  const limit = eventLimit(sender.config);
  const mayExceed = exceeds(request.body, limit);
  const read = body.batch.map((message: unknown) =>
    mayExceed && jsonBytes(message) > limit
      ? { issues: [{ path: '', rule: `must have at most ${limit} bytes` }] }
      : readSegmentMessage(withBatchContext(message, body.context)),
  );
  const judge = await judgeOf(sender, read, request, deps);
  const outcomes: Outcome[] = [];
  for (const [position, item] of read.entries()) outcomes.push(await judge(item, position));
  if (!(await stored(outcomes, deps))) return unavailable();
  const bad = listed(outcomes);
  const cookies = outcomes.flatMap((outcome) => outcome.cookies);
  if (bad.length === outcomes.length) return json(outcomes[0]?.status ?? 400, { success: false, rejected: bad });
  return accepted({ rejected: bad, ungranted: ungrantedOf(outcomes) }, cookies);
}

/** A UTF-16 unit is three bytes of UTF-8 at most, so most bodies need not be measured. */
const exceeds = (text: string, bytes: number): boolean => text.length * 3 > bytes && Buffer.byteLength(text) > bytes;

/** Bytes of a message as JSON; without end where it is nested deeper than the engine's stack can follow. */
function jsonBytes(message: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(message));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Lambda answers with 6 MB at most; with these, of 150 bytes each, and one for each message, an answer stays below. */
const LISTED_ISSUES = 20_000;

/** The bad messages with what is wrong with them; when there is no more room, with the first thing that is. */
function listed(outcomes: readonly Outcome[]): { index: number; errors: readonly Issue[] }[] {
  let room = LISTED_ISSUES;
  return outcomes.flatMap(({ issues }, index) => {
    if (issues.length === 0) return [];
    const errors = issues.slice(0, Math.max(1, room));
    room -= errors.length;
    return [{ index, errors }];
  });
}

/** One for a message at most, so that they need no bound of their own. */
const ungrantedOf = (outcomes: readonly Outcome[]): { index: number; errors: readonly Issue[] }[] =>
  outcomes.flatMap(({ ungranted }, index) => (ungranted ? [{ index, errors: ungranted }] : []));

/** A batch may carry a context for all of its messages; a message's own entries win. */
function withBatchContext(message: unknown, context: unknown): unknown {
  if (typeof context !== 'object' || context === null || typeof message !== 'object' || message === null)
    return message;
  const own = (message as { context?: unknown }).context;
  return { ...message, context: { ...context, ...(typeof own === 'object' ? own : {}) } };
}

async function stored(outcomes: readonly Outcome[], deps: CollectDeps): Promise<boolean> {
  const records: ReturnType<typeof keyed>[] = [];
  for (const outcome of outcomes) for (const record of outcome.records) records.push(keyed(record, deps));
  const failed = records.length === 0 ? [] : await deps.put(records);
  if (failed.length > 0) deps.count('StreamFailed', 'post', failed.length);
  return failed.length === 0;
}

/** What was taken; with the messages that were not, and the purposes that were claimed and not granted, if any. */
function accepted(but: Readonly<Record<string, readonly unknown[] | undefined>>, cookies: readonly string[]): Response {
  const exceptions = Object.entries(but).filter(([, list]) => list !== undefined && list.length > 0);
  const answer = json(200, { success: true, ...Object.fromEntries(exceptions) });
  if (cookies.length > 0) answer.cookies = [...cookies];
  return answer;
}

function refused(status: number, reason: string, issues: readonly Issue[], deps: CollectDeps): Response {
  deps.count('Refused', reason);
  return refusal(status, issues);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body)
      ? (body as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
