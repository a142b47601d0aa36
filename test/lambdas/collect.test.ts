import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignJWT } from 'jose';
import { completeKeys } from '../../domain/keys.ts';
import { noticeWording } from '../../domain/notice.ts';
import { proofTtl } from '../../domain/rights.ts';
import { decodeStreamRecord, type StreamRecord } from '../../domain/stream-record.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { eventStream } from '../../lambdas/adapters/event-stream.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import { verifyIdentityToken } from '../../lambdas/adapters/identity-token.ts';
import { randomKey } from '../../lambdas/adapters/keys-document.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { receiptStore } from '../../lambdas/adapters/receipt-store.ts';
import { userAgentReader } from '../../lambdas/adapters/user-agent.ts';
import { admissionDeps } from '../../lambdas/collect/admit-request.ts';
import type { CollectDeps } from '../../lambdas/collect/deps.ts';
import { receiptTerms } from '../../lambdas/collect/receipt-terms.ts';
import { linkTtl, personLinkTtl } from '../../lambdas/collect/receipts.ts';
import { collect } from '../../lambdas/collect.ts';
import type { Request, Response } from '../../lambdas/http.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import { startKinesis } from '../../local/kinesis-server.ts';
import type { Engine } from '../../local/loopback.ts';
import config from '../../paula.config.ts';

const REGION = 'eu-central-1';
const ORIGIN = 'https://www.lindenblatt.example';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const plan = compileTrackingPlan(config);
const keys = completeKeys({}, config, randomKey);
const folder = mkdtempSync(join(tmpdir(), 'paula-collect-'));

let engines: Engine[];
let dynamo: DynamoDBClient;
let kinesis: KinesisClient;
let deps: CollectDeps;
let counted: string[] = [];
let iterator: string | undefined;

