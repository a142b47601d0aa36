import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { SignJWT } from 'jose';
import type { Keys } from '../domain/keys.ts';
import { PURPOSES, type Purpose } from '../domain/purposes.ts';
import { lakeTables } from '../domain/tables.ts';
import { openLake } from '../local/lake.ts';
import { LOOPBACK, listen } from '../local/loopback.ts';
import type { PlatformStatus } from '../local/platform.ts';
import { readSecrets } from '../local/secrets.ts';
import config from '../paula.config.ts';
import { hasCurl, parsed, pasted, type RunCurl } from './flow/curl.ts';
import { Jar } from './flow/jar.ts';
import { type RunningPlatform, runStart, startOn } from './flow/platform-process.ts';
import { lakeRows, type Stored, storedFiles, storedItems, streamedRecords } from './flow/stored.ts';

// Two starts of a platform and the runs of its plan, on a machine that may be busy.
jest.setTimeout(240_000);

const SHOP = 'https://www.lindenblatt.example';
const SERUM = 'serum-30';
const CUSTOMER = 'customer-paula-4711';
const ORDER_MESSAGE = 'message-of-order-2001';
/** What browsers say of themselves, and where they say that they are; none of it may be stored. */
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/145.0 NobodyElse/7';
const PAGE = `${SHOP}/serum?session=4f7c9a2e&mail=paula%40private.example`;
const ADDRESS = '203.0.113.77';
const UNKNOWN = { show: true, reason: 'unknown' };

let state: string;
let platform: RunningPlatform;
let keys: Keys;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'paula-flow-'));
});
afterEach(() => rmSync(state, { recursive: true }));

it('follows Paula from impression to suppression, and forgets her when she says so', async () => {
  platform = await startOn(state);
  keys = readSecrets(state);
  const paula = browser();
  const otto = browser();
  const curls = browser();

  await seesABannerBeforeConsent(paula);
  await consents(paula);
  await consents(otto);
  await seesMoreAdvertising(paula);
  await looksAround(paula);
  await registers(paula);
  await printedLinesWork(curls);
  await untilDecided(paula, { show: true, reason: 'eligible', audiences: ['cart_abandoners'] });
  await printedDecisionNames('cart_abandoners');

  await ordersAtTheShop();
  await untilDecided(paula, { show: false, reason: 'bought' });
  await ordersByPixel(otto);
  await untilDecided(otto, { show: false, reason: 'bought' });
  expect(await decision(browser())).toEqual(UNKNOWN);
  await untilDecided(paula, { show: false, reason: 'bought', audiences: ['buyers_30d'] });

  const before = paula.copy();
  await withdraws(paula);
  expect(await decision(before)).toEqual(UNKNOWN);

  const secrets = [paula, before, otto, curls].flatMap(({ cookies }) => Object.values(cookies)).concat(curlCookies());
  await until('the consumers have caught up', async () =>
    (await statusOf(platform.url)).consumers.every(({ behind }) => behind === 0),
  );
  await expectNowhere(secrets, storedItems(platform.engines.dynamodb), 'identity_merge');
  await expectNowhere(secrets, streamedRecords(platform.engines.kinesis), SERUM);
  await endsAndListensNoMore();
  await lakeHolds(secrets);

  platform = await startOn(state);
  expect(await decision(otto)).toMatchObject({ show: false, reason: 'bought' });
  expect(await decision(before)).toEqual(UNKNOWN);
  await endsAndListensNoMore();
});

it('says in one line that its port is occupied', async () => {
  const server = createServer();
  const port = await listen(server, 0);
  try {
    expect(await runStart(['--port', String(port), '--state', state])).toEqual({
      code: 1,
      stdout: '',
      stderr: `port ${port} is occupied: stop what listens there, or choose another with --port\n`,
    });
  } finally {
    server.close();
  }
});

async function seesABannerBeforeConsent(jar: Jar): Promise<void> {
  const banner = { e: 'impression', site: 'portal', c: 'autumn', pl: 'top', p: SERUM };
  const answer = await pixel(jar, { ...banner, cr: 'before-consent' });
  await expectGif(answer);
  expect(answer.headers.getSetCookie()).toEqual([]);
}

async function consents(jar: Jar): Promise<void> {
  // Mail is granted by the brand's server.
  const asked = PURPOSES.filter((purpose) => purpose !== 'email');
  const answer = await choose(jar, asked);
  expect([answer.status, await answer.json()]).toEqual([200, choices(asked)]);
  expect(answer.headers.get('access-control-allow-origin')).toBe(SHOP);
  const attributes = '; Max-Age=34128000; Path=/; Secure; HttpOnly; SameSite=None';
  expect(answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(new RegExp(`^paula_consent=v1\\.[\\w.-]+${attributes}$`)),
    expect.stringMatching(new RegExp(`^paula_id=[\\w-]{22}${attributes}$`)),
  ]);
}

