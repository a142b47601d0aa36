import { describe, expect, it } from '@jest/globals';
import { randomId } from '../../lambdas/adapters/hashes.ts';
import config from '../../paula.config.ts';
import { doorUnderTest, ORIGIN, serverKey } from './door-under-test.ts';

const door = doorUnderTest(config);

describe('the pixel', () => {
  it('answers the GIF and sets nothing without consent; the event is counted without an id', async () => {
    const response = await door.browser().pixel('e=impression&site=portal&c=spring&o=1');
    expect(response).toMatchObject({
      statusCode: 200,
      isBase64Encoded: true,
      headers: { 'content-type': 'image/gif', 'cache-control': 'no-store' },
    });
    expect(Buffer.from(response.body ?? '', 'base64')).toHaveLength(43);
    expect(response.cookies).toBeUndefined();
    expect(await door.streamed()).toMatchObject([
      { kind: 'event', event: 'Ad Impression', basis: 'anonymous', campaign: 'spring', purposes: [] },
    ]);
  });

  it('ignores an id cookie that no signed consent goes with', async () => {
    const jar = door.browser();
    jar.cookies.set('paula_id', randomId());
    await jar.pixel('e=view&site=shop');
    const [record] = await door.streamed();
    expect(record).not.toHaveProperty('device_id');
  });

  it('counts a consent cookie that is not its own, and grants nothing by it', async () => {
    const jar = door.browser();
    jar.cookies.set('paula_id', randomId());
    jar.cookies.set('paula_consent', `v1.${Date.now().toString(36)}.1.${randomId()}`);
    await jar.pixel('e=view&site=shop');
    expect(await door.streamed()).toMatchObject([{ basis: 'anonymous' }]);
    expect(door.counted).toContain('ConsentSignal consent_cookie');
  });

  it('gives a TCF string no effect where the brand is not on the vendor list', async () => {
    const response = await door
      .browser()
      .pixel('e=view&site=shop&gdpr=0&gdpr_consent=CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA');
    expect(response.cookies).toBeUndefined();
    expect(await door.streamed()).toMatchObject([{ basis: 'anonymous' }]);
  });

  it('answers the GIF to any nonsense, and keeps a reason without content', async () => {
    expect(await door.browser().pixel('e=secret-event&site=shop')).toMatchObject({
      statusCode: 200,
      isBase64Encoded: true,
    });
    expect(await door.streamed()).toEqual([
      {
        kind: 'rejected',
        received_at: expect.any(Number),
        source: 'web',
        site: 'shop',
        reason: 'event_unknown',
        path: 'e',
      },
    ]);
    expect(await door.browser().pixel('site=nowhere')).toMatchObject({ statusCode: 200 });
    expect(door.counted).toEqual(['Refused site_unknown']);
    expect(await door.streamed()).toEqual([]);
  });
});

describe('the click', () => {
  const to = encodeURIComponent('https://www.lindenblatt.example/serum?utm_source=portal');
  it('redirects to an allowed target and counts the click', async () => {
    const response = await door.browser().send('GET', '/click', { query: `site=portal&c=spring&to=${to}` });
    expect(response).toMatchObject({
      statusCode: 302,
      headers: { location: 'https://www.lindenblatt.example/serum?utm_source=portal', 'cache-control': 'no-store' },
    });
    expect(await door.streamed()).toMatchObject([{ event: 'Ad Clicked', campaign: 'spring' }]);
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
    const response = await door
      .browser()
      .send('GET', '/click', { query: `site=portal&to=${encodeURIComponent(target)}` });
    expect(response.statusCode).toBe(400);
    expect(response.headers).not.toHaveProperty('location');
    expect(await door.streamed()).toEqual([]);
  });
});

describe('the stream', () => {
  const lame = () => ({ ...door.deps, put: async (records: readonly unknown[]) => records.map((_, i) => i) });

  it('that takes nothing is answered honestly on POST and counted on the pixel', async () => {
    const whole = door.deps;
    door.deps = lame();
    const body = { event: 'Product Viewed', userId: 'u', properties: { product_id: 'A' } };
    const response = await door.browser().send('POST', '/v1/track', { body, headers: serverKey(door) });
    expect(response).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } });
    expect(await door.browser().pixel('e=view&site=shop')).toMatchObject({ statusCode: 200, isBase64Encoded: true });
    expect(door.counted).toEqual(['StreamFailed pixel']);
    door.deps = whole;
  });
});

describe('CORS', () => {
  it('answers a pre-flight of a configured origin exactly, and no other', async () => {
    const good = await door.browser().send('OPTIONS', '/v1/consent', { headers: { origin: ORIGIN } });
    expect(good).toMatchObject({
      statusCode: 204,
      headers: { 'access-control-allow-origin': ORIGIN, 'access-control-allow-credentials': 'true' },
    });
    const bad = await door.browser().send('OPTIONS', '/v1/consent', { headers: { origin: 'https://evil.example' } });
    expect(bad.headers).not.toHaveProperty('access-control-allow-origin');
  });
});
