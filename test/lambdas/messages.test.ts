import { describe, expect, it } from '@jest/globals';
import config from '../../paula.config.ts';
import { ALL, basic, browserKey, doorUnderTest, ORIGIN, serverKey } from './door-under-test.ts';

const door = doorUnderTest(config);

describe('messages', () => {
  const order = {
    event: 'Order Completed',
    userId: 'customer-1',
    messageId: 'm-1',
    properties: { order_id: '1', revenue: '9.90', currency: 'EUR' },
    context: { consent: { categoryPreferences: { measurement: true, profile: true } } },
  };

  it('takes a server order for its person, under its consent', async () => {
    const response = await door.browser().send('POST', '/v1/track', { body: order, headers: serverKey(door) });
    expect(response).toMatchObject({ statusCode: 200, body: '{"success":true}' });
    const [event] = await door.streamed();
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
    const response = await door.browser().send('POST', '/v1/page', {
      body: { writeKey: door.keys.writeKeys.web?.[0], anonymousId: 'd.forged' },
      headers: { origin: ORIGIN, 'content-type': 'text/plain' },
    });
    expect(response.statusCode).toBe(200);
    expect(await door.streamed()).toMatchObject([{ event: 'Page Viewed', basis: 'anonymous' }]);
  });

  it('never takes anonymousId for a device, nor context.consent alone for consent', async () => {
    const body = {
      event: 'Product Viewed',
      anonymousId: 'd.forged',
      properties: { product_id: 'A' },
      context: { consent: { categoryPreferences: { storage: true, measurement: true } } },
    };
    await door.browser().send('POST', '/v1/track', { body, headers: browserKey(door) });
    const records = await door.streamed();
    expect(records).toMatchObject([{ basis: 'anonymous' }]);
    expect(JSON.stringify(records)).not.toContain('forged');
  });

  it("cuts a browser's choices by what the message grants", async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    await door.streamed();
    const body = {
      event: 'Product Viewed',
      properties: { product_id: 'A' },
      context: { consent: { categoryPreferences: { storage: true, profile: true, measurement: 'true' } } },
    };
    await jar.send('POST', '/v1/track', { body, headers: browserKey(door) });
    expect(await door.streamed()).toMatchObject([{ purposes: ['storage', 'profile'] }]);
  });

  it.each([
    ['no key', {}, 401],
    ['a wrong key', basic('nothing'), 401],
    ['a browser key without Origin', () => basic(door.keys.writeKeys.web?.[0]), 403],
    [
      "a browser key from another site's origin",
      () => ({ ...basic(door.keys.writeKeys.web?.[0]), origin: 'https://www.beauty-portal.example' }),
      403,
    ],
  ])('refuses %s', async (_, headers, status) => {
    const response = await door.browser().send('POST', '/v1/track', {
      body: order,
      headers: typeof headers === 'function' ? headers() : headers,
    });
    expect(response.statusCode).toBe(status);
    expect(await door.streamed()).toEqual([]);
  });

  it('answers 400 with every offending path', async () => {
    const body = { ...order, properties: { revenue: 'much', currency: 'EURO' }, timestamp: 'soon' };
    const response = await door.browser().send('POST', '/v1/track', { body, headers: serverKey(door) });
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
    const response = await door.browser().send('POST', '/v1/batch', { body: { batch }, headers: serverKey(door) });
    expect(response.statusCode).toBe(200);
    expect(JSON.parse(response.body ?? '')).toMatchObject({
      success: true,
      rejected: [
        { index: 1, errors: [{ path: 'event' }] },
        { index: 2, errors: [{ path: 'type' }] },
        { index: 3, errors: [{ path: 'userId' }] },
      ],
    });
    expect((await door.streamed()).map((record) => record.kind)).toEqual(['event', 'rejected', 'rejected', 'rejected']);
  });

  it.each([
    ['a browser event', '/v1/track', () => browserKey(door), 33_000, 413],
    ['a server event of a thousand lines', '/v1/track', () => serverKey(door), 200_000, 200],
    ['a server event', '/v1/track', () => serverKey(door), 270_000, 413],
    ['a batch', '/v1/batch', () => serverKey(door), 520_000, 413],
  ])('holds %s to its size', async (_, path, headers, bytes, status) => {
    const event = { ...order, messageId: `size-${bytes}`, context: { ...order.context, padding: 'x'.repeat(bytes) } };
    const body = path === '/v1/batch' ? { batch: [{ type: 'track', ...event }] } : event;
    expect((await door.browser().send('POST', path, { body, headers: headers() })).statusCode).toBe(status);
    await door.streamed();
  });

  it('survives a batch that nests deeper than a stack, and takes its good messages', async () => {
    const depth = 60_000;
    const deep = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const good = JSON.stringify({ ...order, type: 'track', messageId: 'beside-a-deep-one' });
    const response = await door.browser().send('POST', '/v1/batch', {
      body: `{"batch":[${deep},${good}]}`,
      headers: serverKey(door),
    });
    expect([response.statusCode, JSON.parse(response.body ?? '')]).toMatchObject([
      200,
      { rejected: [{ index: 0, errors: [{ path: '' }] }] },
    ]);
    expect((await door.streamed()).map((record) => record.kind)).toEqual(['rejected', 'event']);
  });

  it('refuses a batch of more messages than a real one has, and stores none', async () => {
    const body = { batch: Array.from({ length: 1001 }, () => 0) };
    expect((await door.browser().send('POST', '/v1/batch', { body, headers: serverKey(door) })).statusCode).toBe(413);
    expect(await door.streamed()).toEqual([]);
  });

  it('lists what is wrong as far as Lambda can answer it, and every bad message', async () => {
    const bad = { ...order, type: 'track', properties: { ...order.properties, products: Array(2000).fill(0) } };
    const body = { batch: Array.from({ length: 110 }, () => bad) };
    const response = await door.browser().send('POST', '/v1/batch', { body, headers: serverKey(door) });
    expect(response.statusCode).toBe(400);
    expect(Buffer.byteLength(JSON.stringify(response))).toBeLessThan(6 * 1024 * 1024);
    const { rejected } = JSON.parse(response.body ?? '') as { rejected: { errors: unknown[] }[] };
    expect(rejected.map(({ errors }) => errors.length)).toEqual([...Array(10).fill(2000), ...Array(100).fill(1)]);
    await door.streamed();
  });

  it("records a server identify's consent once and cuts later messages by its withdrawal", async () => {
    const consent = (choices: Record<string, boolean>) => ({
      userId: 'customer-2',
      context: { consent: { categoryPreferences: choices } },
    });
    const jar = door.browser();
    await jar.send('POST', '/v1/identify', {
      body: consent({ measurement: true, profile: true }),
      headers: serverKey(door),
    });
    await jar.send('POST', '/v1/identify', {
      body: consent({ measurement: true, profile: true }),
      headers: serverKey(door),
    });
    const told = await door.streamed();
    expect(told.map((record) => record.kind)).toEqual(['consent', 'event', 'consent', 'event']);
    expect(told[2]).toEqual(told[0]);
    await jar.send('POST', '/v1/identify', { body: consent({ measurement: true }), headers: serverKey(door) });
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', withdrawn: ['profile'] },
      { kind: 'event', purposes: ['measurement'] },
    ]);
    await jar.send('POST', '/v1/track', { body: { ...order, userId: 'customer-2' }, headers: serverKey(door) });
    expect(await door.streamed()).toMatchObject([{ purposes: ['measurement'] }]);
    await jar.send('POST', '/v1/identify', {
      body: consent({ measurement: true, profile: true }),
      headers: serverKey(door),
    });
    await jar.send('POST', '/v1/track', { body: { ...order, userId: 'customer-2' }, headers: serverKey(door) });
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent' },
      { kind: 'event' },
      { purposes: ['measurement', 'profile'] },
    ]);
  });
});

