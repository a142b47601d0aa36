import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { completeKeys, type Keys } from '../../domain/keys.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import { randomKey } from '../../lambdas/adapters/keys-document.ts';
import { ledgerStore } from '../../lambdas/adapters/ledger-store.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { profileStore } from '../../lambdas/adapters/profile-store.ts';
import { subjectItems } from '../../lambdas/adapters/subject-items.ts';
import { deviceIdOf } from '../../lambdas/browser.ts';
import { newPersonId } from '../../lambdas/collect/person.ts';
import type { Response } from '../../lambdas/http.ts';
import type { RightsDeps } from '../../lambdas/rights/deps.ts';
import { type RightsRequest, rights } from '../../lambdas/rights.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import type { Engine } from '../../local/loopback.ts';
import config from '../../paula.config.ts';

const REGION = 'eu-central-1';
const ORIGIN = 'https://www.lindenblatt.example';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const folder = mkdtempSync(join(tmpdir(), 'paula-rights-'));
const keys = completeKeys({}, config, randomKey);
const NOW = Date.parse('2026-11-24T12:00:00Z');
const HOUR_MS = 3_600_000;

let engine: Engine;
let client: DynamoDBClient;
let deps: RightsDeps;
let told: StreamRecord[] = [];
let streamFails = false;
let bundles: Map<string, Uint8Array>;

beforeAll(async () => {
  engine = await startDynamo(folder, REGION, [
    { name: 'profiles', sk: true },
    { name: 'consents', sk: true },
  ]);
  client = new DynamoDBClient({ endpoint: engine.endpoint, region: REGION, credentials });
  bundles = new Map();
  deps = {
    ...hashes,
    plan: compileTrackingPlan(config),
    keys,
    links: linkStore(client, 'profiles'),
    ledger: ledgerStore(client, 'consents', randomId),
    items: subjectItems(client, { profiles: 'profiles', consents: 'consents' }),
    put: async (records) => {
      if (streamFails) return records.map((_, i) => i);
      told.push(...records.map(({ record }) => record));
      return [];
    },
    bundle: async (key) => bundles.get(key),
    randomId,
    count: () => undefined,
  };
});
beforeEach(() => {
  told = [];
  streamFails = false;
});
afterAll(async () => {
  client.destroy();
  await engine.stop();
  rmSync(folder, { recursive: true });
});

type Call = {
  id?: string;
  caller?: string;
  cookie?: string;
  origin?: string;
  query?: string;
  at?: number;
  keys?: Keys;
};

/** Calls a route as the gateway hands it on. */
function call(
  route: string,
  { cookie, origin, query = '', at = NOW, keys: other, ...rest }: Call = {},
): Promise<Response> {
  const [method = '', path = ''] = route.split(' ');
  const request: RightsRequest = {
    method,
    path: path.replace('{id}', rest.id ?? ''),
    query,
    headers: { origin },
    cookies: cookie === undefined ? [] : [`paula_id=${cookie}`],
    body: '',
    sourceIp: '203.0.113.9',
    userAgent: undefined,
    requestId: randomId(),
    receivedAt: at,
    route,
    ...rest,
  };
  return rights(request, other ? { ...deps, keys: other } : deps);
}

const requestOf = ({ body = '' }: Response) => (JSON.parse(body) as { request: Record<string, string> }).request;
const BRAND = { caller: 'arn:aws:iam::111122223333:role/shop' };

/** A device that is linked to a customer's person. */
async function linkedDevice(customer: string): Promise<{ cookie: string; device: string; person: string }> {
  const cookie = randomId();
  const device = deviceIdOf(cookie, hashes);
  const person = newPersonId(customer, { keys, hmac: hashes.hmac });
  const ttl = Math.floor(NOW / 1000) + 1_000_000;
  await deps.links.link({ device, person, since: NOW, receipt: 'r1', ttl, personTtl: ttl });
  return { cookie, device, person };
}

const tombstone = async (id: string): Promise<string> => deps.ledger.hashOf(await deps.ledger.salt(), id);

const allItems = async (): Promise<string> =>
  JSON.stringify([
    await client.send(new ScanCommand({ TableName: 'profiles' })),
    await client.send(new ScanCommand({ TableName: 'consents' })),
  ]);