async function seesMoreAdvertising(jar: Jar): Promise<void> {
  const banner = { e: 'impression', site: 'portal', c: 'autumn', pl: 'top', p: SERUM };
  const seen = await pixel(jar, { ...banner, cr: 'with-consent' });
  await expectGif(seen);
  expect(seen.headers.getSetCookie()).toEqual([]);
  await expectGif(await pixel(jar, { ...banner, e: 'video_start', pl: 'video' }));

  const target = `${SHOP}/${SERUM}?from=banner`;
  const query = new URLSearchParams({ ...banner, e: '', to: target });
  const click = await jar.fetch(`${platform.url}/click?${query}`);
  expect([click.status, click.headers.get('location')]).toEqual([302, target]);
}

async function looksAround(jar: Jar): Promise<void> {
  const product = { site: 'shop', p: SERUM, cat: 'face', v: '29.90', cu: 'EUR' };
  await expectGif(await pixel(jar, { ...product, e: 'product_view' }));
  await expectGif(await pixel(jar, { ...product, e: 'cart', q: '1' }));
}

async function registers(jar: Jar): Promise<void> {
  const key = keys.identity.shop?.[0];
  const identityToken = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256', kid: key?.id ?? '' })
    .setSubject(CUSTOMER)
    .setAudience('shop')
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(Buffer.from(key?.key ?? '', 'base64url'));
  const identified = await post(jar, '/v1/identify', 'web', { userId: CUSTOMER, context: { identityToken } });
  expect([identified.status, await identified.json()]).toEqual([200, { success: true }]);
  expect((await post(jar, '/v1/identify', 'web', { userId: CUSTOMER })).status).toBe(403);
}

async function ordersAtTheShop(): Promise<void> {
  const answer = await post(new Jar(), '/v1/track', 'shop_backend', {
    event: 'Order Completed',
    userId: CUSTOMER,
    messageId: ORDER_MESSAGE,
    properties: {
      order_id: '2001',
      revenue: '29.90',
      currency: 'EUR',
      products: [{ product_id: SERUM, quantity: 1, price: '29.90' }],
    },
    context: { consent: { categoryPreferences: { measurement: true, profile: true } } },
  });
  expect([answer.status, await answer.json()]).toEqual([200, { success: true }]);
}

async function ordersByPixel(jar: Jar): Promise<void> {
  await expectGif(await pixel(jar, { e: 'order', site: 'shop', o: '2002', p: SERUM, q: '1', v: '29.90', cu: 'EUR' }));
}

async function withdraws(jar: Jar): Promise<void> {
  const answer = await choose(jar, []);
  expect([answer.status, await answer.json()]).toEqual([200, choices([])]);
  expect(answer.headers.getSetCookie()).toContain('paula_id=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=None');
  expect(jar.cookies).not.toHaveProperty('paula_id');
  expect(await decision(jar)).toEqual(UNKNOWN);
  const after = await pixel(jar, { e: 'impression', site: 'portal', c: 'autumn', cr: 'after-withdrawal', p: SERUM });
  await expectGif(after);
  expect(after.headers.getSetCookie()).toEqual([]);
}

/** The printed lines as they stand, in a shell where there is curl, and read and sent by ourselves on any machine. */
async function printedLinesWork(curls: Jar): Promise<void> {
  const runs: RunCurl[] = [...(hasCurl() ? [pasted] : []), parsed(curls)];
  for (const run of runs) {
    const answers = [];
    for (const line of platform.curlLines) answers.push(await run(line));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 302, 200, 200, 200, 200]);
    expect(answers[0]?.text).not.toMatch(/^set-cookie:/im);
    expect(answers[1]?.text).toMatch(/^set-cookie: paula_id=/im);
    expect(answers[3]?.text).toMatch(/^location: https:\/\/www\.lindenblatt\.example\//im);
    expect(answers[7]?.text).toContain('"show":true,"reason":"eligible"');
  }
}

async function printedDecisionNames(audience: string): Promise<void> {
  if (!hasCurl()) return;
  const named = new RegExp(`"audiences":\\[[^\\]]*"${audience}"`);
  const line = platform.curlLines.at(-1) ?? '';
  await until('the printed decision', async () => named.test((await pasted(line)).text));
}

async function endsAndListensNoMore(): Promise<void> {
  // An end that takes more than a few seconds is an exit with 1.
  expect(await platform.end('SIGINT')).toBe(0);
  for (const door of [platform.url, ...Object.values(platform.engines)]) await expect(fetch(door)).rejects.toThrow();
}

