import type { SourceConfig } from '../../domain/config.ts';
import { type Request, type Response, refusal } from '../http.ts';
import type { CollectDeps } from './deps.ts';

/** The source that a write key stands for. */
export type Sender = { name: string; config: SourceConfig };

/** Longest event of a browser source: Segment's own limit. */
const BROWSER_EVENT_BYTES = 32 * 1024;
/** Longest event of a server source: real orders have a thousand lines. */
const SERVER_EVENT_BYTES = 256 * 1024;
/** Longest batch: Segment's own limit. */
export const BATCH_BYTES = 500 * 1024;
/** Most messages of a batch: 500 kB of real ones are fewer, and a message of two bytes must not cost a record each. */
export const BATCH_MESSAGES = 1000;

/** Largest event that a source may send, in bytes of JSON. */
export const eventLimit = (source: SourceConfig): number =>
  source.kind === 'browser' ? BROWSER_EVENT_BYTES : SERVER_EVENT_BYTES;

/** Finds the source by the Basic user name or the body's `writeKey`; a browser source must also come from its site's origin. */
export function authenticate(
  request: Request,
  body: Record<string, unknown>,
  deps: CollectDeps,
): Sender | { answer: Response } {
  const sender = senderOf(request.headers.authorization ?? body.writeKey, deps);
  if (!sender) {
    deps.count('Refused', 'write_key');
    return {
      answer: refusal(401, [{ path: 'writeKey', rule: 'must be a live write key, as Basic user name or in the body' }]),
    };
  }
  if (sender.config.kind === 'browser' && !hasOriginOf(sender.config.site, request, deps)) {
    deps.count('Refused', 'origin');
    return { answer: refusal(403, [{ path: 'Origin', rule: "must be an origin of the source's site" }]) };
  }
  return sender;
}

function basicUser(header: unknown): string | undefined {
  if (typeof header !== 'string' || !/^basic /i.test(header)) return undefined;
  const credentials = Buffer.from(header.slice(6), 'base64').toString('latin1');
  const colon = credentials.indexOf(':');
  return colon === -1 ? credentials : credentials.slice(0, colon);
}

/** The senders by write key, and by the header that holds it with an empty password; made once for each document of keys. */
const senders = new WeakMap<CollectDeps['keys'], Map<unknown, Sender>>();

/** The source of a live write key, or of the header that holds it as Basic user name. */
export function senderOf(credentials: unknown, { keys, plan }: Pick<CollectDeps, 'keys' | 'plan'>): Sender | undefined {
  let known = senders.get(keys);
  if (!known) {
    known = new Map();
    for (const [name, live] of Object.entries(keys.writeKeys)) {
      const config = plan.config.sources[name];
      if (!config) continue;
      for (const writeKey of live) {
        known.set(writeKey, { name, config });
        known.set(`Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`, { name, config });
      }
    }
    senders.set(keys, known);
  }
  return known.get(credentials) ?? known.get(basicUser(credentials));
}

const hasOriginOf = (site: string, request: Request, deps: CollectDeps): boolean =>
  deps.plan.siteOfOrigin.get(request.headers.origin ?? '') === site;