describe('who may ask', () => {
  const ROUTES = ['GET /v1/me', 'POST /v1/me/objection', 'POST /v1/me/erasure'];
  it.each(ROUTES)('%s: the browser that holds the cookie, from a page of ours', async (route) => {
    expect((await call(route, { origin: ORIGIN })).statusCode).toBe(401);
    expect((await call(route, { origin: ORIGIN, cookie: 'not-an-id' })).statusCode).toBe(401);
    expect((await call(route, { origin: 'https://evil.example', cookie: randomId() })).statusCode).toBe(403);
    const allowed = await call(route, { origin: ORIGIN, cookie: randomId() });
    expect(allowed.statusCode).toBeLessThan(300);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-credentials': 'true',
      'cache-control': 'no-store',
    });
    // A link that a person follows has no Origin; a change without one is refused.
    const withoutOrigin = await call(route, { cookie: randomId() });
    expect(withoutOrigin.statusCode).toBe(route.startsWith('GET') ? 202 : 403);
  });

  it.each(['export', 'objection', 'erasure'])('a person’s %s: whom the gateway has verified', async (what) => {
    const route = `POST /v1/persons/{id}/${what}`;
    const { cookie } = await linkedDevice('customer-0');
    const answer = await call(route, { id: 'customer-0', cookie, origin: ORIGIN });
    expect([answer.statusCode, answer.body?.includes('Authorization')]).toEqual([403, true]);
    expect(told).toEqual([]);
    expect((await call(route, { ...BRAND, id: '' })).statusCode).toBe(400);
    expect((await call(route, { ...BRAND, id: 'x'.repeat(201) })).statusCode).toBe(400);
    expect((await call('GET /v1/requests/{id}', { id: 'x' })).statusCode).toBe(403);
  });
});

describe('access', () => {
  it('of a device is that device’s alone, open at first, and handed out once it is ready', async () => {
    const { cookie, device, person } = await linkedDevice('customer-1');
    const first = await call('GET /v1/me', { cookie });
    expect([first.statusCode, first.headers?.['retry-after']]).toEqual([202, '600']);
    const request = requestOf(first);
    expect(request).toMatchObject({ right: 'access', state: 'open', deadline: '2026-12-24T12:00:00.000Z' });
    expect(told).toEqual([
      {
        kind: 'right',
        request_kind: 'access',
        subject_hash: await tombstone(device),
        salt: await deps.ledger.salt(),
        request_id: request.id,
        requested_at: NOW,
      },
    ]);
    expect(JSON.stringify(told)).not.toContain(person);
    expect(requestOf(await call('GET /v1/me', { cookie, at: NOW + 1000 })).id).toBe(request.id);

    const stored = await deps.ledger.request(request.id ?? '');
    if (!stored) throw new Error('the request is not stored');
    await deps.ledger.save({ ...stored, state: 'ready', since: NOW + HOUR_MS }, false);
    expect((await call('GET /v1/me', { cookie, at: NOW + HOUR_MS })).statusCode).toBe(410);
    for (const format of ['json', 'csv'])
      bundles.set(`exports/access-bundles/${request.id}/data.${format}.gz`, gzipSync(format));
    const ready = await call('GET /v1/me', { cookie, at: NOW + HOUR_MS });
    expect(ready).toMatchObject({
      statusCode: 200,
      isBase64Encoded: true,
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'cache-control': 'no-store' },
    });
    const csv = await call('GET /v1/me', { cookie, query: 'format=csv', at: NOW + HOUR_MS });
    expect(csv.headers?.['content-type']).toBe('text/csv; charset=utf-8');
    // A day later it would miss what has come since.
    expect(requestOf(await call('GET /v1/me', { cookie, at: NOW + 26 * HOUR_MS })).id).not.toBe(request.id);
  });

  it('of a person covers the person and its devices, under every live person key', async () => {
    const { device, person } = await linkedDevice('customer-2');
    const rotated: Keys = { ...keys, person: [{ id: 'k2', key: randomKey() }, ...keys.person] };
    const answer = await call('POST /v1/persons/{id}/export', { ...BRAND, id: 'customer-2', keys: rotated });
    const fresh = newPersonId('customer-2', { keys: rotated, hmac: hashes.hmac });
    const { id = '' } = requestOf(answer);
    expect((await deps.ledger.request(id))?.subjects).toEqual([fresh, person, device]);
    const status = await call('GET /v1/requests/{id}', { ...BRAND, id });
    expect([status.statusCode, requestOf(status)]).toEqual([200, requestOf(answer)]);
    expect((await call('GET /v1/requests/{id}', { ...BRAND, id, query: 'format=json' })).statusCode).toBe(409);
    for (const unknown of [randomId(), 'x', 'r.open'])
      expect((await call('GET /v1/requests/{id}', { ...BRAND, id: unknown })).statusCode).toBe(404);
  });

  it('is never given a customer’s id to keep', async () => {
    await call('POST /v1/persons/{id}/export', { ...BRAND, id: 'a-very-own-customer' });
    await call('POST /v1/persons/{id}/objection', { ...BRAND, id: 'a-very-own-customer' });
    await call('POST /v1/persons/{id}/erasure', { ...BRAND, id: 'a-very-own-customer' });
    expect(await allItems()).not.toContain('a-very-own-customer');
    expect(JSON.stringify(told)).not.toContain('a-very-own-customer');
  });
});

