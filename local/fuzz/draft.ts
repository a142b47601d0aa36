import type { DoorRequest } from '../api-gateway.ts';

/** How a request was made. */
export type Kind = 'valid' | 'mutated' | 'random';

/** A request in parts that can be changed one by one. `base` is the route key of the valid request that it began as. */
export type Draft = {
  base: string;
  method: string;
  path: string;
  query: [name: string, value: string][];
  headers: [name: string, value: string][];
  json?: unknown;
  /** Stands in the place of `query`, as it is. */
  rawQuery?: string;
  /** Stands in the place of `json`. */
  body?: Buffer;
};

/** A request as it goes over the wire; texts are byte strings (each character is a byte). */
export type FuzzRequest = Pick<DoorRequest, 'method' | 'target' | 'rawHeaders' | 'body'> & {
  base: string;
  kind: Kind;
  /** The bytes of a request that is no HTTP; the parts above do not count then. */
  malformed?: Buffer;
};

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');

/** What no well-formed target may hold (RFC 3986: all but ASCII's visible characters) is percent-encoded, as browsers do. */
const targetOf = (text: string): string =>
  bytesOf(text).replace(/[^!-~]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** What no well-formed header may hold becomes a question mark; space around it would not arrive. */
const fieldOf = (text: string): string =>
  bytesOf(text)
    .replace(/[^\t -~\u0080-\u00ff]/g, '?')
    .trim();

/** The draft as a well-formed HTTP request. */
export function render(draft: Draft, kind: Kind): FuzzRequest {
  const query = draft.rawQuery ?? new URLSearchParams(draft.query).toString();
  const json = draft.json === undefined ? '' : JSON.stringify(draft.json);
  return {
    base: draft.base,
    kind,
    method: draft.method,
    target: targetOf(query === '' ? draft.path : `${draft.path}?${query}`),
    rawHeaders: draft.headers.flatMap(([name, value]) => [name, fieldOf(value)]),
    body: draft.body ?? Buffer.from(json),
  };
}
