import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SignJWT } from 'jose';
import { defineConfig } from '../../domain/config.ts';
import { completeKeys, type Keys } from '../../domain/keys.ts';
import { routes } from '../../domain/routes.ts';
import { decodeStreamRecord, type StreamRecord } from '../../domain/stream-record.ts';
import { lakeTables } from '../../domain/tables.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import { randomKey } from '../../lambdas/adapters/keys-document.ts';
import { deviceIdOf } from '../../lambdas/browser.ts';
import { admissionDeps } from '../../lambdas/collect/admit-request.ts';
import type { CollectDeps } from '../../lambdas/collect/deps.ts';
import { receiptTerms } from '../../lambdas/collect/receipt-terms.ts';
import { collect } from '../../lambdas/collect.ts';
import { type Lake, openLake } from '../../local/lake.ts';
import type { Platform } from '../../local/platform.ts';
import { CONTROL_HEADER, readControl } from '../../local/secrets.ts';
import demo from '../../paula.config.ts';
import { lakeRows, type Stored, storedFiles, storedItems, streamedRecords } from '../flow/stored.ts';
import { grantingString, LISTED, nonGrantingSignals, type Signal } from './non-granting-signals.ts';

// A platform, a thousand requests and a run of its plan, on a machine that may be busy.
jest.setTimeout(240_000);

const SHOP = 'https://www.lindenblatt.example';
const PORTAL = 'https://www.beauty-portal.example';
const TARGET = `${SHOP}/serum`;
const CUSTOMER = 'customer-r1-0815';
const NOW = Date.now();
/** A campaign of the two requests that do have consent; all others carry the other one. */
const CONTROL = 'control';
const CAMPAIGN = 'without';

/** The demo brand as a vendor of the framework. The entries load `paula.config.ts` themselves. */
const config = defineConfig({ ...demo, tcf: LISTED });
jest.unstable_mockModule('../../paula.config.ts', () => ({ default: config }));

type Sending = { path: string; headers?: Record<string, string>; body?: object };

/** A request of every route, as a browser would send it that hopes for more than it was granted. */
const SENDINGS: Readonly<Record<string, (key: string, token: string) => Sending>> = {
  [`GET ${config.pixelPath}`]: () => ({ path: `${config.pixelPath}?e=impression&site=portal&c=${CAMPAIGN}` }),
  'GET /click': () => ({ path: `/click?site=portal&c=${CAMPAIGN}&to=${encodeURIComponent(TARGET)}` }),
  'POST /v1/track': (key) =>
    message('/v1/track', key, { event: 'Product Viewed', properties: { product_id: 'serum' } }),
  'POST /v1/page': (key) => message('/v1/page', key, { name: 'Home' }),
  'POST /v1/identify': (key, token) =>
    message('/v1/identify', key, { userId: CUSTOMER, context: { identityToken: token } }),
  'POST /v1/batch': (key) =>
    message('/v1/batch', key, { batch: [{ type: 'track', event: 'Product Viewed', properties: { product_id: 'a' } }] }),
  'GET /v1/consent': () => ({ path: '/v1/consent', headers: { origin: SHOP } }),
  'PUT /v1/consent': () => ({
    path: '/v1/consent',
    headers: { origin: SHOP, 'content-type': 'application/json' },
    body: { purposes: { storage: false, measurement: true } },
  }),
  'GET /v1/decision': () => ({ path: '/v1/decision?product=serum', headers: { origin: PORTAL } }),
  'POST /v1/decision': (key) => ({
    ...message('/v1/decision', key, {}),
    body: { personId: CUSTOMER, placements: [{ product: 'serum' }] },
  }),
  'GET /v1/me': () => ({ path: '/v1/me', headers: { origin: SHOP } }),
  'POST /v1/me/objection': () => ({ path: '/v1/me/objection', headers: { origin: SHOP } }),
  'POST /v1/me/erasure': () => ({ path: '/v1/me/erasure', headers: { origin: SHOP } }),
  'POST /v1/persons/{id}/export': () => ({ path: `/v1/persons/${CUSTOMER}/export` }),
  'POST /v1/persons/{id}/objection': () => ({ path: `/v1/persons/${CUSTOMER}/objection` }),
  'POST /v1/persons/{id}/erasure': () => ({ path: `/v1/persons/${CUSTOMER}/erasure` }),
  'GET /v1/requests/{id}': () => ({ path: `/v1/requests/${randomId()}` }),
  'OPTIONS /v1/{proxy+}': () => ({
    path: '/v1/track',
    headers: { origin: SHOP, 'access-control-request-method': 'POST' },
  }),
};

