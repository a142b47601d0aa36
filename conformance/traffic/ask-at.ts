import { gunzipSync } from 'node:zlib';
import type { Ask } from '../../local/erasure-proof/browser.ts';
import { type Door, exchange } from '../story/exchange.ts';

/** Answers of these states have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** A fetch that goes to a door whatever host the address names; bodies are text. */
export function askAt(door: Door): Ask {
  return async (url, { method = 'GET', headers, body }) => {
    const { pathname, search } = new URL(url);
    const answer = await exchange(door, {
      method,
      target: `${pathname}${search}`,
      headers: Object.fromEntries(new Headers(headers)),
      ...(typeof body === 'string' && { body }),
    });
    const told = new Headers();
    for (const [name, value] of Object.entries(answer.headers))
      if (typeof value === 'string' && name !== 'content-encoding') told.set(name, value);
    for (const cookie of answer.setCookies) told.append('set-cookie', cookie);
    const bytes = answer.headers['content-encoding'] === 'gzip' ? gunzipSync(answer.body) : answer.body;
    const content = BODILESS.has(answer.status) ? null : new Uint8Array(bytes);
    return new Response(content, { status: answer.status, headers: told });
  };
}
