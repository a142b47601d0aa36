import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { noticeWording } from '../../domain/notice.ts';
import { proofTtl } from '../../domain/rights.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import config from '../../paula.config.ts';
import { ALL, browserKey, doorUnderTest, identify, ORIGIN, REGION } from './door-under-test.ts';

const door = doorUnderTest(config);

describe('consent', () => {
  it('sets both cookies and writes a receipt where storage is granted; the next pixel has a device', async () => {
    const jar = door.browser();
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
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', subject: device, granted: Object.keys(ALL), withdrawn: [], method: 'browser' },
    ]);
    expect(await door.deps.receipts.latest(device)).toMatchObject({ granted: Object.keys(ALL) });

    expect((await jar.pixel('e=view&site=shop')).cookies).toBeUndefined();
    const [event] = await door.streamed();
    expect(event).toMatchObject({ device_id: device, basis: 'consent' });
    expect(JSON.stringify(event)).not.toContain(jar.cookies.get('paula_id'));
  });

  it('is idempotent: the same choice writes no second receipt, and a fresh one is told again', async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    const [first] = await door.streamed();
    expect((await jar.consent(ALL)).statusCode).toBe(200);
    expect(await door.streamed()).toEqual([first]);
    await jar.consent(ALL, Date.now() + 2 * 3_600_000);
    expect(await door.streamed()).toEqual([]);
  });

  it('repairs by a retry what a stream that took nothing has left', async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    await identify(door, jar, 'retrier');
    await door.streamed();
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    const whole = door.deps;
    door.deps = { ...door.deps, put: async (records) => records.map((_, i) => i) };
    expect((await jar.consent({ storage: false })).statusCode).toBe(503);
    expect(jar.cookies.has('paula_id')).toBe(true);
    door.deps = whole;
    expect((await jar.consent({ storage: false })).statusCode).toBe(200);
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', subject: device, granted: [], withdrawn: Object.keys(ALL) },
      { kind: 'link', device_id: device, removed_at: expect.any(Number) },
    ]);
    const link = (await door.deps.links.read([device])).get(device);
    expect(link).toMatchObject({ withdrawn: { storage: expect.any(Number) } });
    expect(link).not.toHaveProperty('person');
  });

  it('refuses without device and receipt, by a cookie and a counter', async () => {
    const jar = door.browser();
    const response = await jar.consent({ storage: false, measurement: true });
    expect(response.cookies).toHaveLength(1);
    expect(door.counted).toEqual(['StorageRefused shop']);
    expect(await door.streamed()).toEqual([]);
  });

  it('takes the id cookie away on a refusal, also where the choice cookie is lost', async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    await door.streamed();
    jar.cookies.delete('paula_consent');
    const response = await jar.consent({ storage: false });
    expect(response.cookies).toContainEqual(expect.stringMatching(/^paula_id=; Max-Age=0/));
    expect(await door.streamed()).toMatchObject([{ kind: 'consent', subject: device, withdrawn: Object.keys(ALL) }]);
    const stranger = door.browser();
    stranger.cookies.set('paula_id', randomId());
    expect((await stranger.consent({ storage: false })).cookies).toContainEqual(
      expect.stringMatching(/^paula_id=; Max-Age=0/),
    );
    expect(await door.streamed()).toEqual([]);
  });

  it('says a withdrawal again with the next choice, since its own telling may have failed', async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    await door.streamed();
    const whole = door.deps;
    door.deps = { ...door.deps, put: async (records) => records.map((_, i) => i) };
    await jar.consent({ ...ALL, profile: false });
    door.deps = whole;
    await jar.consent({ ...ALL, profile: false, measurement: false });
    expect(await door.streamed()).toMatchObject([{ kind: 'consent', withdrawn: ['measurement', 'profile'] }]);
  });

  it('withdraws by the same call: the id cookie expires, the link goes, the lake learns it', async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    await identify(door, jar, 'withdrawer');
    await door.streamed();
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    const response = await jar.consent({ storage: false });
    expect(response.cookies).toContainEqual(expect.stringMatching(/^paula_id=; Max-Age=0/));
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', subject: device, granted: [], withdrawn: Object.keys(ALL) },
      { kind: 'link', device_id: device, removed_at: expect.any(Number) },
    ]);
    const link = (await door.deps.links.read([device])).get(device);
    expect(link).toMatchObject({ withdrawn: { storage: expect.any(Number), profile: expect.any(Number) } });
    expect(link).not.toHaveProperty('person');
    await jar.pixel('e=view&site=shop');
    expect(await door.streamed()).toMatchObject([{ basis: 'anonymous' }]);
  });

  it('is withdrawn by the same call, which takes effect on the next request', async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    const body = { event: 'Product Viewed', properties: { product_id: 'A' } };
    const view = () => jar.send('POST', '/v1/track', { body, headers: browserKey(door) });
    await view();
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent' },
      { basis: 'consent', purposes: expect.anything() },
    ]);
    expect((await jar.consent({})).statusCode).toBe(200);
    await door.streamed();
    const answers = [await view(), await jar.pixel('e=view&site=shop&p=A')];
    for (const { cookies } of answers) expect(cookies).toBeUndefined();
    const events = await door.streamed();
    expect(events).toMatchObject([
      { basis: 'anonymous', purposes: [] },
      { basis: 'anonymous', purposes: [] },
    ]);
    for (const event of events) expect(event).not.toHaveProperty('device_id');
  });

  it('answers the same call again with the same cookies, given or refused, and writes no second receipt', async () => {
    const hour = 3_600_000;
    for (const choice of [ALL, { measurement: true }, {}]) {
      const jar = door.browser();
      const first = await jar.consent(choice);
      await door.streamed();
      const [cookie] = first.cookies ?? [];
      const again = await jar.consent(choice, Date.now() + 2 * hour);
      expect(again).toEqual({ ...first, cookies: [cookie] });
      expect(await door.streamed()).toEqual([]);
      // Another choice has its own time.
      const other = await jar.consent({ measurement: true, email_tracking: true }, Date.now() + 3 * hour);
      expect(other.cookies?.[0]).not.toBe(cookie);
    }
  });

  it('keeps in the receipt what was shown and asked (ISO/IEC TS 27560), and nothing of the address', async () => {
    const jar = door.browser();
    const notice = { version: '2026-11', language: 'de' };
    const body = { purposes: { storage: true, measurement: true }, notice };
    await jar.send('PUT', '/v1/consent', { body, headers: { origin: ORIGIN } });
    const [record] = await door.streamed();
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
    expect(await door.deps.receipts.latest(device)).toEqual({ pk: device, sk: expect.any(String), ...told });
    expect(JSON.stringify(record)).not.toContain('203.0.113.9');
    const Key = { pk: { S: device }, sk: { S: (await door.deps.receipts.latest(device))?.sk ?? '' } };
    const { Item } = await door.dynamo.send(new GetItemCommand({ TableName: 'consents', Key }));
    expect(Item?.ttl).toEqual({ N: String(proofTtl(Number(Item?.expires_at?.N))) });
  });

  it('is a new one where another text was shown than the receipt’s, and refused where that text is out of force', async () => {
    const jar = door.browser();
    const put = (version: string, language = 'de') =>
      jar.send('PUT', '/v1/consent', {
        body: { purposes: { storage: true }, notice: { version, language } },
        headers: { origin: ORIGIN },
      });
    await put('2026-11');
    await put('2026-11', 'en');
    expect(await door.streamed()).toMatchObject([{ language: 'de' }, { language: 'de' }]);
    const shipped = door.deps;
    door.deps = { ...door.deps, terms: { ...door.deps.terms, notice_version: '2027-01' } };
    try {
      const stale = await put('2026-11');
      expect(stale).toMatchObject({ statusCode: 400, body: expect.stringContaining('"path":"notice.version"') });
      expect(stale.cookies).toBeUndefined();
      expect(await door.streamed()).toEqual([]);
      await put('2027-01', 'en');
      const [first] = await door.streamed();
      expect(first).toMatchObject({ notice_version: '2027-01', language: 'en', prior_receipt_id: expect.any(String) });
    } finally {
      door.deps = shipped;
    }
  });

  it('never grants mail to a browser, and says so; counting in mails it may allow', async () => {
    const jar = door.browser();
    const response = await jar.consent({ storage: true, email: true, email_tracking: true });
    expect(JSON.parse(response.body ?? '')).toMatchObject({
      purposes: { storage: true, email: false, email_tracking: true },
      ungranted: [{ path: 'purposes.email' }],
    });
    expect(await door.streamed()).toMatchObject([{ granted: ['storage', 'email_tracking'] }]);
  });

  it('can be read back by the page, from the cookie alone', async () => {
    const jar = door.browser();
    const read = async () => {
      const whole = door.deps;
      door.deps = { ...door.deps, receipts: undefined as never, links: undefined as never, put: undefined as never };
      const response = await jar.send('GET', '/v1/consent', { headers: { origin: ORIGIN } });
      door.deps = whole;
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
    await door.streamed();
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
    const response = await door
      .browser()
      .send('PUT', '/v1/consent', { body: { purposes: { storage: true } }, ...options });
    expect(response.statusCode).toBe(status);
    expect(JSON.parse(response.body ?? '').errors[0].path).toBe(path);
    expect(response.cookies).toBeUndefined();
  });
});