const message = (path: string, key: string, body: object): Sending => ({
  path,
  headers: {
    origin: SHOP,
    'content-type': 'application/json',
    authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
  },
  body: { ...body, context: { ...('context' in body ? (body.context as object) : {}), consent: EVERYTHING } },
});

/** What a page claims in a message grants nothing by itself. */
const EVERYTHING = {
  categoryPreferences: { storage: true, measurement: true, profile: true, personalisation: true, identity_merge: true },
};

const routeKeys = routes(config).map(({ method, path }) => `${method} ${path}`);
/** The calls by which a person asks for a right: the id cookie proves the device, and the request names it. */
const isRight = (route: string): boolean => route.includes(' /v1/me');

/** Every presented id begins so, so that it is found in whatever form it is kept. */
const ID_PREFIX = 'R1nothing';
const newId = (): string => ID_PREFIX + randomId().slice(0, 22 - ID_PREFIX.length);
const DEVICE_ID = /d\.[\w-]{43}/g;

const SIGNAL_NAMES = Object.keys(nonGrantingSignals(NOW, { id: 'k1', key: '' }));
const CASES = routeKeys.flatMap((route) =>
  SIGNAL_NAMES.flatMap((signal) => [false, true].map((withId) => ({ route, signal, withId }))),
);

/** Pixel, click, track, page and batch are counted, each with and without an id cookie. */
const EVENTS = 5 * 2 * SIGNAL_NAMES.length;

type Answer = { status: number; headers: Headers; cookies: string[]; body: string };

let state: string;
let platform: Platform;
const answers = new Map<string, Answer>();
/** Devices that a right was asked for, and the one that has consent. */
const known = new Set<string>();
let granted: Answer[] = [];
let records: StreamRecord[] = [];
let streamed: Stored[] = [];
let items: Stored[] = [];
let lake: Lake;
const ends: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'paula-r1-'));
  ends.push(() => rmSync(state, { recursive: true }));
  const { startPlatform } = await import('../../local/platform.ts');
  platform = await startPlatform({ port: 0, stateDir: state, config, planEvery: 'off', log: () => undefined });
  ends.push(() => platform.stop());
  const { keys } = platform;
  const signals = nonGrantingSignals(NOW, keys.cookie[0] as Keys['cookie'][0]);
  const token = await identityToken(keys);
  for (const { route, signal, withId } of CASES) {
    const id = newId();
    if (isRight(route)) known.add(deviceIdOf(id, hashes));
    answers.set(nameOf(route, signal, withId), await send(route, signals[signal] ?? {}, id, withId, token));
  }
  granted = await sendWithConsent();

  await until(async () => platform.status().consumers.every(({ behind }) => behind === 0));
  const { token: control } = readControl(state);
  const run = await fetch(`${platform.url}/local/plan`, { method: 'POST', headers: { [CONTROL_HEADER]: control } });
  expect(run.status).toBe(200);
  streamed = await all(streamedRecords(platform.engines.kinesis));
  items = await all(storedItems(platform.engines.dynamodb));
  records = streamed.map(({ bytes }) => decodeStreamRecord(bytes.toString().slice(bytes.indexOf('{'))));
  await platform.stop();
  const objects = join(state, 's3/buckets/paula-lake/objects');
  lake = await openLake({ folder: join(state, 'lake'), objects, tables: lakeTables(config) });
  ends.push(() => lake.close());
  await lake.refreshLanding('2000-01-01');
});

afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