/** What the files of the state folder hold, now that nothing has them open. */
async function lakeHolds(secrets: readonly string[]): Promise<void> {
  const objects = join(state, 's3/buckets/paula-lake/objects');
  const lake = await openLake({ folder: join(state, 'lake'), objects, tables: lakeTables(config) });
  try {
    await lake.refreshLanding('2000-01-01');
    const seen = await lake.rows(
      `SELECT creative, basis, device_id IS NULL AS nobody, max(len(purposes)) AS purposes FROM landing_events
       WHERE creative IN ('before-consent', 'with-consent', 'after-withdrawal') GROUP BY ALL ORDER BY creative`,
    );
    expect(seen).toEqual([
      { creative: 'after-withdrawal', basis: 'anonymous', nobody: true, purposes: '0' },
      { creative: 'before-consent', basis: 'anonymous', nobody: true, purposes: '0' },
      { creative: 'with-consent', basis: 'consent', nobody: false, purposes: '7' },
    ]);
    // Two browsers and two printed ones; the printed order was sent again under its message id.
    const orders = await lake.rows("SELECT order_id FROM events WHERE event = 'Order Completed' ORDER BY order_id");
    expect(orders.map((row) => row.order_id)).toEqual(['1001', '2001', '2002']);
    await expectNowhere(secrets, lakeRows(lake), SERUM);
    await expectNowhere(secrets, storedFiles(state, ['secrets.json', 'cookies.txt'], lake), SERUM);
  } finally {
    lake.close();
  }
}

/**
 * None of what is given, nor of what the browsers said of themselves, as text, nor an id cookie as its 16 bytes. `known`
 * is stored there for certain: a reader that does not find it would find nothing else either.
 */
async function expectNowhere(secrets: readonly string[], stored: AsyncIterable<Stored>, known: string): Promise<void> {
  const texts = [...new Set(secrets), CUSTOMER, 'customer-1"', ORDER_MESSAGE, ADDRESS, LOOPBACK, AGENT, PAGE];
  const ids = secrets.filter((secret) => secret.length === 22).map((id) => Buffer.from(id, 'base64url'));
  const needles = [...texts, 'paula@private.example', 'paula%40private.example'].map((text) => Buffer.from(text));
  let knownSeen = 0;
  const found: string[] = [];
  for await (const { where, bytes } of stored) {
    if (bytes.includes(known)) knownSeen++;
    for (const needle of [...needles, ...ids]) if (bytes.includes(needle)) found.push(`${where}: ${needle}`);
  }
  expect(knownSeen).toBeGreaterThan(0);
  expect(found).toEqual([]);
}

/** The values that curl keeps in its jar; none where there is no curl. */
function curlCookies(): string[] {
  if (!hasCurl()) return [];
  const lines = readFileSync(join(state, 'cookies.txt'), 'utf8').split('\n');
  const values = lines.flatMap((line) => (line.includes('\tpaula_') ? [line.split('\t').at(-1) ?? ''] : []));
  expect(values).toHaveLength(2);
  return values;
}

const browser = () => new Jar({ 'user-agent': AGENT, referer: PAGE, 'x-forwarded-for': ADDRESS });

const pixel = (jar: Jar, parameters: Record<string, string>) =>
  jar.fetch(`${platform.url}${config.pixelPath}?${new URLSearchParams(parameters)}`);

async function expectGif(answer: Response): Promise<void> {
  const { status, headers } = answer;
  expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([200, 'image/gif', 'no-store']);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect([bytes.length, bytes.subarray(0, 6).toString()]).toEqual([43, 'GIF89a']);
}

const choices = (granted: readonly Purpose[]) => ({
  purposes: Object.fromEntries(PURPOSES.map((purpose) => [purpose, granted.includes(purpose)])),
});

const choose = (jar: Jar, granted: readonly Purpose[]) =>
  jar.fetch(`${platform.url}/v1/consent`, {
    method: 'PUT',
    headers: { origin: SHOP, 'content-type': 'application/json' },
    body: JSON.stringify(choices(granted)),
  });

const post = (jar: Jar, path: string, source: string, message: object) =>
  jar.fetch(`${platform.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${keys.writeKeys[source]?.[0]}:`).toString('base64')}`,
      origin: SHOP,
      'content-type': 'application/json',
    },
    body: JSON.stringify(message),
  });

const decision = async (jar: Jar): Promise<Record<string, unknown>> =>
  (await (await jar.fetch(`${platform.url}/v1/decision?product=${SERUM}&campaign=autumn`)).json()) as Record<
    string,
    unknown
  >;

const statusOf = async (url: string): Promise<PlatformStatus> =>
  (await (await fetch(`${url}/local/status`)).json()) as PlatformStatus;

/** Asks again and again. What never comes runs into the test's time limit, and is named before. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const slow = setTimeout(() => console.error(`still waiting: ${what}`), 60_000);
  try {
    while (!(await holds())) await sleep(100);
  } finally {
    clearTimeout(slow);
  }
}

/** Of audiences those that are named: which of the hourly ones she is in as well is a matter of when they were built. */
const isAsWanted = (seen: unknown, wanted: unknown): boolean =>
  Array.isArray(wanted) && Array.isArray(seen)
    ? wanted.every((audience) => seen.includes(audience))
    : JSON.stringify(seen) === JSON.stringify(wanted);

const untilDecided = (jar: Jar, wanted: Record<string, unknown>) =>
  until(`the decision ${JSON.stringify(wanted)}`, async () => {
    const decided = await decision(jar);
    return Object.entries(wanted).every(([name, value]) => isAsWanted(decided[name], value));
  });
