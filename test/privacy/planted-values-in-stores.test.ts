import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type Exchange, exchange, type Request } from '../../conformance/story/exchange.ts';
import { CONSENT_COOKIE, ID_COOKIE } from '../../domain/consent-cookie.ts';
import type { Keys } from '../../domain/keys.ts';
import { PURPOSES } from '../../domain/purposes.ts';
import { BrandServer } from '../../local/erasure-proof/brand-server.ts';
import { decodedBytes } from '../../local/erasure-proof/decoded-bytes.ts';
import { type Needle, needleOf } from '../../local/erasure-proof/needles.ts';
import { scan } from '../../local/erasure-proof/scan.ts';
import { type PlatformProcess, startPlatformProcess } from '../../local/kill-test/platform-process.ts';
import { readSigningKey } from '../../local/rights/signing-key.ts';
import { CONTROL_HEADER, readControl, readSecrets } from '../../local/secrets.ts';
import { leaksIn, PLANTED, type PlantedRequest, VALUES } from '../domain/planted-values.ts';

// A platform in a process of its own, its jobs and a search of all its files, on a machine that may be busy.
jest.setTimeout(180_000);

const ROOT = join(import.meta.dirname, '../..');
const SHOP = 'https://www.lindenblatt.example';
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
const { email, phone, iban, ip } = VALUES;

/** What a shop may well send, and the search must find: else it would find nothing at all. */
const ALLOWED = 'serum-control-30';

/** The values as they are written, and in the forms into which a program brings them. */
const NEEDLES: readonly Needle[] = Object.entries({
  email: [email, email.toUpperCase(), encodeURIComponent(email)],
  phone: [phone, phone.replaceAll(' ', ''), phone.replace(/\D/g, ''), '01711234567', '00491711234567'],
  iban: [iban, iban.toLowerCase(), iban.replace(/.{4}(?=.)/g, '$& ')],
  ip: [ip, `::ffff:${ip}`],
}).flatMap(([kind, texts]) => texts.map((text) => needleOf(kind, text)));

