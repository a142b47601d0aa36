import type { Admission } from '../../domain/admit.ts';
import type { Issue } from '../../domain/field-values.ts';
import type { LinkItem } from '../../domain/items.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { consentOf, readSegmentMessage, type SegmentMessage, sentOf, userIdOf } from '../../domain/segment-message.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { purposesInForce } from '../../domain/withdrawals.ts';
import { type Browser, readBrowser } from '../browser.ts';
import { json, type Request, type Response, refusal } from '../http.ts';
import { admitSent, keyed } from './admit-request.ts';
import { unavailable } from './consent.ts';
import type { CollectDeps } from './deps.ts';
import { identifyBrowser, personIdOf } from './identify.ts';
import { recordChoice } from './receipts.ts';
import { authenticate, BATCH_BYTES, eventLimit, type Sender } from './sender.ts';

/** One message's way through the door: what is to be stored, what is to be answered. */
type Outcome = { records: StreamRecord[]; cookies: string[]; status: number; issues: readonly Issue[] };

/** `POST /v1/track|page|identify|batch`: the public Segment HTTP format. In a batch the good events are taken. */
export async function messages(
  request: Request,
  route: SegmentMessage['type'] | 'batch',
  deps: CollectDeps,
): Promise<Response> {
  const bytes = Buffer.byteLength(request.body);
  if (bytes > BATCH_BYTES)
    return refused(413, 'too_large', [{ path: '', rule: `must have at most ${BATCH_BYTES} bytes` }], deps);
  const body = parseObject(request.body);
  if (!body) return refused(400, 'no_json', [{ path: '', rule: 'must be a JSON object' }], deps);
  const sender = authenticate(request, body, deps);
  if ('answer' in sender) return sender.answer;
  return route === 'batch' ? batch(request, body, sender, deps) : single(request, body, bytes, route, sender, deps);
}

async function single(
  request: Request,
  body: Record<string, unknown>,
  bytes: number,
  type: SegmentMessage['type'],
  sender: Sender,
  deps: CollectDeps,
): Promise<Response> {
  const limit = eventLimit(sender.config);
  if (bytes > limit) return refused(413, 'too_large', [{ path: '', rule: `must have at most ${limit} bytes` }], deps);
  const [outcome] = await outcomesOf([readSegmentMessage(body, type)], request, sender, deps);
  if (!outcome) throw new Error('a message had no outcome');
  if (!(await stored([outcome], request, deps))) return unavailable();
  if (outcome.issues.length > 0) return refusal(outcome.status, outcome.issues);
  return accepted([], outcome.cookies);
}

async function batch(
  request: Request,
  body: Record<string, unknown>,
  sender: Sender,
  deps: CollectDeps,
): Promise<Response> {
  if (!Array.isArray(body.batch) || body.batch.length === 0)
    return refused(400, 'no_batch', [{ path: 'batch', rule: 'must be a list of messages' }], deps);
  const limit = eventLimit(sender.config);
  const mayExceed = Buffer.byteLength(request.body) > limit;
  const read = body.batch.map((message: unknown) =>
    mayExceed && Buffer.byteLength(JSON.stringify(message)) > limit
      ? { issues: [{ path: '', rule: `must have at most ${limit} bytes` }] }
      : readSegmentMessage(withBatchContext(message, body.context)),
  );
  const outcomes = await outcomesOf(read, request, sender, deps);
  if (!(await stored(outcomes, request, deps))) return unavailable();
  const bad = outcomes.flatMap((outcome, index) =>
    outcome.issues.length > 0 ? [{ index, errors: outcome.issues }] : [],
  );
  const cookies = outcomes.flatMap((outcome) => outcome.cookies);
  if (bad.length === outcomes.length) return json(outcomes[0]?.status ?? 400, { success: false, rejected: bad });
  return accepted(bad, cookies);
}

/** A batch may carry a context for all of its messages; a message's own entries win. */
function withBatchContext(message: unknown, context: unknown): unknown {
  if (typeof context !== 'object' || context === null || typeof message !== 'object' || message === null)
    return message;
  const own = (message as { context?: unknown }).context;
  return { ...message, context: { ...context, ...(typeof own === 'object' ? own : {}) } };
}

type Read = ReturnType<typeof readSegmentMessage>;

async function outcomesOf(
  read: readonly Read[],
  request: Request,
  sender: Sender,
  deps: CollectDeps,
): Promise<Outcome[]> {
  return sender.config.kind === 'browser'
    ? browserOutcomes(read, request, sender, deps)
    : serverOutcomes(read, request, sender, deps);
}