describe('a minor', () => {
  it("is no device any more: a browser's event is dropped and counted, and its device ends", async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    await door.streamed();
    const headers = { ...basic(door.keys.writeKeys.web?.[0]), origin: ORIGIN };
    const said = { event: 'Product Viewed', properties: { product_id: 'A', age: 14 } };
    const after = { event: 'Product Viewed', properties: { product_id: 'B' } };
    const batch = { batch: [said, after].map((message) => ({ type: 'track', ...message })) };
    const response = await jar.send('POST', '/v1/batch', { body: batch, headers });
    expect(response).toMatchObject({ statusCode: 200, body: '{"success":true}' });
    expect(door.counted).toContain('Rejected minor');
    expect(jar.cookies.has('paula_id')).toBe(false);
    const told = await door.streamed();
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
      const response = await door.browser().send('POST', path, {
        body: { ...body, context: { ...('context' in body && body.context), ...context } },
        headers: serverKey(door),
      });
      expect(response.statusCode).toBe(200);
      expect(door.counted).toEqual(['Rejected minor']);
    }
    const told = await door.streamed();
    expect(told).toMatchObject([{ kind: 'consent', granted: [], withdrawn: expect.arrayContaining(['profile']) }, {}]);
    expect(told[1]).toEqual(told[0]);
  });

  it('is dropped from a pixel that says so, although no parameter of it means an age', async () => {
    await door.browser().pixel('e=view&site=shop&age=15');
    expect(door.counted).toContain('Rejected minor');
    expect(await door.streamed()).toEqual([]);
  });
});