let folder: string;
let state: string;
let platform: PlatformProcess;
let keys: Keys;
let cookies = '';
const statuses: number[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'paula-planted-'));
  state = join(folder, 'state');
  mkdirSync(state);
  platform = await startPlatformProcess(state, join(state, 'platform.log'));
  keys = readSecrets(state);
  try {
    await plantEverywhere();
    await runJobs();
  } finally {
    await platform.stop();
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function ask(request: Request): Promise<Exchange> {
  const answer = await exchange({ url: platform.url }, request);
  statuses.push(answer.status);
  return answer;
}

const json = (body: unknown, headers: Record<string, string> = {}, method = 'POST') => ({
  method,
  headers: { 'content-type': 'application/json', 'user-agent': AGENT, origin: SHOP, ...headers },
  body: JSON.stringify(body),
});

const keyOf = (source: string): string => `Basic ${Buffer.from(`${keys.writeKeys[source]?.[0]}:`).toString('base64')}`;

/** What is planted is sent by a browser that has agreed to all, and by one that nobody has asked. */
async function plantEverywhere(): Promise<void> {
  const purposes = Object.fromEntries(PURPOSES.map((purpose) => [purpose, true]));
  const { setCookies } = await ask({ target: '/v1/consent', ...json({ purposes }, {}, 'PUT') });
  cookies = setCookies.map((line) => line.split(';', 1)[0]).join('; ');
  expect(cookies).toContain(ID_COOKIE);
  expect(cookies).toContain(CONSENT_COOKIE);
  const parameters = { e: 'product_view', site: 'shop', p: ALLOWED };
  await ask({ method: 'GET', target: `/p.gif?${new URLSearchParams(parameters)}`, headers: { cookie: cookies } });
  for (const { request, text } of PLANTED) {
    const asked = [asRequest(request, cookies), asRequest(request, ''), ...otherDoors(text, cookies)];
    await Promise.all(asked.map(ask));
  }
  await ofTheServer();
  await replayed();
}

function asRequest({ method, path, query, headers, body, source }: PlantedRequest, cookie: string): Request {
  const sent = [headers.cookie, cookie].filter(Boolean).join('; ');
  const target = query.length > 0 ? `${path}?${new URLSearchParams(query)}` : path;
  const common = { ...headers, ...(sent !== '' && { cookie: sent }) };
  if (body === undefined) return { method, target, headers: common };
  return { target, ...json(consented(body), { ...common, authorization: keyOf(source) }) };
}

/** A server says itself what its customer has agreed to. */
const consented = (body: Record<string, unknown>): Record<string, unknown> => ({
  ...body,
  context: {
    ...(body.context as object | undefined),
    consent: { categoryPreferences: Object.fromEntries(PURPOSES.map((purpose) => [purpose, true])) },
  },
});

/** The doors that the list of planted requests leaves out, and places of requests that are no field of an event. */
function otherDoors(text: string, cookie: string): Request[] {
  const headers = { 'user-agent': AGENT, cookie };
  const query = (parameters: Record<string, string>): string => new URLSearchParams(parameters).toString();
  const to = `${SHOP}/serum?${query({ mail: text })}`;
  const tag = { ...headers, authorization: keyOf('web') };
  return [
    {
      method: 'GET',
      target: `/p.gif?${query({ e: 'view', site: 'shop', gdpr: '1', gdpr_consent: text, gpp: text })}`,
      headers,
    },
    { method: 'GET', target: `/click?${query({ site: 'shop', c: text, pl: text, p: 'SKU-1', to })}`, headers },
    {
      method: 'GET',
      target: `/click?${query({ site: 'shop', to: `https://${encodeURIComponent(text)}.example/` })}`,
      headers,
    },
    { method: 'GET', target: `/v1/decision?${query({ product: text, campaign: text, category: text })}`, headers },
    { method: 'GET', target: `/${encodeURIComponent(text)}?${query({ q: text })}`, headers },
    { method: 'GET', target: `/v1/me?${query({ format: text })}`, headers: { ...headers, origin: SHOP } },
    {
      target: '/v1/page',
      ...json({ type: 'page', name: text, properties: { title: text, category: text, url: to } }, tag),
    },
    {
      target: '/v1/batch',
      ...json(
        { batch: [{ type: 'track', event: text }, { type: 'page', anonymousId: text, name: text }, { type: text }] },
        tag,
      ),
    },
    {
      target: '/v1/identify',
      ...json({ userId: text, traits: { email: text }, context: { identityToken: text } }, tag),
    },
    {
      target: `/v1/track?${query({ mail: text })}`,
      ...json({ event: 'Product Viewed', anonymousId: text, writeKey: text }, headers),
    },
    { target: '/v1/track', ...json({}, tag), body: `{"event": "${encodeURIComponent(text)}` },
    {
      target: '/v1/consent',
      ...json({ purposes: { measurement: true }, tcf_string: text, email: text, language: text }, headers, 'PUT'),
    },
    {
      method: 'GET',
      target: `/v1/consent?${query({ gdpr: '1', gdpr_consent: text })}`,
      headers: { ...headers, origin: SHOP },
    },
  ];
}

/** The brand's own calls: a customer's id may be an e-mail address, in messages, tokens and requests for rights. */
async function ofTheServer(): Promise<void> {
  const server = new BrandServer(platform.url, keys, readSigningKey(state), 'eu-central-1');
  for (const value of Object.values(VALUES)) {
    const track = consented({ event: 'Order Completed', userId: value, properties: { order_id: `order ${value}` } });
    await ask({ target: '/v1/track', ...json(track, { authorization: keyOf('shop_backend') }) });
    const context = { identityToken: await server.identityToken(value, 'shop') };
    await ask({
      target: '/v1/identify',
      ...json({ userId: value, context }, { cookie: cookies, authorization: keyOf('web') }),
    });
    expect((await server.ask('POST', `/v1/persons/${encodeURIComponent(value)}/export`)).state).toBe('open');
    await expect(server.ask('GET', `/v1/requests/${encodeURIComponent(value)}`)).rejects.toThrow('404');
  }
}

/** The same messages out of a file. */
async function replayed(): Promise<void> {
  const lines = PLANTED.flatMap(({ request: { body }, text }) =>
    body === undefined ? [] : [JSON.stringify({ type: 'track', userId: text, ...consented(body) })],
  );
  const file = join(folder, 'messages.ndjson');
  writeFileSync(file, lines.join('\n'));
  const args = ['local/replay.ts', file, '--url', platform.url, '--state', state];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  expect(stdout).toContain(`${lines.length} messages`);
}

/** The plan and the rights job, so that the lake, the audiences and the bundles are made of it, too. */
async function runJobs(): Promise<void> {
  expect(await platform.drained()).toBe(true);
  const asOf = new Date(Date.now() + 60_000);
  await platform.runPlan(asOf);
  const headers = { [CONTROL_HEADER]: readControl(state).token };
  const url = `${platform.url}/local/rights?as_of=${asOf.toISOString()}`;
  expect((await fetch(url, { method: 'POST', headers })).status).toBe(200);
  // What the functions write to their logs beside errors is metrics; the platform adds them up and tells them here.
  const status = await (await fetch(`${platform.url}/local/status`)).text();
  expect(status).toContain('"counters"');
  writeFileSync(join(state, 'status.json'), status);
}

it('takes or refuses every request, and fails at none', () => {
  expect(statuses.filter((status) => status >= 500)).toEqual([]);
  expect(statuses.filter((status) => status < 400).length).toBeGreaterThan(2 * PLANTED.length);
});

it('leaves no planted value in any store, object or log, and the same search finds what may be kept', async () => {
  const found = await scan(state, NEEDLES);
  expect([...found].flatMap(([store, { hits }]) => [...hits].map((hit) => [store, ...hit]))).toEqual([]);
  const control = await scan(state, [needleOf('control', ALLOWED)]);
  for (const store of ['kinesis', 'dynamo', 's3 landing', 'lake'])
    expect([store, control.get(store)?.hits.size ?? 0]).toEqual([store, 1]);
  for (const store of [
    'kinesis',
    'dynamo',
    'lake',
    's3 landing',
    's3 rejected',
    's3 landing-links',
    's3 exports',
    'file platform.log',
  ])
    expect([...found.keys()]).toContain(store);
});

it('leaves none behind an encoding that a reader could undo', async () => {
  const leaks: string[][] = [];
  for (const path of filesBelow(state))
    for (const piece of await piecesOf(path))
      for (const kind of leaksIn(piece)) leaks.push([relative(state, path), kind, piece.slice(0, 100)]);
  expect(leaks).toEqual([]);
});

it('would see each planted value where it stands in a file', async () => {
  for (const { kind, request } of PLANTED) {
    const path = join(folder, 'planted.gz');
    writeFileSync(path, gzipSync(JSON.stringify(request)));
    const kinds = new Set((await piecesOf(path)).flatMap(leaksIn));
    expect([request, [...kinds]]).toEqual([request, expect.arrayContaining([kind])]);
  }
});

const filesBelow = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Shorter than any of the values. */
const SHORTEST = 9;

/** The texts in a file's decoded bytes, each once: what stands between quotes, line ends and bytes that are no text. */
async function piecesOf(path: string): Promise<string[]> {
  const pieces = new Set<string>([path]);
  for await (const bytes of decodedBytes(path))
    for (const piece of bytes.toString('utf8').split(/["\p{Cc}\ufffd]+/u))
      if (piece.length >= SHORTEST) pieces.add(piece);
  return [...pieces];
}