/** A browser's choices are its cookie's, cut by what the message itself grants; the message alone grants nothing. */
async function browserOutcomes(
  read: readonly Read[],
  request: Request,
  sender: Sender,
  deps: CollectDeps,
): Promise<Outcome[]> {
  let browser: Pick<Browser, 'deviceId' | 'granted'> = readBrowser(
    request.cookies,
    deps.keys,
    deps,
    request.receivedAt,
  );
  const outcomes: Outcome[] = [];
  for (const [position, item] of read.entries()) {
    if ('issues' in item) {
      outcomes.push(invalid(item.issues, request, sender, deps));
      continue;
    }
    const { message } = item;
    const granted = cutBy(consentOf(message), browser.granted);
    if (message.type !== 'identify') {
      outcomes.push(
        outcomeOf(admitMessage(message, request, sender, { deviceId: browser.deviceId, granted }, position, deps)),
      );
      continue;
    }
    const identified = await identifyBrowser(
      message,
      { ...browser, granted },
      sender.config.site,
      request.receivedAt,
      deps,
    );
    if ('refused' in identified) {
      deps.count('Refused', identified.refused);
      outcomes.push({ records: [], cookies: [], status: 403, issues: [identityIssue(identified.refused)] });
      continue;
    }
    browser = { deviceId: identified.deviceId, granted: browser.granted };
    const outcome = outcomeOf(
      admitMessage(message, request, sender, { deviceId: identified.deviceId, granted }, position, deps),
    );
    outcomes.push({ ...outcome, records: [...identified.records, ...outcome.records], cookies: identified.cookies });
  }
  return outcomes;
}

const identityIssue = (refused: 'identity_token' | 'identity_consent'): Issue =>
  refused === 'identity_token'
    ? {
        path: 'context.identityToken',
        rule: 'identity_token: must be a live token that the brand signed for this site',
      }
    : { path: 'context.consent', rule: 'identity_consent: needs the cookie and a live identity_merge receipt' };

/** A server's choices are the message's, cut by the person's stored withdrawals. */
async function serverOutcomes(
  read: readonly Read[],
  request: Request,
  sender: Sender,
  deps: CollectDeps,
): Promise<Outcome[]> {
  const persons = new Map<string, string>();
  for (const item of read) {
    const userId = 'message' in item ? userIdOf(item.message) : undefined;
    if (userId !== undefined) persons.set(userId, personIdOf(userId, deps));
  }
  const links = persons.size > 0 ? await deps.links.read([...new Set(persons.values())]) : new Map<string, LinkItem>();

  const outcomes: Outcome[] = [];
  for (const [position, item] of read.entries()) {
    if ('issues' in item) {
      outcomes.push(invalid(item.issues, request, sender, deps));
      continue;
    }
    const { message } = item;
    const personId = persons.get(userIdOf(message) ?? '');
    if (personId === undefined) {
      outcomes.push(
        invalid([{ path: 'userId', rule: 'is required for a server source' }], request, sender, deps, 'user_missing'),
      );
      continue;
    }
    const sent = consentOf(message);
    const told =
      message.type === 'identify' && sent
        ? await recordChoice(
            { subject: personId, site: sender.config.site, granted: sent, method: 'server', at: request.receivedAt },
            deps,
          )
        : undefined;
    const granted = told ? told.receipt.granted : purposesInForce(sent ?? [], links.get(personId));
    const outcome = outcomeOf(admitMessage(message, request, sender, { personId, granted }, position, deps));
    outcomes.push({ ...outcome, records: [...(told?.records ?? []), ...outcome.records] });
  }
  return outcomes;
}

const cutBy = (sent: readonly Purpose[] | undefined, granted: readonly Purpose[]): readonly Purpose[] =>
  sent === undefined ? granted : granted.filter((purpose) => sent.includes(purpose));

function admitMessage(
  message: SegmentMessage,
  request: Request,
  sender: Sender,
  by: Parameters<typeof admitSent>[2],
  position: number,
  deps: CollectDeps,
): Admission {
  return admitSent(sentOf(message, sender, request.userAgent), request, by, position, deps);
}

function outcomeOf(admission: Admission): Outcome {
  if (admission.outcome === 'counted') return { records: [], cookies: [], status: 200, issues: [] };
  const issues = admission.outcome === 'rejected' ? admission.issues : [];
  return { records: [admission.record], cookies: [], status: 400, issues };
}

/** A message that is none leaves a rejection without an event name: nothing that it says can be believed. */
function invalid(
  issues: readonly Issue[],
  request: Request,
  sender: Sender,
  deps: CollectDeps,
  reason = 'message_invalid',
): Outcome {
  deps.count('Rejected', reason);
  const path = issues[0]?.path;
  const record: StreamRecord = {
    kind: 'rejected',
    received_at: request.receivedAt,
    source: sender.name,
    site: sender.config.site,
    reason,
    ...(path && { path }),
  };
  return { records: [record], cookies: [], status: 400, issues };
}

async function stored(outcomes: readonly Outcome[], request: Request, deps: CollectDeps): Promise<boolean> {
  const records = outcomes.flatMap((outcome) => outcome.records);
  const failed = records.length === 0 ? [] : await deps.put(records.map((record, i) => keyed(record, request, i)));
  if (failed.length > 0) deps.count('StreamFailed', 'post', failed.length);
  return failed.length === 0;
}

function accepted(rejected: readonly { index: number; errors: readonly Issue[] }[], cookies: string[]): Response {
  const answer = json(200, rejected.length > 0 ? { success: true, rejected } : { success: true });
  if (cookies.length > 0) answer.cookies = cookies;
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