describe('the table', () => {
  it('has every route of the door', () => {
    expect(Object.keys(SENDINGS).sort()).toEqual([...routeKeys].sort());
  });

  it.each(routeKeys)('%s sets no cookie, names no cache and no id, whatever non-granting signal comes', (route) => {
    for (const signal of SIGNAL_NAMES)
      for (const withId of [false, true]) {
        const { headers, cookies, body, status } = answers.get(nameOf(route, signal, withId)) as Answer;
        const said = `${[...headers].map(([name, value]) => `${name}: ${value}`).join('\n')}\n${body}`;
        expect({
          signal,
          withId,
          cookies: cookies.filter((cookie) => !mayBeSet(cookie, route)),
          cached: ['etag', 'last-modified', 'expires'].filter((name) => headers.has(name)),
          ids: [...(said.match(DEVICE_ID) ?? []), ...(said.includes(ID_PREFIX) ? [ID_PREFIX] : [])],
          failed: status >= 500,
        }).toEqual({ signal, withId, cookies: [], cached: [], ids: [], failed: false });
        // What the gateway refuses itself has no header of ours.
        if (status !== 403 || cookies.length > 0) expect(headers.get('cache-control')).toBe('no-store');
      }
  });

  it('answers the pixel with the same bytes and the click with the same address, whoever asks', () => {
    const of = (route: string) => CASES.filter((each) => each.route === route).map((each) => answerTo(each));
    expect(new Set(of(`GET ${config.pixelPath}`).map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect(
      new Set(of('GET /click').map(({ status, headers, body }) => `${status} ${headers.get('location')} ${body}`)),
    ).toEqual(new Set([`302 ${TARGET} `]));
    const decisions = new Set(of('GET /v1/decision').map(({ body }) => body));
    expect(decisions).toEqual(new Set([JSON.stringify({ show: true, reason: 'unknown' })]));
  });
});

describe('past the door', () => {
  it('the stream carries events without an id, and no receipt or link', () => {
    const others = records.filter((record) => !('campaign' in record && record.campaign === CONTROL));
    const named = others.filter(
      (record) =>
        record.kind === 'event' && (record.basis !== 'anonymous' || 'device_id' in record || 'person_id' in record),
    );
    expect(named).toEqual([]);
    expect(others.filter(({ kind }) => kind === 'link')).toEqual([]);
    expect(others.filter(({ kind }) => kind === 'consent')).toHaveLength(1);
    expect(others.filter(({ kind }) => kind === 'event')).toHaveLength(EVENTS);
    expect(idsIn(streamed)).toEqual([controlDevice()]);
  });

  it('the tables hold what was asked for by right, and the one device that has consent', () => {
    expect(idsIn(items).filter((id) => !known.has(id))).toEqual([]);
    const profiles = items.filter(({ where }) => where === platform.tables.profiles);
    expect(profiles.filter(({ bytes }) => bytes.includes('"profile"'))).toHaveLength(1);
    const receipts = items.filter(
      ({ where, bytes }) => where === platform.tables.consents && bytes.includes('"receipt_id"'),
    );
    expect(receipts).toHaveLength(1);
  });

  it('the lake holds events without an id', async () => {
    const rows = await lake.rows(
      `SELECT basis, count(*) AS events, count(device_id) + count(person_id) + count(click_id) + count(order_id) AS ids
       FROM events WHERE coalesce(campaign, '') <> '${CONTROL}' GROUP BY basis`,
    );
    expect(rows).toEqual([{ basis: 'anonymous', events: String(EVENTS), ids: '0' }]);
    expect(await lake.rows('SELECT subject FROM consents')).toEqual([{ subject: controlDevice() }]);
    expect(await lake.rows('SELECT device_id FROM links')).toEqual([]);
    expect(idsIn(await all(lakeRows(lake)))).toEqual([controlDevice()]);
  });

  it('no file of the platform holds a presented id', async () => {
    expect(idsIn(await all(storedFiles(state, ['secrets.json'], lake))).filter((id) => !known.has(id))).toEqual([]);
  });
});

describe('with consent', () => {
  it('the same requests set the cookie and are stored under its hash', async () => {
    expect(granted.map(({ cookies }) => cookies.map((cookie) => cookie.split('=')[0]))).toEqual([['paula_id'], []]);
    expect(records.filter((record) => record.kind === 'event' && record.campaign === CONTROL)).toMatchObject([
      { basis: 'consent', device_id: controlDevice() },
      { basis: 'consent', device_id: controlDevice() },
    ]);
    const rows = await lake.rows(`SELECT device_id, event FROM events WHERE campaign = '${CONTROL}' ORDER BY event`);
    expect(rows).toEqual([
      { device_id: controlDevice(), event: 'Ad Clicked' },
      { device_id: controlDevice(), event: 'Ad Impression' },
    ]);
  });
});

describe('a brand that is not on the vendor list', () => {
  it.each([config.pixelPath, '/click'])('has nothing by a string that grants, at %s', async (path) => {
    const put: StreamRecord[] = [];
    const query = `site=portal&e=impression&to=${encodeURIComponent(TARGET)}&gdpr_consent=${grantingString(NOW)}`;
    const response = await collect(
      {
        method: 'GET',
        path,
        query,
        headers: {},
        cookies: [`paula_id=${newId()}`],
        body: '',
        sourceIp: '',
        userAgent: undefined,
        requestId: 'r',
        receivedAt: NOW,
      },
      unlistedDeps(put),
    );
    expect(response.cookies).toBeUndefined();
    expect(put).toMatchObject([{ kind: 'event', basis: 'anonymous' }]);
    expect(put[0]).not.toHaveProperty('device_id');
  });
});

/** The door of the demo brand as it is, with stores that may not be reached. */
function unlistedDeps(put: StreamRecord[]): CollectDeps {
  const plan = compileTrackingPlan(demo);
  const keys = completeKeys({}, demo, randomKey);
  const never = async (): Promise<never> => {
    throw new Error('a store was asked');
  };
  return {
    ...hashes,
    plan,
    keys,
    admission: admissionDeps(plan, keys, hashes.hmac, () => ({ deviceClass: 'desktop', isBot: false })),
    links: { read: never, hasProfile: never, link: never, unlink: never, noteConsent: never, forgetProfile: never },
    receipts: { latest: never, recent: never, append: never },
    terms: receiptTerms(demo, 'eu-central-1', hashes.sha256),
    put: async (records) => {
      put.push(...records.map(({ record }) => record));
      return [];
    },
    randomId,
    country: () => undefined,
    verifyIdentity: never,
    count: () => undefined,
  };
}

const nameOf = (route: string, signal: string, withId: boolean): string => `${route} | ${signal} | ${withId}`;
const answerTo = ({ route, signal, withId }: (typeof CASES)[number]): Answer =>
  answers.get(nameOf(route, signal, withId)) as Answer;

/** A choice may be kept in a cookie without an id, and a withdrawal takes the id away. */
function mayBeSet(cookie: string, route: string): boolean {
  if (/^paula_(id|consent)=; Max-Age=0;/.test(cookie)) return route === 'PUT /v1/consent' || route.includes('/erasure');
  return route === 'PUT /v1/consent' && /^paula_consent=v1\.[0-9a-z]+\.[0-9a-z]+\.[\w-]{43};/.test(cookie);
}

async function send(route: string, signal: Signal, id: string, withId: boolean, token: string): Promise<Answer> {
  const [method = ''] = route.split(' ');
  const key = platform.keys.writeKeys.web?.[0] ?? '';
  const { path, headers, body } = (SENDINGS[route] as (typeof SENDINGS)[string])(key, token);
  const url = new URL(path, platform.url);
  for (const [name, value] of Object.entries(signal.query ?? {})) url.searchParams.set(name, value);
  const cookies = { ...(withId && { paula_id: id }), ...signal.cookies?.(id) };
  return answerOf(url, {
    method,
    headers: { ...headers, ...signal.headers, ...cookieHeader(cookies) },
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** An impression and a click with a string that grants: the first begins a device, the second is the same browser's. */
async function sendWithConsent(): Promise<Answer[]> {
  const query = { site: 'portal', e: 'impression', c: CONTROL, to: TARGET, gdpr_consent: grantingString(NOW) };
  const impression = await answerOf(new URL(`${config.pixelPath}?${new URLSearchParams(query)}`, platform.url), {});
  const id = /^paula_id=([\w-]{22});/.exec(impression.cookies[0] ?? '')?.[1] ?? '';
  known.add(deviceIdOf(id, hashes));
  const headers = cookieHeader({ paula_id: id });
  const click = await answerOf(new URL(`/click?${new URLSearchParams(query)}`, platform.url), { headers });
  return [impression, click];
}

const controlDevice = (): string => {
  const id = /^paula_id=([\w-]{22});/.exec(granted[0]?.cookies[0] ?? '')?.[1] ?? '';
  return deviceIdOf(id, hashes);
};

const cookieHeader = (cookies: Record<string, string>): Record<string, string> => {
  const cookie = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
  return cookie.length > 0 ? { cookie: cookie.join('; ') } : {};
};

async function answerOf(url: URL, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  const { status, headers } = response;
  return { status, headers, cookies: headers.getSetCookie(), body: await response.text() };
}

async function identityToken(keys: Keys): Promise<string> {
  const key = keys.identity.shop?.[0];
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256', kid: key?.id ?? '' })
    .setSubject(CUSTOMER)
    .setAudience('shop')
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(Buffer.from(key?.key ?? '', 'base64url'));
}

/** The ids of devices in what is stored, and the beginning of an id cookie where one is in it, as text or as bytes. */
function idsIn(stored: readonly Stored[]): string[] {
  const found = new Set<string>();
  for (const { bytes } of stored) {
    for (const [id] of bytes.toString('latin1').matchAll(DEVICE_ID)) found.add(id);
    if (bytes.includes(ID_PREFIX) || bytes.includes(Buffer.from(ID_PREFIX.slice(0, 8), 'base64url')))
      found.add(ID_PREFIX);
  }
  return [...found].sort();
}

async function all(stored: AsyncIterable<Stored>): Promise<Stored[]> {
  const list: Stored[] = [];
  for await (const each of stored) list.push(each);
  return list;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(100);
}