beforeAll(async () => {
  const tables = [
    { name: 'profiles', sk: true },
    { name: 'consents', sk: true },
  ];
  const tableEngine = await startDynamo(join(folder, 'dynamo'), REGION, tables);
  const streamEngine = await startKinesis(join(folder, 'kinesis'), REGION, { name: 'events', shards: 1 });
  engines = [tableEngine, streamEngine];
  dynamo = new DynamoDBClient({ endpoint: tableEngine.endpoint, region: REGION, credentials });
  kinesis = new KinesisClient({
    endpoint: streamEngine.endpoint,
    region: REGION,
    credentials,
    requestHandler: new NodeHttpHandler(),
  });
  deps = {
    ...hashes,
    plan,
    admission: admissionDeps(plan, keys, hashes.hmac, userAgentReader()),
    keys,
    links: linkStore(dynamo, 'profiles'),
    receipts: receiptStore(dynamo, 'consents'),
    terms: receiptTerms(config, REGION, hashes.sha256),
    put: eventStream(kinesis, 'events'),
    randomId,
    country: () => 'DE',
    verifyIdentity: (token, site, now) => verifyIdentityToken(token, site, now, keys),
    count: (metric, dimension) => counted.push(`${metric} ${dimension}`),
  };
  const start = { StreamName: 'events', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' as const };
  iterator = (await kinesis.send(new GetShardIteratorCommand(start))).ShardIterator;
});

beforeEach(async () => {
  await streamed();
});

afterAll(async () => {
  dynamo.destroy();
  kinesis.destroy();
  for (const engine of engines) await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What reached the stream since the last call. */
async function streamed(): Promise<StreamRecord[]> {
  const { Records, NextShardIterator } = await kinesis.send(new GetRecordsCommand({ ShardIterator: iterator }));
  iterator = NextShardIterator;
  return (Records ?? []).map(({ Data }) => decodeStreamRecord(Buffer.from(Data ?? []).toString('utf8')));
}

let requests = 0;

/** A browser with a jar for its cookies, as far as the door's cookies need one. */
class Jar {
  readonly cookies = new Map<string, string>();

  async send(
    method: string,
    path: string,
    options: { query?: string; body?: unknown; headers?: Record<string, string>; at?: number } = {},
  ): Promise<Response> {
    const request: Request = {
      method,
      path,
      query: options.query ?? '',
      headers: {
        'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0.0.0 Safari/537.36',
        ...options.headers,
      },
      cookies: [...this.cookies].map(([name, value]) => `${name}=${value}`),
      body:
        typeof options.body === 'string'
          ? options.body
          : options.body === undefined
            ? ''
            : JSON.stringify(options.body),
      sourceIp: '203.0.113.9',
      userAgent: options.headers?.['user-agent'],
      requestId: `request-${requests++}`,
      receivedAt: options.at ?? Date.now(),
    };
    counted = [];
    const response = await collect(request, deps);
    for (const cookie of response.cookies ?? []) {
      const [pair = ''] = cookie.split(';');
      const [name = '', value = ''] = pair.split('=');
      if (cookie.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  consent(purposes: Record<string, boolean>, at?: number): Promise<Response> {
    return this.send('PUT', '/v1/consent', { body: { purposes }, headers: { origin: ORIGIN }, ...(at && { at }) });
  }

  pixel(query: string): Promise<Response> {
    return this.send('GET', '/p.gif', { query });
  }
}

const ALL = { storage: true, measurement: true, profile: true, personalisation: true, identity_merge: true };
const basic = (key: string | undefined) => ({ authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` });
const serverKey = () => basic(keys.writeKeys.shop_backend?.[0]);
const browserKey = () => ({ ...basic(keys.writeKeys.web?.[0]), origin: ORIGIN });

async function identityToken(user: string, site = 'shop', minutes = 10, keyId = 'k1'): Promise<string> {
  const key = Buffer.from(keys.identity[site]?.[0]?.key ?? '', 'base64url');
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256', kid: keyId })
    .setSubject(user)
    .setAudience(site)
    .setIssuedAt()
    .setExpirationTime(`${minutes}m`)
    .sign(key);
}

const identify = async (jar: Jar, user: string) =>
  jar.send('POST', '/v1/identify', {
    body: { userId: user, context: { identityToken: await identityToken(user) } },
    headers: browserKey(),
  });

describe('the pixel', () => {
  it('answers the GIF and sets nothing without consent; the event is counted without an id', async () => {
    const response = await new Jar().pixel('e=impression&site=portal&c=spring&o=1');
    expect(response).toMatchObject({
      statusCode: 200,
      isBase64Encoded: true,
      headers: { 'content-type': 'image/gif', 'cache-control': 'no-store' },
    });
    expect(Buffer.from(response.body ?? '', 'base64')).toHaveLength(43);
    expect(response.cookies).toBeUndefined();
    expect(await streamed()).toMatchObject([
      { kind: 'event', event: 'Ad Impression', basis: 'anonymous', campaign: 'spring', purposes: [] },
    ]);
  });

  it('ignores an id cookie that no signed consent goes with', async () => {
    const jar = new Jar();
    jar.cookies.set('paula_id', randomId());
    await jar.pixel('e=view&site=shop');
    const [record] = await streamed();
    expect(record).not.toHaveProperty('device_id');
  });

  it('counts a consent cookie that is not its own, and grants nothing by it', async () => {
    const jar = new Jar();
    jar.cookies.set('paula_id', randomId());
    jar.cookies.set('paula_consent', `v1.${Date.now().toString(36)}.1.${randomId()}`);
    await jar.pixel('e=view&site=shop');
    expect(await streamed()).toMatchObject([{ basis: 'anonymous' }]);
    expect(counted).toContain('ConsentSignal consent_cookie');
  });

  it('gives a TCF string no effect where the brand is not on the vendor list', async () => {
    const response = await new Jar().pixel(
      'e=view&site=shop&gdpr=0&gdpr_consent=CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA',
    );
    expect(response.cookies).toBeUndefined();
    expect(await streamed()).toMatchObject([{ basis: 'anonymous' }]);
  });

  it('answers the GIF to any nonsense, and keeps a reason without content', async () => {
    expect(await new Jar().pixel('e=secret-event&site=shop')).toMatchObject({ statusCode: 200, isBase64Encoded: true });
    expect(await streamed()).toEqual([
      {
        kind: 'rejected',
        received_at: expect.any(Number),
        source: 'web',
        site: 'shop',
        reason: 'event_unknown',
        path: 'e',
      },
    ]);
    expect(await new Jar().pixel('site=nowhere')).toMatchObject({ statusCode: 200 });
    expect(counted).toEqual(['Refused site_unknown']);
    expect(await streamed()).toEqual([]);
  });
});

describe('consent', () => {
  it('sets both cookies and writes a receipt where storage is granted; the next pixel has a device', async () => {
    const jar = new Jar();
    const response = await jar.consent(ALL);
    expect(response.statusCode).toBe(200);
    expect(response.cookies).toEqual([
      expect.stringMatching(/^paula_consent=v1\.[^;]+; Max-Age=34128000; Path=\/; Secure; HttpOnly; SameSite=None$/),
      expect.stringMatching(/^paula_id=[\w-]{22}; Max-Age=34128000; Path=\/; Secure; HttpOnly; SameSite=None$/),
    ]);
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-credentials': 'true',
    });
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    expect(await streamed()).toMatchObject([
      { kind: 'consent', subject: device, granted: Object.keys(ALL), withdrawn: [], method: 'browser' },
    ]);
    expect(await deps.receipts.latest(device)).toMatchObject({ granted: Object.keys(ALL) });

    expect((await jar.pixel('e=view&site=shop')).cookies).toBeUndefined();
    const [event] = await streamed();
    expect(event).toMatchObject({ device_id: device, basis: 'consent' });
    expect(JSON.stringify(event)).not.toContain(jar.cookies.get('paula_id'));
  });

  it('is idempotent: the same choice writes no second receipt, and a fresh one is told again', async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    const [first] = await streamed();
    expect((await jar.consent(ALL)).statusCode).toBe(200);
    expect(await streamed()).toEqual([first]);
    await jar.consent(ALL, Date.now() + 2 * 3_600_000);
    expect(await streamed()).toEqual([]);
  });

  it('repairs by a retry what a stream that took nothing has left', async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    await identify(jar, 'retrier');
    await streamed();
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    const whole = deps;
    deps = { ...deps, put: async (records) => records.map((_, i) => i) };
    expect((await jar.consent({ storage: false })).statusCode).toBe(503);
    expect(jar.cookies.has('paula_id')).toBe(true);
    deps = whole;
    expect((await jar.consent({ storage: false })).statusCode).toBe(200);
    expect(await streamed()).toMatchObject([
      { kind: 'consent', subject: device, granted: [], withdrawn: Object.keys(ALL) },
      { kind: 'link', device_id: device, removed_at: expect.any(Number) },
    ]);
    const link = (await deps.links.read([device])).get(device);
    expect(link).toMatchObject({ withdrawn: { storage: expect.any(Number) } });
    expect(link).not.toHaveProperty('person');
  });

  it('refuses without device and receipt, by a cookie and a counter', async () => {
    const jar = new Jar();
    const response = await jar.consent({ storage: false, measurement: true });
    expect(response.cookies).toHaveLength(1);
    expect(counted).toEqual(['StorageRefused shop']);
    expect(await streamed()).toEqual([]);
  });

  it('takes the id cookie away on a refusal, also where the choice cookie is lost', async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    await streamed();
    jar.cookies.delete('paula_consent');
    const response = await jar.consent({ storage: false });
    expect(response.cookies).toContainEqual(expect.stringMatching(/^paula_id=; Max-Age=0/));
    expect(await streamed()).toMatchObject([{ kind: 'consent', subject: device, withdrawn: Object.keys(ALL) }]);
    const stranger = new Jar();
    stranger.cookies.set('paula_id', randomId());
    expect((await stranger.consent({ storage: false })).cookies).toContainEqual(
      expect.stringMatching(/^paula_id=; Max-Age=0/),
    );
    expect(await streamed()).toEqual([]);
  });

  it('says a withdrawal again with the next choice, since its own telling may have failed', async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    await streamed();
    const whole = deps;
    deps = { ...deps, put: async (records) => records.map((_, i) => i) };
    await jar.consent({ ...ALL, profile: false });
    deps = whole;
    await jar.consent({ ...ALL, profile: false, measurement: false });
    expect(await streamed()).toMatchObject([{ kind: 'consent', withdrawn: ['measurement', 'profile'] }]);
  });

  it('withdraws by the same call: the id cookie expires, the link goes, the lake learns it', async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    await identify(jar, 'withdrawer');
    await streamed();
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    const response = await jar.consent({ storage: false });
    expect(response.cookies).toContainEqual(expect.stringMatching(/^paula_id=; Max-Age=0/));
    expect(await streamed()).toMatchObject([
      { kind: 'consent', subject: device, granted: [], withdrawn: Object.keys(ALL) },
      { kind: 'link', device_id: device, removed_at: expect.any(Number) },
    ]);
    const link = (await deps.links.read([device])).get(device);
    expect(link).toMatchObject({ withdrawn: { storage: expect.any(Number), profile: expect.any(Number) } });
    expect(link).not.toHaveProperty('person');
    await jar.pixel('e=view&site=shop');
    expect(await streamed()).toMatchObject([{ basis: 'anonymous' }]);
  });

  it('is withdrawn by the same call, which takes effect on the next request', async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    const body = { event: 'Product Viewed', properties: { product_id: 'A' } };
    const view = () => jar.send('POST', '/v1/track', { body, headers: browserKey() });
    await view();
    expect(await streamed()).toMatchObject([{ kind: 'consent' }, { basis: 'consent', purposes: expect.anything() }]);
    expect((await jar.consent({})).statusCode).toBe(200);
    await streamed();
    const answers = [await view(), await jar.pixel('e=view&site=shop&p=A')];
    for (const { cookies } of answers) expect(cookies).toBeUndefined();
    const events = await streamed();
    expect(events).toMatchObject([
      { basis: 'anonymous', purposes: [] },
      { basis: 'anonymous', purposes: [] },
    ]);
    for (const event of events) expect(event).not.toHaveProperty('device_id');
  });

  it('answers the same call again with the same cookies, given or refused, and writes no second receipt', async () => {
    const hour = 3_600_000;
    for (const choice of [ALL, { measurement: true }, {}]) {
      const jar = new Jar();
      const first = await jar.consent(choice);
      await streamed();
      const [cookie] = first.cookies ?? [];
      const again = await jar.consent(choice, Date.now() + 2 * hour);
      expect(again).toEqual({ ...first, cookies: [cookie] });
      expect(await streamed()).toEqual([]);
      // Another choice has its own time.
      const other = await jar.consent({ measurement: true, email_tracking: true }, Date.now() + 3 * hour);
      expect(other.cookies?.[0]).not.toBe(cookie);
    }
  });

  it('keeps in the receipt what was shown and asked (ISO/IEC TS 27560), and nothing of the address', async () => {
    const jar = new Jar();
    const notice = { version: '2026-11', language: 'de' };
    const body = { purposes: { storage: true, measurement: true }, notice };
    await jar.send('PUT', '/v1/consent', { body, headers: { origin: ORIGIN } });
    const [record] = await streamed();
    const digest = Buffer.from(hashes.sha256(noticeWording(config)), 'base64url').toString('hex');
    const told = {
      receipt_id: expect.stringMatching(/^[\w-]{22}$/),
      site: 'shop',
      granted: ['storage', 'measurement'],
      withdrawn: [],
      method: 'browser',
      notice_version: '2026-11',
      given_at: expect.any(Number),
      expires_at: expect.any(Number),
      controller: 'Lindenblatt Cosmetics',
      language: 'de',
      notice_digest: digest,
      legal_basis: 'storage=consent,measurement=consent',
      region: REGION,
      signal_kind: 'own',
    };
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    expect(record).toEqual({ kind: 'consent', subject: device, ...told });
    expect(await deps.receipts.latest(device)).toEqual({ pk: device, sk: expect.any(String), ...told });
    expect(JSON.stringify(record)).not.toContain('203.0.113.9');
    const Key = { pk: { S: device }, sk: { S: (await deps.receipts.latest(device))?.sk ?? '' } };
    const { Item } = await dynamo.send(new GetItemCommand({ TableName: 'consents', Key }));
    expect(Item?.ttl).toEqual({ N: String(proofTtl(Number(Item?.expires_at?.N))) });
  });

  it('is a new one where another text was shown than the receipt’s, and refused where that text is out of force', async () => {
    const jar = new Jar();
    const put = (version: string, language = 'de') =>
      jar.send('PUT', '/v1/consent', {
        body: { purposes: { storage: true }, notice: { version, language } },
        headers: { origin: ORIGIN },
      });
    await put('2026-11');
    await put('2026-11', 'en');
    expect(await streamed()).toMatchObject([{ language: 'de' }, { language: 'de' }]);
    const shipped = deps;
    deps = { ...deps, terms: { ...deps.terms, notice_version: '2027-01' } };
    try {
      const stale = await put('2026-11');
      expect(stale).toMatchObject({ statusCode: 400, body: expect.stringContaining('"path":"notice.version"') });
      expect(stale.cookies).toBeUndefined();
      expect(await streamed()).toEqual([]);
      await put('2027-01', 'en');
      const [first] = await streamed();
      expect(first).toMatchObject({ notice_version: '2027-01', language: 'en', prior_receipt_id: expect.any(String) });
    } finally {
      deps = shipped;
    }
  });

  it('never grants mail to a browser, and says so; counting in mails it may allow', async () => {
    const jar = new Jar();
    const response = await jar.consent({ storage: true, email: true, email_tracking: true });
    expect(JSON.parse(response.body ?? '')).toMatchObject({
      purposes: { storage: true, email: false, email_tracking: true },
      ungranted: [{ path: 'purposes.email' }],
    });
    expect(await streamed()).toMatchObject([{ granted: ['storage', 'email_tracking'] }]);
  });

  it('can be read back by the page, from the cookie alone', async () => {
    const jar = new Jar();
    const read = async () => {
      const whole = deps;
      deps = { ...deps, receipts: undefined as never, links: undefined as never, put: undefined as never };
      const response = await jar.send('GET', '/v1/consent', { headers: { origin: ORIGIN } });
      deps = whole;
      expect(response.headers).toMatchObject({ 'access-control-allow-origin': ORIGIN, 'cache-control': 'no-store' });
      expect(response.cookies).toBeUndefined();
      return JSON.parse(response.body ?? '');
    };
    const nothing = { storage: false, measurement: false, profile: false };
    expect(await read()).toMatchObject({ purposes: nothing, mayAsk: true, notice: { version: '2026-11' } });
    expect(await read()).not.toHaveProperty('givenAt');
    await jar.consent({ measurement: true });
    const kept = { purposes: { ...nothing, measurement: true }, mayAsk: false, givenAt: expect.any(String) };
    expect(await read()).toMatchObject(kept);
    await jar.consent(ALL);
    expect(await read()).toMatchObject({ purposes: ALL });
    jar.cookies.set('paula_id', randomId());
    expect(await read()).toMatchObject({ purposes: nothing });
    await streamed();
  });

  it.each([
    [{ headers: {} }, 403, 'Origin'],
    [{ headers: { origin: 'https://evil.example' } }, 403, 'Origin'],
    [{ headers: { origin: ORIGIN }, body: '{' }, 400, ''],
    [{ headers: { origin: ORIGIN }, body: { purposes: { storage: 'yes' } } }, 400, 'purposes.storage'],
    [{ headers: { origin: ORIGIN }, body: { purposes: { selling: true } } }, 400, 'purposes'],
    [
      { headers: { origin: ORIGIN }, body: { purposes: {}, notice: { version: '2026-10', language: 'de' } } },
      400,
      'notice.version',
    ],
    [
      { headers: { origin: ORIGIN }, body: { purposes: {}, notice: { version: '2026-11', language: 'fr' } } },
      400,
      'notice.language',
    ],
    [{ headers: { origin: ORIGIN }, body: { purposes: {}, notice: { version: '2026-11' } } }, 400, 'notice.language'],
    [{ headers: { origin: ORIGIN }, body: { purposes: {}, method: 'server' } }, 400, ''],
    [{ headers: { origin: ORIGIN }, body: 'x'.repeat(5000) }, 413, ''],
  ])('refuses %#', async (options, status, path) => {
    const response = await new Jar().send('PUT', '/v1/consent', { body: { purposes: { storage: true } }, ...options });
    expect(response.statusCode).toBe(status);
    expect(JSON.parse(response.body ?? '').errors[0].path).toBe(path);
    expect(response.cookies).toBeUndefined();
  });
});

describe('the click', () => {
  const to = encodeURIComponent('https://www.lindenblatt.example/serum?utm_source=portal');
  it('redirects to an allowed target and counts the click', async () => {
    const response = await new Jar().send('GET', '/click', { query: `site=portal&c=spring&to=${to}` });
    expect(response).toMatchObject({
      statusCode: 302,
      headers: { location: 'https://www.lindenblatt.example/serum?utm_source=portal', 'cache-control': 'no-store' },
    });
    expect(await streamed()).toMatchObject([{ event: 'Ad Clicked', campaign: 'spring' }]);
  });

  it.each([
    '',
    'http://www.lindenblatt.example/',
    'https://evil.example/',
    'https://www.lindenblatt.example@evil.example/',
    'https://www.lindenblatt.example:8443/',
    '//www.lindenblatt.example',
    'javascript:alert(1)',
  ])('does not redirect to "%s"', async (target) => {
    const response = await new Jar().send('GET', '/click', { query: `site=portal&to=${encodeURIComponent(target)}` });
    expect(response.statusCode).toBe(400);
    expect(response.headers).not.toHaveProperty('location');
    expect(await streamed()).toEqual([]);
  });
});

describe('messages', () => {
  const order = {
    event: 'Order Completed',
    userId: 'customer-1',
    messageId: 'm-1',
    properties: { order_id: '1', revenue: '9.90', currency: 'EUR' },
    context: { consent: { categoryPreferences: { measurement: true, profile: true } } },
  };

  it('takes a server order for its person, under its consent', async () => {
    const response = await new Jar().send('POST', '/v1/track', { body: order, headers: serverKey() });
    expect(response).toMatchObject({ statusCode: 200, body: '{"success":true}' });
    const [event] = await streamed();
    expect(event).toMatchObject({
      event: 'Order Completed',
      person_id: expect.stringMatching(/^p\.k1\.[\w-]{43}$/),
      value: '9.9',
      purposes: ['measurement', 'profile'],
    });
    expect(event).not.toHaveProperty('device_id');
    expect(JSON.stringify(event)).not.toContain('customer-1');
  });

  it('takes text/plain with the write key in the body, as sendBeacon sends it', async () => {
    const response = await new Jar().send('POST', '/v1/page', {
      body: { writeKey: keys.writeKeys.web?.[0], anonymousId: 'd.forged' },
      headers: { origin: ORIGIN, 'content-type': 'text/plain' },
    });
    expect(response.statusCode).toBe(200);
    expect(await streamed()).toMatchObject([{ event: 'Page Viewed', basis: 'anonymous' }]);
  });

  it('never takes anonymousId for a device, nor context.consent alone for consent', async () => {
    const body = {
      event: 'Product Viewed',
      anonymousId: 'd.forged',
      properties: { product_id: 'A' },
      context: { consent: { categoryPreferences: { storage: true, measurement: true } } },
    };
    await new Jar().send('POST', '/v1/track', { body, headers: browserKey() });
    const records = await streamed();
    expect(records).toMatchObject([{ basis: 'anonymous' }]);
    expect(JSON.stringify(records)).not.toContain('forged');
  });

  it("cuts a browser's choices by what the message grants", async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    await streamed();
    const body = {
      event: 'Product Viewed',
      properties: { product_id: 'A' },
      context: { consent: { categoryPreferences: { storage: true, profile: true, measurement: 'true' } } },
    };
    await jar.send('POST', '/v1/track', { body, headers: browserKey() });
    expect(await streamed()).toMatchObject([{ purposes: ['storage', 'profile'] }]);
  });

  it.each([
    ['no key', {}, 401],
    ['a wrong key', basic('nothing'), 401],
    ['a browser key without Origin', () => basic(keys.writeKeys.web?.[0]), 403],
    [
      "a browser key from another site's origin",
      () => ({ ...basic(keys.writeKeys.web?.[0]), origin: 'https://www.beauty-portal.example' }),
      403,
    ],
  ])('refuses %s', async (_, headers, status) => {
    const response = await new Jar().send('POST', '/v1/track', {
      body: order,
      headers: typeof headers === 'function' ? headers() : headers,
    });
    expect(response.statusCode).toBe(status);
    expect(await streamed()).toEqual([]);
  });

  it('answers 400 with every offending path', async () => {
    const body = { ...order, properties: { revenue: 'much', currency: 'EURO' }, timestamp: 'soon' };
    const response = await new Jar().send('POST', '/v1/track', { body, headers: serverKey() });
    expect(response.statusCode).toBe(400);
    expect(
      JSON.parse(response.body ?? '')
        .errors.map((error: { path: string }) => error.path)
        .sort(),
    ).toEqual(['properties.currency', 'properties.order_id', 'properties.revenue', 'timestamp']);
  });

  it('takes the good ones of a batch and lists the bad', async () => {
    const batch = [
      { ...order, type: 'track', messageId: 'b-1' },
      { type: 'track', userId: 'customer-1' },
      { type: 'alias' },
      { ...order, type: 'track', userId: undefined },
    ];
    const response = await new Jar().send('POST', '/v1/batch', { body: { batch }, headers: serverKey() });
    expect(response.statusCode).toBe(200);
    expect(JSON.parse(response.body ?? '')).toMatchObject({
      success: true,
      rejected: [
        { index: 1, errors: [{ path: 'event' }] },
        { index: 2, errors: [{ path: 'type' }] },
        { index: 3, errors: [{ path: 'userId' }] },
      ],
    });
    expect((await streamed()).map((record) => record.kind)).toEqual(['event', 'rejected', 'rejected', 'rejected']);
  });

  it.each([
    ['a browser event', '/v1/track', () => browserKey(), 33_000, 413],
    ['a server event of a thousand lines', '/v1/track', () => serverKey(), 200_000, 200],
    ['a server event', '/v1/track', () => serverKey(), 270_000, 413],
    ['a batch', '/v1/batch', () => serverKey(), 520_000, 413],
  ])('holds %s to its size', async (_, path, headers, bytes, status) => {
    const event = { ...order, messageId: `size-${bytes}`, context: { ...order.context, padding: 'x'.repeat(bytes) } };
    const body = path === '/v1/batch' ? { batch: [{ type: 'track', ...event }] } : event;
    expect((await new Jar().send('POST', path, { body, headers: headers() })).statusCode).toBe(status);
    await streamed();
  });

  it('survives a batch that nests deeper than a stack, and takes its good messages', async () => {
    const depth = 60_000;
    const deep = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const good = JSON.stringify({ ...order, type: 'track', messageId: 'beside-a-deep-one' });
    const response = await new Jar().send('POST', '/v1/batch', {
      body: `{"batch":[${deep},${good}]}`,
      headers: serverKey(),
    });
    expect([response.statusCode, JSON.parse(response.body ?? '')]).toMatchObject([
      200,
      { rejected: [{ index: 0, errors: [{ path: '' }] }] },
    ]);
    expect((await streamed()).map((record) => record.kind)).toEqual(['rejected', 'event']);
  });

  it('refuses a batch of more messages than a real one has, and stores none', async () => {
    const body = { batch: Array.from({ length: 1001 }, () => 0) };
    expect((await new Jar().send('POST', '/v1/batch', { body, headers: serverKey() })).statusCode).toBe(413);
    expect(await streamed()).toEqual([]);
  });

  it('lists what is wrong as far as Lambda can answer it, and every bad message', async () => {
    const bad = { ...order, type: 'track', properties: { ...order.properties, products: Array(2000).fill(0) } };
    const body = { batch: Array.from({ length: 110 }, () => bad) };
    const response = await new Jar().send('POST', '/v1/batch', { body, headers: serverKey() });
    expect(response.statusCode).toBe(400);
    expect(Buffer.byteLength(JSON.stringify(response))).toBeLessThan(6 * 1024 * 1024);
    const { rejected } = JSON.parse(response.body ?? '') as { rejected: { errors: unknown[] }[] };
    expect(rejected.map(({ errors }) => errors.length)).toEqual([...Array(10).fill(2000), ...Array(100).fill(1)]);
    await streamed();
  });

  it("records a server identify's consent once and cuts later messages by its withdrawal", async () => {
    const consent = (choices: Record<string, boolean>) => ({
      userId: 'customer-2',
      context: { consent: { categoryPreferences: choices } },
    });
    const jar = new Jar();
    await jar.send('POST', '/v1/identify', {
      body: consent({ measurement: true, profile: true }),
      headers: serverKey(),
    });
    await jar.send('POST', '/v1/identify', {
      body: consent({ measurement: true, profile: true }),
      headers: serverKey(),
    });
    const told = await streamed();
    expect(told.map((record) => record.kind)).toEqual(['consent', 'event', 'consent', 'event']);
    expect(told[2]).toEqual(told[0]);
    await jar.send('POST', '/v1/identify', { body: consent({ measurement: true }), headers: serverKey() });
    expect(await streamed()).toMatchObject([
      { kind: 'consent', withdrawn: ['profile'] },
      { kind: 'event', purposes: ['measurement'] },
    ]);
    await jar.send('POST', '/v1/track', { body: { ...order, userId: 'customer-2' }, headers: serverKey() });
    expect(await streamed()).toMatchObject([{ purposes: ['measurement'] }]);
    await jar.send('POST', '/v1/identify', {
      body: consent({ measurement: true, profile: true }),
      headers: serverKey(),
    });
    await jar.send('POST', '/v1/track', { body: { ...order, userId: 'customer-2' }, headers: serverKey() });
    expect(await streamed()).toMatchObject([
      { kind: 'consent' },
      { kind: 'event' },
      { purposes: ['measurement', 'profile'] },
    ]);
  });
});

describe('mail', () => {
  const CONFIRMED = {
    method: 'double_opt_in',
    requestedAt: '2026-01-05T10:00:00Z',
    confirmedAt: '2026-01-05T10:05:00Z',
    textVersion: '2026-01',
  };
  const CUSTOMER = {
    method: 'existing_customer',
    addressFromSale: true,
    ownSimilarGoods: true,
    noObjection: true,
    optOutNotice: true,
  };
  const send = async (
    userId: string,
    choices: Record<string, boolean>,
    emailPermission?: unknown,
    path = 'identify',
  ) => {
    const context = {
      consent: { categoryPreferences: choices },
      ...(emailPermission !== undefined && { emailPermission }),
    };
    const response = await new Jar().send('POST', `/v1/${path}`, {
      body: { userId, context, ...(path === 'track' && { event: 'Page Viewed' }) },
      headers: serverKey(),
    });
    expect(response.statusCode).toBe(200);
    return JSON.parse(response.body ?? '');
  };
  const both = { measurement: true, email: true };

  it('is granted by a server that says how it is allowed; the receipt keeps that', async () => {
    expect(await send('mail-1', both, CONFIRMED)).toEqual({ success: true });
    expect(await send('mail-2', both, CUSTOMER)).toEqual({ success: true });
    const receipts = (await streamed()).filter(({ kind }) => kind === 'consent');
    expect(receipts).toMatchObject([
      {
        granted: ['measurement', 'email'],
        email_permission: 'double_opt_in',
        email_requested_at: Date.parse(CONFIRMED.requestedAt),
        email_confirmed_at: Date.parse(CONFIRMED.confirmedAt),
        email_text_version: '2026-01',
      },
      { granted: ['measurement', 'email'], email_permission: 'existing_customer' },
    ]);
    expect(receipts[1]).not.toHaveProperty('email_confirmed_at');
  });

  it('is not granted without that: the event and the rest of the choice stand, and the answer says why', async () => {
    const refusedAt = (path: string) => ({
      success: true,
      ungranted: [{ path: `context.emailPermission${path}`, rule: expect.anything() }],
    });
    expect(await send('mail-3', both)).toEqual(refusedAt(''));
    expect(counted).toContain('Refused email_permission');
    expect(await send('mail-3', both, { ...CUSTOMER, noObjection: false })).toEqual(refusedAt('.noObjection'));
    expect(await send('mail-3', both, undefined, 'track')).toEqual(refusedAt(''));
    for (const record of await streamed())
      expect(record).toMatchObject(
        record.kind === 'event' ? { purposes: ['measurement'] } : { granted: ['measurement'] },
      );
  });

  it('is told of for each message of a batch', async () => {
    const message = (userId: string, emailPermission?: unknown) => ({
      type: 'identify',
      userId,
      context: { consent: { categoryPreferences: both }, emailPermission },
    });
    const body = { batch: [message('mail-4', CUSTOMER), message('mail-5')] };
    const response = await new Jar().send('POST', '/v1/batch', { body, headers: serverKey() });
    expect(JSON.parse(response.body ?? '')).toEqual({
      success: true,
      ungranted: [{ index: 1, errors: [{ path: 'context.emailPermission', rule: expect.anything() }] }],
    });
    await streamed();
  });

  it('stays granted where a later message repeats it without the permission, and ends where it does not', async () => {
    await send('mail-6', both, CONFIRMED);
    await streamed();
    expect(await send('mail-6', { ...both, profile: true })).toEqual({ success: true });
    expect(await send('mail-6', both, undefined, 'track')).toEqual({ success: true });
    expect(await streamed()).toMatchObject([
      { kind: 'consent', granted: ['measurement', 'profile', 'email'], email_permission: 'double_opt_in' },
      { kind: 'event' },
      { kind: 'event', purposes: ['measurement', 'email'] },
    ]);
    await send('mail-6', { measurement: true });
    const [receipt] = await streamed();
    expect(receipt).toMatchObject({ withdrawn: ['profile', 'email'] });
    expect(receipt).not.toHaveProperty('email_permission');
    expect(await send('mail-6', both)).toMatchObject({ ungranted: [{ path: 'context.emailPermission' }] });
    await streamed();
  });

  it('says of an import that it is one', async () => {
    const body = { userId: 'mail-7', context: { consent: { categoryPreferences: both }, emailPermission: CUSTOMER } };
    await new Jar().send('POST', '/v1/identify', { body, headers: basic(keys.writeKeys.history?.[0]) });
    expect((await streamed())[0]).toMatchObject({
      kind: 'consent',
      method: 'import',
      email_permission: 'existing_customer',
    });
  });
});

describe('a minor', () => {
  it("is no device any more: a browser's event is dropped and counted, and its device ends", async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    await streamed();
    const headers = { ...basic(keys.writeKeys.web?.[0]), origin: ORIGIN };
    const said = { event: 'Product Viewed', properties: { product_id: 'A', age: 14 } };
    const after = { event: 'Product Viewed', properties: { product_id: 'B' } };
    const batch = { batch: [said, after].map((message) => ({ type: 'track', ...message })) };
    const response = await jar.send('POST', '/v1/batch', { body: batch, headers });
    expect(response).toMatchObject({ statusCode: 200, body: '{"success":true}' });
    expect(counted).toContain('Rejected minor');
    expect(jar.cookies.has('paula_id')).toBe(false);
    const told = await streamed();
    expect(told).toMatchObject([
      { kind: 'consent', granted: [], withdrawn: expect.arrayContaining(['storage', 'profile']) },
      { kind: 'event', product_id: 'B', basis: 'anonymous' },
    ]);
    expect(JSON.stringify(told)).not.toMatch(/"age"|minor|under_16/);
  });

  it('is no person: of a server neither its choice nor the event is kept, but that everything is withdrawn', async () => {
    for (const [path, body] of [
      ['/v1/identify', { userId: 'customer-9', traits: { birthday: '2020-05-05' } }],
      ['/v1/track', { event: 'Order Completed', userId: 'customer-9', context: { traits: { age_under_16: true } } }],
    ] as const) {
      const context = { consent: { categoryPreferences: { measurement: true, profile: true } } };
      const response = await new Jar().send('POST', path, {
        body: { ...body, context: { ...('context' in body && body.context), ...context } },
        headers: serverKey(),
      });
      expect(response.statusCode).toBe(200);
      expect(counted).toEqual(['Rejected minor']);
    }
    const told = await streamed();
    expect(told).toMatchObject([{ kind: 'consent', granted: [], withdrawn: expect.arrayContaining(['profile']) }, {}]);
    expect(told[1]).toEqual(told[0]);
  });

  it('is dropped from a pixel that says so, although no parameter of it means an age', async () => {
    await new Jar().pixel('e=view&site=shop&age=15');
    expect(counted).toContain('Rejected minor');
    expect(await streamed()).toEqual([]);
  });
});

describe('identify from a browser', () => {
  it("keeps a device's link as long as its cookie, and the person's far longer: withdrawals stand there", async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    await streamed();
    expect((await identify(jar, 'long-kept')).statusCode).toBe(200);
    const link = (await streamed()).find((record) => record.kind === 'link');
    const [device, person] = await Promise.all(
      [link?.device_id, link?.person_id].map(async (pk) => {
        const key = { pk: { S: String(pk) }, sk: { S: 'link' } };
        const { Item } = await dynamo.send(new GetItemCommand({ TableName: 'profiles', Key: key }));
        return Number(Item?.ttl?.N);
      }),
    );
    expect(device).toBe(linkTtl(link?.since ?? 0));
    expect(person).toBe(personLinkTtl(link?.since ?? 0));
    expect(person).toBeGreaterThan(Number(device));
  });

  it('links the device to the person of the token under its receipt', async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    await streamed();
    expect((await identify(jar, 'paula')).statusCode).toBe(200);
    const records = await streamed();
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    const person = `p.k1.${hashes.hmac('paula', keys.person[0]?.key ?? '')}`;
    const receipt = (await deps.receipts.latest(device))?.receipt_id;
    expect(records).toMatchObject([
      { kind: 'link', device_id: device, person_id: person, receipt_id: receipt },
      { kind: 'event', event: 'Identified', device_id: device },
    ]);
    expect((await deps.links.read([person])).get(person)).toMatchObject({ siblings: expect.arrayContaining([device]) });
    expect((await identify(jar, 'paula')).cookies).toBeUndefined();
    expect(await streamed()).toMatchObject([records[0], { event: 'Identified' }]);
  });

  it('begins a new device for another person and leaves the old one with its own', async () => {
    const jar = new Jar();
    await jar.consent(ALL);
    await identify(jar, 'paula');
    const first = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    const response = await identify(jar, 'peter');
    expect(response.cookies).toHaveLength(2);
    const second = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    expect(second).not.toBe(first);
    const links = await deps.links.read([first, second]);
    expect(links.get(first)?.person).not.toBe(links.get(second)?.person);
    await streamed();
    await jar.pixel('e=view&site=shop');
    expect(await streamed()).toMatchObject([{ device_id: second }]);
  });

  it.each([
    ['no token', async () => ({}), ALL, 'identity_token'],
    [
      'a token for another site',
      async () => ({ identityToken: await identityToken('paula', 'portal') }),
      ALL,
      'identity_token',
    ],
    [
      'a token of an unknown key',
      async () => ({ identityToken: await identityToken('paula', 'shop', 10, 'k9') }),
      ALL,
      'identity_token',
    ],
    ['a forged token', async () => ({ identityToken: `${await identityToken('paula')}x` }), ALL, 'identity_token'],
    [
      'no identity_merge',
      async () => ({ identityToken: await identityToken('paula') }),
      { storage: true, profile: true },
      'identity_consent',
    ],
    [
      'no storage',
      async () => ({ identityToken: await identityToken('paula') }),
      { storage: false },
      'identity_consent',
    ],
  ])('answers 403 for %s and links nothing', async (_, context, purposes, reason) => {
    const jar = new Jar();
    await jar.consent(purposes);
    await streamed();
    const response = await jar.send('POST', '/v1/identify', {
      body: { userId: 'paula', context: await context() },
      headers: browserKey(),
    });
    expect(response.statusCode).toBe(403);
    expect(response.body).toContain(reason);
    expect(await streamed()).toEqual([]);
  });

  it('keeps the twenty newest devices of a person, however many link at once', async () => {
    const person = 'p.k1.many';
    const devices = Array.from({ length: 25 }, (_, i) => `d.${i}`);
    for (const device of devices)
      await deps.links.link({ device, person, since: 1, receipt: 'r', ttl: 1, personTtl: 1 });
    expect((await deps.links.read([person])).get(person)?.siblings).toEqual(devices.slice(-20));
    const crowd = Array.from({ length: 5 }, (_, i) => `d.crowd${i}`);
    await Promise.all(
      crowd.map((device) =>
        deps.links.link({ device, person: 'p.k1.crowd', since: 1, receipt: 'r', ttl: 1, personTtl: 1 }),
      ),
    );
    expect(new Set((await deps.links.read(['p.k1.crowd'])).get('p.k1.crowd')?.siblings)).toEqual(new Set(crowd));
  });
});

describe('the stream', () => {
  const lame = () => ({ ...deps, put: async (records: readonly unknown[]) => records.map((_, i) => i) });

  it('that takes nothing is answered honestly on POST and counted on the pixel', async () => {
    const whole = deps;
    deps = lame();
    const body = { event: 'Product Viewed', userId: 'u', properties: { product_id: 'A' } };
    const response = await new Jar().send('POST', '/v1/track', { body, headers: serverKey() });
    expect(response).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } });
    expect(await new Jar().pixel('e=view&site=shop')).toMatchObject({ statusCode: 200, isBase64Encoded: true });
    expect(counted).toEqual(['StreamFailed pixel']);
    deps = whole;
  });
});

describe('CORS', () => {
  it('answers a pre-flight of a configured origin exactly, and no other', async () => {
    const good = await new Jar().send('OPTIONS', '/v1/consent', { headers: { origin: ORIGIN } });
    expect(good).toMatchObject({
      statusCode: 204,
      headers: { 'access-control-allow-origin': ORIGIN, 'access-control-allow-credentials': 'true' },
    });
    const bad = await new Jar().send('OPTIONS', '/v1/consent', { headers: { origin: 'https://evil.example' } });
    expect(bad.headers).not.toHaveProperty('access-control-allow-origin');
  });
});
