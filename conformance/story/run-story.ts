import { setTimeout as pause } from 'node:timers/promises';
import { SignJWT } from 'jose';
import type { Keys } from '../../domain/keys.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { deviceIdOf } from '../../lambdas/browser.ts';
import { Browser } from './browser.ts';
import { faultsOf } from './check-answer.ts';
import { type Door, type Exchange, exchange } from './exchange.ts';
import type { Ago, RequestStep, Step, TokenPlace } from './step.ts';

/** What a story is run against: a platform with its door and its keys. */
export type StoryTarget = {
  door: Door;
  keys: Keys;
  /** Resolves once everything on the stream is folded and landed; rejects where that does not come. */
  settle: () => Promise<void>;
  /** Runs the plan to its end; rejects where it fails. */
  runPlan: () => Promise<void>;
};

/** When a step was under way, milliseconds since the epoch; no two overlap. */
export type StepTime = { step: string; from: number; to: number };

export type StoryRun = {
  steps: readonly StepTime[];
  /** Device ids by name: `device of paula`, and `device 2 of kiosk` where a second one began there. */
  devices: ReadonlyMap<string, string>;
  /** What was not as the story has it. */
  faults: readonly { step: string; what: string }[];
  requests: number;
};

/** How long an answer that tells of something later is waited for: a batching window of a minute, and a busy machine. */
const UNTIL_MS = 120_000;
const ASK_EVERY_MS = 200;

/** As the door takes them. */
const TOKEN_LIFE = '10m';

/**
 * Tells a story to a door, one step after the other. `storyTime` (milliseconds) is what its times count back from; two
 * runs that are to be compared have it in common. A wrong answer is noted and the story goes on; what is waited for in
 * vain, or a step that fails, ends it.
 */
export async function runStory(story: readonly Step[], target: StoryTarget, storyTime: number): Promise<StoryRun> {
  const browsers = new Map<string, Browser>();
  const browserOf = (name: string): Browser => {
    const browser = browsers.get(name) ?? new Browser();
    browsers.set(name, browser);
    return browser;
  };
  const steps: StepTime[] = [];
  const faults: { step: string; what: string }[] = [];
  let requests = 0;

  const ask = async (step: RequestStep): Promise<string[]> => {
    const browser = step.browser === undefined ? undefined : browserOf(step.browser);
    const body = step.body === undefined ? undefined : JSON.stringify(await filled(step.body, storyTime, target.keys));
    const answer = await send(step, browser, body, target);
    requests++;
    browser?.keep(answer.setCookies);
    return faultsOf(answer, step.answer);
  };

  const take = async (step: Step): Promise<string[]> => {
    if ('copy' in step) browsers.set(step.as, browserOf(step.copy).copy());
    else if ('settle' in step) await target.settle();
    else if ('plan' in step) await target.runPlan();
    else if (step.until) return until(() => ask(step));
    else return ask(step);
    return [];
  };

  for (const step of story) {
    const from = await afterward(steps.at(-1)?.to ?? 0);
    let ends = false;
    const found = await take(step).catch((error: Error) => {
      ends = true;
      return [error.message];
    });
    steps.push({ step: step.name, from, to: Date.now() });
    for (const what of found) faults.push({ step: step.name, what });
    if (ends || ('until' in step && found.length > 0)) break;
  }
  return { steps, devices: devicesOf(browsers), faults, requests };
}

/** The next millisecond after a time, so that a time says which step it belongs to. */
async function afterward(time: number): Promise<number> {
  while (Date.now() <= time) await pause(1);
  return Date.now();
}

async function until(ask: () => Promise<string[]>): Promise<string[]> {
  const end = Date.now() + UNTIL_MS;
  let faults = await ask();
  while (faults.length > 0 && Date.now() < end) {
    await pause(ASK_EVERY_MS);
    faults = await ask();
  }
  return faults;
}

function send(
  step: RequestStep,
  browser: Browser | undefined,
  body: string | undefined,
  { door, keys }: StoryTarget,
): Promise<Exchange> {
  const forged = Object.entries(step.forged ?? {}).map(([name, value]) => `${name}=${value}`);
  const cookie = step.forged ? forged.join('; ') : (browser?.cookieHeader(door) ?? '');
  const key = step.source === undefined ? undefined : keys.writeKeys[step.source]?.[0];
  const headers = {
    ...step.headers,
    ...(cookie && { cookie }),
    ...(key && { authorization: `Basic ${btoa(`${key}:`)}` }),
  };
  const target = step.query ? `${step.path}?${new URLSearchParams({ ...step.query })}` : step.path;
  return exchange(door, { method: step.method, target, headers, ...(body !== undefined && { body }) });
}

/** The body with its places filled in. */
async function filled(value: unknown, storyTime: number, keys: Keys): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((each) => filled(each, storyTime, keys)));
  if (typeof value !== 'object' || value === null) return value;
  if ('agoSeconds' in value) return new Date(storyTime - (value as Ago).agoSeconds * 1000).toISOString();
  if ('identityTokenOf' in value) return signedToken(value as TokenPlace, keys);
  const entries = Object.entries(value).map(async ([name, each]) => [name, await filled(each, storyTime, keys)]);
  return Object.fromEntries(await Promise.all(entries));
}

async function signedToken({ identityTokenOf, site }: TokenPlace, keys: Keys): Promise<string> {
  const key = keys.identity[site]?.[0];
  if (!key) throw new Error(`site "${site}" has no identity key`);
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256', kid: key.id })
    .setSubject(identityTokenOf)
    .setAudience(site)
    .setIssuedAt()
    .setExpirationTime(TOKEN_LIFE)
    .sign(Buffer.from(key.key, 'base64url'));
}

function devicesOf(browsers: ReadonlyMap<string, Browser>): Map<string, string> {
  const devices = new Map<string, string>();
  for (const [name, { ids }] of browsers)
    for (const [i, id] of ids.entries())
      devices.set(deviceIdOf(id, hashes), i === 0 ? `device of ${name}` : `device ${i + 1} of ${name}`);
  return devices;
}