describe('an objection', () => {
  it('stands on the link item and in the ledger, takes the profile at once, and is told to the lake', async () => {
    const { cookie, device } = await linkedDevice('customer-3');
    const store = profileStore(client, 'profiles');
    const ttl = Math.floor(NOW / 1000) + 1000;
    await store.write([{ id: device, items: [{ pk: device, sk: 'profile', b: new Uint8Array([1]), v: 1, ttl }] }]);
    const answer = await call('POST /v1/me/objection', { cookie, origin: ORIGIN });
    expect([answer.statusCode, requestOf(answer).state]).toEqual([200, 'done']);
    await call('POST /v1/me/objection', { cookie, origin: ORIGIN, at: NOW + 1000 });
    const hash = await tombstone(device);
    expect((await deps.ledger.subject(hash)).objected).toBe(NOW);
    expect((await deps.links.read([device])).get(device)).toMatchObject({ objected: NOW, person: expect.any(String) });
    expect((await store.read([{ pk: device, sk: 'profile' }], 'strong')).size).toBe(0);
    expect(told).toContainEqual(expect.objectContaining({ request_kind: 'objection', subject_hash: hash }));
  });

  it('of a person holds for its devices, and for no other person’s', async () => {
    const { device, person } = await linkedDevice('customer-4');
    const other = await linkedDevice('customer-5');
    await call('POST /v1/persons/{id}/objection', { ...BRAND, id: 'customer-4' });
    const links = await deps.links.read([device, person, other.device, other.person]);
    expect([...links.values()].map(({ objected }) => objected)).toEqual([NOW, NOW, undefined, undefined]);
  });
});

describe('an erasure', () => {
  it('is noted in the ledger and told as tombstones before it is answered, and ends the browser’s cookies', async () => {
    const { cookie, device } = await linkedDevice('customer-6');
    const answer = await call('POST /v1/me/erasure', { cookie, origin: ORIGIN });
    expect([answer.statusCode, requestOf(answer).state]).toEqual([202, 'open']);
    expect(answer.cookies).toEqual([
      'paula_id=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=None',
      'paula_consent=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=None',
    ]);
    const hash = await tombstone(device);
    expect(await deps.ledger.subject(hash)).toMatchObject({ erased: NOW, erasure: requestOf(answer).id });
    expect(told).toEqual([
      {
        kind: 'erasure',
        tombstone: hash,
        request_id: requestOf(answer).id,
        erased_at: NOW,
        salt: await deps.ledger.salt(),
      },
    ]);
  });

  it('that could not be told is answered with 503, and the repeated call goes on with the same request', async () => {
    const { cookie, device } = await linkedDevice('customer-7');
    streamFails = true;
    const failed = await call('POST /v1/me/erasure', { cookie, origin: ORIGIN });
    expect([failed.statusCode, failed.headers?.['access-control-allow-origin']]).toEqual([503, ORIGIN]);
    streamFails = false;
    const before = (await deps.ledger.subject(await tombstone(device))).erasure;
    const answer = await call('POST /v1/me/erasure', { cookie, origin: ORIGIN, at: NOW + 5000 });
    expect([answer.statusCode, requestOf(answer).id]).toEqual([202, before]);
    expect(told).toHaveLength(1);
    const much = await call('POST /v1/me/erasure', { cookie, origin: ORIGIN, at: NOW + 2 * HOUR_MS });
    expect(requestOf(much).id).not.toBe(before);
  });

  it('of a device leaves its person alone', async () => {
    const { cookie, person } = await linkedDevice('customer-8');
    await call('POST /v1/me/erasure', { cookie, origin: ORIGIN });
    expect((await deps.ledger.subject(await tombstone(person))).erased).toBeUndefined();
  });
});
