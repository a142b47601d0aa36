import { corsHeaders } from '../domain/cors.ts';
import {
  type DecisionInput,
  type Decisions,
  decide as decideOn,
  type Known,
  type Placement,
  unknown,
} from '../domain/decision.ts';
import type { DecisionRules } from '../domain/decision-rules.ts';
import type { Issue } from '../domain/field-values.ts';
import { opens, PURPOSES, type Purpose } from '../domain/purposes.ts';
import { purposesInForce } from '../domain/withdrawals.ts';
import { type Browser, underItsObjection } from './browser.ts';
import type { CollectDeps } from './collect/deps.ts';
import { isPersonKey, personIdsUnderKeys } from './collect/person.ts';
import { senderOf } from './collect/sender.ts';
import { type Related, readDevice, readPerson, readRelated } from './decide/known.ts';
import { type BrowserQuestion, readBody, readQuery, type ServerQuestion } from './decide/placements.ts';
import { json, type Request, type Response, refusal } from './http.ts';
import type { ReadItems } from './stored-items.ts';

export type DecideDeps = Pick<CollectDeps, 'plan' | 'keys' | 'hmac' | 'count'> & {
  rules: DecisionRules;
  /** Reads and verifies the cookies; `now` in milliseconds since the epoch. */
  identify: (cookies: readonly string[], now: number) => Browser;
  read: ReadItems;
  /** When audiences go out of date, in seconds since the epoch. */
  audienceExpiries: (audiences: readonly string[], now: number) => Promise<ReadonlyMap<string, number>>;
};

type SiteOfOrigin = ReadonlyMap<string, string>;

/** Largest body of a server's question: fifty placements with three full texts each, in any script, fit in. */
const MAX_BODY_BYTES = 128 * 1024;

/**
 * The door for decisions: show these banners or not, and why. `GET` asks for the browser whose cookies come along, `POST`
 * for a person, with the write key of a server source.
 */
export async function decide(request: Request, deps: DecideDeps): Promise<Response> {
  const cors = corsHeaders(request.headers.origin, deps.plan.siteOfOrigin);
  if (request.method === 'POST') return forServer(request, cors, deps);
  const question = readQuery(request.query);
  if ('errors' in question) return refusal(400, question.errors, cors);
  return json(200, answerTo(question, await forBrowser(request, question.placements, deps)), cors);
}

/** The answer where nothing could be read: nobody is known, so every banner is shown. */
export function undecided(request: Request, siteOfOrigin: SiteOfOrigin): Response {
  const cors = corsHeaders(request.headers.origin, siteOfOrigin);
  const question = request.method === 'POST' ? readBody(request.body) : readQuery(request.query);
  if ('errors' in question) return refusal(400, question.errors, cors);
  const decisions = unknown(question.placements);
  return json(200, 'single' in question ? answerTo(question, decisions) : decisions, cors);
}

/** One placement is answered as itself, a list as a list. */
function answerTo({ single }: BrowserQuestion, { decisions, audiences }: Decisions): object {
  return { ...(single ? decisions[0] : { decisions }), ...(audiences && { audiences }) };
}

async function forBrowser(request: Request, placements: readonly Placement[], deps: DecideDeps): Promise<Decisions> {
  const now = request.receivedAt;
  const { deviceId, granted } = underItsObjection(deps.identify(request.cookies, now), request);
  if (deviceId === undefined || !opens(granted, 'browser').fold) return unknown(placements);
  const device = await readDevice(deviceId, now, deps.read);
  if (!opens(purposesInForce(granted, device.link), 'browser').fold) return unknown(placements);
  const related = await readRelated(deviceId, device, now, deps.read);
  return decisionsOn({ granted, channel: 'browser', placements, now }, related, deps);
}

async function forServer(request: Request, cors: Record<string, string>, deps: DecideDeps): Promise<Response> {
  const refuse = (status: number, reason: string, errors: readonly Issue[]): Response => {
    deps.count('Refused', reason);
    return refusal(status, errors, cors);
  };
  const sender = senderOf(request.headers.authorization, deps);
  if (!sender)
    return refuse(401, 'write_key', [{ path: 'writeKey', rule: 'must be a live write key, as Basic user name' }]);
  if (sender.config.kind !== 'server')
    return refuse(403, 'write_key', [{ path: 'writeKey', rule: 'must be that of a server source' }]);
  if (Buffer.byteLength(request.body) > MAX_BODY_BYTES)
    return refuse(413, 'too_large', [{ path: '', rule: `must have at most ${MAX_BODY_BYTES} bytes` }]);
  const question = readBody(request.body);
  if ('errors' in question) return refuse(400, 'decision', question.errors);
  return json(200, await forPerson(question, request.receivedAt, deps), cors);
}

async function forPerson(question: ServerQuestion, now: number, deps: DecideDeps): Promise<Decisions> {
  const { personId, placements } = question;
  const granted = grantedBy(question);
  if (!opens(granted, 'server').fold) return unknown(placements);
  const related = await readPerson(
    isPersonKey(personId) ? [personId] : personIdsUnderKeys(personId, deps),
    now,
    deps.read,
  );
  if (related.siblings.length === 0 && !related.subjects.some(isKnown)) return unknown(placements);
  return decisionsOn({ granted, channel: 'server', placements, now }, related, deps);
}

/** A link alone may be what an erasure or a withdrawal has left, and nobody is to see that it did. */
const isKnown = ({ profile, link, audiences = [] }: Known): boolean =>
  profile !== undefined || audiences.length > 0 || link?.objected !== undefined;

/**
 * The purposes that a server says were chosen. Where it says nothing, `profile` alone: a person's profile stands only while
 * that is granted, since its withdrawal deletes it, and nothing that is read here shows any other purpose.
 */
const grantedBy = ({ context }: ServerQuestion): readonly Purpose[] =>
  context ? PURPOSES.filter((purpose) => context.consent.categoryPreferences[purpose] === true) : ['profile'];

async function decisionsOn(
  asked: Pick<DecisionInput, 'granted' | 'channel' | 'placements' | 'now'>,
  related: Related,
  { rules, audienceExpiries }: DecideDeps,
): Promise<Decisions> {
  const audiences = [...new Set(related.subjects.flatMap((subject) => subject.audiences ?? []))];
  const expiries = await audienceExpiries(audiences, asked.now);
  const isCurrent = (audience: string) => (expiries.get(audience) ?? 0) > asked.now / 1000;
  return decideOn({ ...asked, ...related, rules, isCurrent });
}
