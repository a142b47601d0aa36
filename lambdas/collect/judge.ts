import type { Admission } from '../../domain/admit.ts';
import { ageSignal } from '../../domain/age-signal.ts';
import type { Issue } from '../../domain/field-values.ts';
import { basisOf, grantedToServer } from '../../domain/granted.ts';
import type { Purpose } from '../../domain/purposes.ts';
import {
  consentOf,
  type readSegmentMessage,
  type SegmentMessage,
  sentOf,
  userIdOf,
} from '../../domain/segment-message.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { type Browser, readBrowser, underItsObjection } from '../browser.ts';
import type { Request } from '../http.ts';
import { admitSent } from './admit-request.ts';
import { endDevice } from './consent.ts';
import type { CollectDeps } from './deps.ts';
import { withMailPermission } from './email-grant.ts';
import { endMinor } from './end-minor.ts';
import { type IdentifyRefusal, identifyBrowser } from './identify.ts';
import { personIds } from './person.ts';
import { type Choice, recordChoice } from './receipts.ts';
import type { Sender } from './sender.ts';

/** What a message leads to: records for the stream, cookies to set, and what was wrong with it under which status. */
export type Outcome = {
  records: readonly StreamRecord[];
  cookies: readonly string[];
  status: number;
  issues: readonly Issue[];
  /** Purposes that the message claimed and that were not granted; it is taken without them. */
  ungranted?: readonly Issue[];
};

/** A message that was read, or why it is none. */
type Read = ReturnType<typeof readSegmentMessage>;

/** Judges the messages of one request, in their order: an identify changes who the next ones come from. */
export type Judge = (read: Read, position: number) => Outcome | Promise<Outcome>;

/** The judge for a sender's messages; what it needs from the tables is read once for all of them. */
export function judgeOf(
  sender: Sender,
  reads: readonly Read[],
  request: Request,
  deps: CollectDeps,
): Judge | Promise<Judge> {
  return sender.config.kind === 'browser'
    ? browserJudge(sender, request, deps)
    : serverJudge(sender, reads, request, deps);
}

/** A browser's choices are its cookie's, cut by what the message itself grants; the message alone grants nothing. */
function browserJudge(sender: Sender, request: Request, deps: CollectDeps): Judge {
  let browser: Browser = underItsObjection(readBrowser(request.cookies, deps.keys, deps, request.receivedAt), request);
  if (browser.isRefused) deps.count('ConsentSignal', 'consent_cookie');
  const site = sender.config.site;

  const identify = async (message: SegmentMessage, granted: readonly Purpose[], position: number): Promise<Outcome> => {
    const identified = await identifyBrowser(message, { ...browser, granted }, site, request, deps);
    if ('refused' in identified) {
      deps.count('Refused', identified.refused);
      return { records: NONE, cookies: NONE, status: 403, issues: [identityIssue(identified.refused)] };
    }
    const { deviceId, records, cookies } = identified;
    browser = { ...browser, deviceId };
    const outcome = outcomeOf(admitMessage(message, request, sender, { deviceId, granted }, position, deps));
    return { ...outcome, records: [...records, ...outcome.records], cookies };
  };

  /** A minor's event is dropped, and the device ends as by a withdrawal: nothing later of this request is its either. */
  const minor = async (message: SegmentMessage, position: number): Promise<Outcome> => {
    const cookies = browser.deviceId === undefined ? NONE : await endDevice(NONE, site, request, deps);
    browser = { granted: NONE };
    const outcome = outcomeOf(
      admitMessage(message, request, sender, { granted: NONE, age: 'under_16' }, position, deps),
    );
    return { ...outcome, cookies };
  };

  return (read, position) => {
    if ('issues' in read) return invalid(read.issues, request, sender, deps);
    const { message } = read;
    if (ageSignal(message, request.receivedAt) === 'under_16') return minor(message, position);
    const granted = cutBy(consentOf(message), browser.granted);
    if (message.type === 'identify') return identify(message, granted, position);
    return outcomeOf(admitMessage(message, request, sender, { deviceId: browser.deviceId, granted }, position, deps));
  };
}

const identityIssue = (refused: IdentifyRefusal['refused']): Issue =>
  refused === 'identity_token'
    ? {
        path: 'context.identityToken',
        rule: 'identity_token: must be a live token that the brand signed for this site',
      }
    : { path: 'context.consent', rule: 'identity_consent: needs the cookie and a live identity_merge receipt' };

const cutBy = (sent: readonly Purpose[] | undefined, granted: readonly Purpose[]): readonly Purpose[] =>
  sent === undefined ? granted : granted.filter((purpose) => sent.includes(purpose));

/**
 * A server's choices are the message's, cut by what is stored of the person's withdrawals and objection; a message without
 * any rests on what the configuration claims as a legitimate interest.
 */
async function serverJudge(
  sender: Sender,
  reads: readonly Read[],
  request: Request,
  deps: CollectDeps,
): Promise<Judge> {
  const persons = await personIds(
    reads.flatMap((read) => ('message' in read ? (userIdOf(read.message) ?? []) : [])),
    deps,
  );
  const links = await deps.links.read([...new Set(persons.values())]);
  const method = sender.config.kind === 'import' ? 'import' : 'server';

  return async (read, position) => {
    if ('issues' in read) return invalid(read.issues, request, sender, deps);
    const { message } = read;
    const personId = persons.get(userIdOf(message) ?? '');
    if (personId === undefined)
      return invalid(
        [{ path: 'userId', rule: 'is required for a server source' }],
        request,
        sender,
        deps,
        'user_missing',
      );
    const refresh = async () => {
      for (const [id, link] of await deps.links.read([personId])) links.set(id, link);
    };
    if (ageSignal(message, request.receivedAt) === 'under_16') {
      await endMinor(personId, { site: sender.config.site, method }, request, deps);
      await refresh();
      return outcomeOf(admitMessage(message, request, sender, { granted: NONE, age: 'under_16' }, position, deps));
    }
    const sent = consentOf(message);
    const { refused, ...allowed } = await withMailPermission(sent ?? NONE, message, personId, request.receivedAt, deps);
    const choice: Choice = { subject: personId, site: sender.config.site, method, ...allowed };
    if (message.type === 'identify' && sent) {
      await recordChoice(choice, request, deps);
      await refresh();
    }
    const inForce = grantedToServer({
      choice: sent && choice.granted,
      link: links.get(personId),
      purposes: deps.plan.config.purposes,
      now: request.receivedAt,
    });
    const by = { personId, granted: inForce.purposes, basis: basisOf(inForce) };
    const outcome = outcomeOf(admitMessage(message, request, sender, by, position, deps));
    if (!refused) return outcome;
    deps.count('Refused', 'email_permission');
    return { ...outcome, ungranted: [refused] };
  };
}

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

const NONE: readonly never[] = [];

function outcomeOf(admission: Admission): Outcome {
  if (admission.outcome === 'counted') return { records: NONE, cookies: NONE, status: 200, issues: NONE };
  const issues = admission.outcome === 'rejected' ? admission.issues : NONE;
  return { records: [admission.record], cookies: NONE, status: 400, issues };
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
  return { records: [record], cookies: NONE, status: 400, issues };
}
