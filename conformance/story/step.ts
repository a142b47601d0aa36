import type { Purpose } from '../../domain/purposes.ts';

/**
 * A step of a story. A story is data: the same steps drive any door, and the only things that differ from run to run are
 * what a door draws at random and the time. `name` is unique; times and random ids are told by it when runs are compared.
 */
export type Step = RequestStep | CopyStep | SettleStep | PlanStep;

/** One request and the answer that it must have. */
export type RequestStep = {
  name: string;
  /** Whose cookies go with it and are kept; absent for a server, which has none. */
  browser?: string;
  /** Cookies that are sent as they stand, instead of a browser's. */
  forged?: Readonly<Record<string, string>>;
  method: 'GET' | 'POST' | 'PUT' | 'OPTIONS';
  path: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  /** The source whose write key is sent as Basic user name. */
  source?: string;
  /** JSON, with places for what a run fills in: see `ago` and `identityToken`. */
  body?: unknown;
  answer: Answer;
  /** Ask again until the answer is this one: what it tells of happens later than the request that caused it. */
  until?: true;
};

/** A browser that holds copies of another one's cookies, as they are now. */
export type CopyStep = { name: string; copy: string; as: string };

/** Waits until everything that is on the stream so far is folded and landed. */
export type SettleStep = { name: string; settle: true };

/** Runs the plan, from landing to publish. */
export type PlanStep = { name: string; plan: true };

/** What an answer must be. What is not named is not looked at, but for cookies: an answer sets those that are named. */
export type Answer = {
  status: number;
  /** By name in lower case; `null` where the header must be absent. */
  headers?: Readonly<Record<string, string | RegExp | null>>;
  cookies?: readonly CookieRule[];
  /** `gif` is the pixel's 43 bytes. JSON is compared as a whole; a pattern in it stands for any text that it fits. */
  body?: 'gif' | 'empty' | JsonObject;
};

/** A Set-Cookie line, told by what the cookie's value must be. */
export type CookieRule = 'consent cookie' | 'id cookie' | 'id cookie removed';

export type Json = string | number | boolean | null | RegExp | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json };

/** A place for a time: so many seconds before the story's own time, which two runs have in common. */
export type Ago = { agoSeconds: number };
export const ago = (seconds: number): Ago => ({ agoSeconds: seconds });

/** A place for an identity token, as the brand's server would sign it now. */
export type TokenPlace = { identityTokenOf: string; site: string };
export const identityToken = (user: string, site: string): TokenPlace => ({ identityTokenOf: user, site });

/** `context.consent` of a message that grants these purposes. */
export const consentOf = (...granted: Purpose[]) => ({
  consent: { categoryPreferences: Object.fromEntries(granted.map((purpose) => [purpose, true])) },
});
