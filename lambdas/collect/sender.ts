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

/** Largest event that a source may send, in bytes of JSON. */
export const eventLimit = (source: SourceConfig): number =>
  source.kind === 'browser' ? BROWSER_EVENT_BYTES : SERVER_EVENT_BYTES;

/** Finds the source by the Basic user name or the body's `writeKey`; a browser source must also come from its site's origin. */
export function authenticate(
  request: Request,
  body: Record<string, unknown>,
  deps: CollectDeps,
): Sender | { answer: Response } {
  const key = basicUser(request.headers.authorization) ?? body.writeKey;
  const sender = typeof key === 'string' ? senderOf(key, deps) : undefined;
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

function basicUser(header: string | undefined): string | undefined {
  if (!header?.startsWith('Basic ')) return undefined;
  return Buffer.from(header.slice(6), 'base64').toString('utf8').split(':', 1)[0];
}

function senderOf(key: string, deps: CollectDeps): Sender | undefined {
  for (const [name, live] of Object.entries(deps.keys.writeKeys)) {
    const config = deps.plan.config.sources[name];
    if (config && live.includes(key)) return { name, config };
  }
  return undefined;
}

function hasOriginOf(site: string, request: Request, deps: CollectDeps): boolean {
  const { origin } = request.headers;
  return origin !== undefined && (deps.plan.config.sites[site]?.origins.includes(origin) ?? false);
}
