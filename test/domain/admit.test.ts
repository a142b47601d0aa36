import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Admission, type Arrival, admit } from '../../domain/admit.ts';
import { readPixel } from '../../domain/pixel.ts';
import { PURPOSES } from '../../domain/purposes.ts';
import { readSegmentMessage, sentOf } from '../../domain/segment-message.ts';
import type { Sent } from '../../domain/sent.ts';
import type { EventRecord } from '../../domain/stream-record.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { userAgentReader } from '../../lambdas/adapters/user-agent.ts';
import config from '../../paula.config.ts';

const plan = compileTrackingPlan(config);
const deps = { plan, eventId: (text: string) => hashes.hmac(text, 'A'.repeat(43)), readUserAgent: userAgentReader() };
const now = Date.UTC(2026, 10, 24, 10, 20, 30, 400);
const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';

const everything: Arrival = {
  receivedAt: now,
  requestId: 'r1',
  position: 0,
  deviceId: 'd.abc',
  granted: [...PURPOSES],
  country: 'DE',
};
const nothing: Arrival = { receivedAt: now, requestId: 'r1', position: 0, granted: [], country: 'DE' };

function pixel(query: string, page: { url?: string; userAgent?: string } = {}): Sent {
  const read = readPixel(new URLSearchParams(query), { url: page.url, userAgent: page.userAgent ?? CHROME }, plan);
  if (!read) throw new Error('no site');
  return read.sent;
}

function server(body: Record<string, unknown>): Sent {
  const read = readSegmentMessage(body, 'track');
  if ('issues' in read) throw new Error(JSON.stringify(read.issues));
  return sentOf(read.message, { name: 'shop_backend', config: { kind: 'server', site: 'shop' } }, undefined);
}

/** The record as it reaches the stream. */
function record(admission: Admission): EventRecord {
  if (admission.outcome !== 'accepted') throw new Error(JSON.stringify(admission));
  return JSON.parse(JSON.stringify(admission.record)) as EventRecord;
}

describe('admit', () => {
  it('keeps what was granted and enriches it', () => {
    const sent = pixel('e=product_view&site=shop&p=SKU-1&cat=care&v=12.5&cu=eur&c=spring&mid=m1', {
      url: 'https://www.lindenblatt.example/p/1?utm_source=portal&token=secret&gclid=abc#x',
    });
    expect(record(admit(sent, everything, deps))).toMatchObject({
      event: 'Product Viewed',
      source: 'web',
      site: 'shop',
      device_id: 'd.abc',
      product_id: 'SKU-1',
      category: 'care',
      value: '12.5',
      currency: 'EUR',
      campaign: 'spring',
      page_path: '/p/1',
      utm_source: 'portal',
      click_id: 'abc',
      referrer_host: 'www.lindenblatt.example',
      device_class: 'desktop',
      browser: 'Chrome 130',
      country: 'DE',
      is_bot: false,
      basis: 'consent',
      occurred_at: now,
    });
  });

  it('counts anonymously without consent: no id, no click id, no order, times cut to the hour', () => {
    const sent = pixel('e=order&site=shop&o=4711&p=SKU-1&v=9&cu=EUR&c=spring&mid=m1', {
      url: 'https://www.lindenblatt.example/thanks?gclid=abc',
    });
    const hour = Date.UTC(2026, 10, 24, 10);
    expect(record(admit(sent, nothing, deps))).toEqual({
      kind: 'event',
      schema_version: 1,
      event_id: deps.eventId('r1\n0'),
      site: 'shop',
      event: 'Order Completed',
      occurred_at: hour,
      received_at: hour,
      campaign: 'spring',
      product_id: 'SKU-1',
      country: 'DE',
      device_class: 'desktop',
      is_bot: false,
      purposes: [],
      basis: 'anonymous',
    });
  });

  it('is only a counter where the site does not count anonymously', () => {
    const silent = compileTrackingPlan({
      ...config,
      sites: { ...config.sites, shop: { ...config.sites.shop, anonymousCounting: false } },
    } as typeof config);
    expect(admit(pixel('e=view&site=shop'), nothing, { ...deps, plan: silent })).toEqual({ outcome: 'counted' });
  });

  it('drops the fields of purposes that were not granted', () => {
    const kept = record(
      admit(
        pixel('e=view&site=shop&c=spring', { url: 'https://www.lindenblatt.example/a' }),
        { ...everything, granted: ['storage', 'profile'] },
        deps,
      ),
    );
    expect(kept).toMatchObject({ campaign: 'spring', purposes: ['storage', 'profile'] });
    expect(kept).not.toHaveProperty('page_path');
    expect(kept).not.toHaveProperty('country');
    expect(kept).not.toHaveProperty('browser');
  });

  it('keeps no field outside the granted purposes, whatever they are', () => {
    const sent = pixel('e=product_view&site=shop&p=SKU-1&cat=care&v=1&cu=EUR&c=x&pl=y&cr=z', {
      url: 'https://www.lindenblatt.example/a?utm_source=s&gclid=g',
    });
    const envelope = new Set([
      'kind',
      'schema_version',
      'event_id',
      'source',
      'site',
      'event',
      'occurred_at',
      'received_at',
      'is_bot',
      'purposes',
      'basis',
      'device_id',
    ]);
    fc.assert(
      fc.property(fc.subarray([...PURPOSES]), (granted) => {
        const kept = record(admit(sent, { ...everything, granted }, deps));
        if (kept.basis === 'anonymous') return kept.device_id === undefined;
        return Object.keys(kept)
          .filter((name) => !envelope.has(name))
          .every((name) => config.trackingPlan.fields[name]?.purposes.some((purpose) => granted.includes(purpose)));
      }),
    );
  });

  it('stores refunds as minus the absolute, whichever sign was sent', () => {
    for (const sign of [1, -1]) {
      const sent = server({
        event: 'Order Refunded',
        userId: 'u',
        properties: { currency: 'GBP', products: [{ product_id: 'A', quantity: sign * 2, price: '4.65' }] },
      });
      const refunded = record(admit(sent, { ...everything, deviceId: undefined, personId: 'p.k1.x' }, deps));
      expect(refunded.value).toBe('-9.3');
      expect(JSON.parse(refunded.properties?.products ?? '')).toEqual([
        { product_id: 'A', quantity: -2, price: '4.65' },
      ]);
    }
  });

  it('takes revenue before total before the lines, and multiplies nothing', () => {
    const value = (properties: Record<string, unknown>) =>
      record(
        admit(
          server({
            event: 'Order Completed',
            userId: 'u',
            properties: { order_id: '1', currency: 'EUR', ...properties },
          }),
          { ...everything, personId: 'p.k1.x' },
          deps,
        ),
      ).value;
    const products = [
      { product_id: 'A', quantity: 3, price: 0.1 },
      { product_id: 'A', quantity: 1, price: '0.2' },
    ];
    expect(value({ revenue: 10, total: 12, quantity: 3, products })).toBe('10');
    expect(value({ total: 12, products })).toBe('12');
    expect(value({ products })).toBe('0.5');
  });

  it('gives one event id to a retry and scopes it by its source', () => {
    const sent = pixel('e=impression&site=shop&mid=m1');
    const again = record(admit(sent, { ...everything, requestId: 'r2' }, deps)).event_id;
    expect(record(admit(sent, everything, deps)).event_id).toBe(again);
    expect(record(admit({ ...sent, source: 'portal' }, everything, deps)).event_id).not.toBe(again);
  });

  it('rejects with the path and no content', () => {
    const admission = admit(
      server({
        event: 'Order Completed',
        userId: 'u',
        properties: { order_id: '1', currency: 'paula@example.com', products: [{ quantity: 1.5 }] },
      }),
      everything,
      deps,
    );
    expect(admission).toMatchObject({
      outcome: 'rejected',
      issues: [
        { path: 'properties.currency', rule: 'must be an ISO 4217 currency' },
        { path: 'properties.products[0].product_id', rule: 'is required' },
      ],
      record: { kind: 'rejected', reason: 'field_invalid', path: 'properties.currency', event: 'Order Completed' },
    });
    expect(JSON.stringify(admission)).not.toContain('paula@example.com');
  });

  it.each([
    [pixel('e=nothing&site=shop'), 'event_unknown', 'e'],
    [pixel('e=product_view&site=shop'), 'field_missing', 'p'],
    [pixel('e=order&site=portal&o=1'), 'event_not_allowed', 'e'],
    [pixel('e=product_view&site=shop&p=A&v=1,5'), 'field_invalid', 'v'],
    [server({ event: 'Page Viewed', userId: 'u', timestamp: 'soon' }), 'field_invalid', 'timestamp'],
    [
      server({ event: 'Order Cancelled', userId: 'u', properties: { order_id: '1' } }),
      'field_missing',
      'properties.value',
    ],
  ])('rejects %#', (sent, reason, path) =>
    expect(admit(sent, everything, deps)).toMatchObject({ outcome: 'rejected', record: { reason, path } }),
  );

  it('keeps a text within its length where the redaction has written out its compatibility characters', () => {
    // One character that NFKC writes out as eighteen.
    const long = `a@b.de ${'\ufdfa'.repeat(90)}`;
    const kept = record(
      admit(
        server({
          event: 'Order Completed',
          properties: { order_id: '1', category: long, products: [{ product_id: long, category: long }] },
        }),
        { ...everything, personId: 'p.k1.x' },
        deps,
      ),
    );
    const [line] = JSON.parse(kept.properties?.products ?? '');
    for (const text of [kept.category, line.product_id, line.category]) {
      expect(text).toMatch(/^\[redacted:email\]/);
      expect(text).toHaveLength(100);
    }
  });

  it('redacts personal data in what it keeps, and counts it', () => {
    const admission = admit(
      pixel('e=product_view&site=shop&p=A&cat=paula%40example.com', {
        url: 'https://www.lindenblatt.example/u/paula%2540example.com',
      }),
      everything,
      deps,
    );
    expect(admission).toMatchObject({
      redacted: ['email', 'email'],
      record: { category: '[redacted:email]', page_path: '/u/[redacted:email]' },
    });
  });

  it('keeps a click id as the ad platform drew it', () => {
    const address = 'https://www.lindenblatt.example/?msclkid=8ab2fa5cd3c6a4a0eb6b0d8d7ed7ac1f';
    expect(record(admit(pixel('e=view&site=shop', { url: address }), everything, deps)).click_id).toBe(
      '8ab2fa5cd3c6a4a0eb6b0d8d7ed7ac1f',
    );
  });

  it('keeps no text that tells of a special category, and counts it', () => {
    const order = server({
      event: 'Order Completed',
      userId: 'u',
      properties: {
        order_id: 'A-1',
        currency: 'EUR',
        category: 'Neurodermitispflege',
        campaign: 'wechseljahre_2026',
        products: [
          { product_id: 'SKU-1', category: 'Anti-Akne', price: 5 },
          { product_id: 'akne-gel-50ml', category: 'Face', price: 7 },
          { product_id: 'SKU-2', category: 'Face', price: 1 },
        ],
      },
      context: { page: { url: 'https://www.lindenblatt.example/de/haarausfall/serum' } },
    });
    const admission = admit(order, { ...everything, deviceId: undefined, personId: 'p.k1.x' }, deps);
    const kept = record(admission);
    expect(kept).toMatchObject({ order_id: 'A-1', value: '13' });
    for (const name of ['category', 'campaign', 'page_path']) expect(kept).not.toHaveProperty(name);
    expect(JSON.parse(kept.properties?.products ?? '')).toEqual([
      { product_id: 'SKU-1', quantity: 1, price: '5' },
      { product_id: 'SKU-2', category: 'Face', quantity: 1, price: '1' },
    ]);
    expect(admission).toMatchObject({ redacted: Array(5).fill('special_category') });
  });

  it('keeps it of who explicitly consented, and in an anonymous count, which is of no one', () => {
    const sent = () => pixel('e=product_view&site=shop&p=SKU-1&cat=Akne&c=akne_2026');
    const explicit = compileTrackingPlan({
      ...config,
      specialCategories: { extraTerms: [], explicitConsentPurpose: 'personalisation' },
    });
    const granted = (purposes: Arrival['granted']) =>
      record(admit(sent(), { ...everything, granted: purposes }, { ...deps, plan: explicit }));
    expect(granted(['storage', 'profile', 'personalisation'])).toMatchObject({
      category: 'Akne',
      campaign: 'akne_2026',
    });
    expect(granted(['storage', 'profile'])).not.toHaveProperty('category');
    expect(record(admit(sent(), nothing, deps))).toMatchObject({ basis: 'anonymous', campaign: 'akne_2026' });
  });

  it("drops a minor's event before it is even judged", () => {
    for (const sent of [pixel('e=view&site=shop'), pixel('e=nothing&site=shop')])
      expect(admit(sent, { ...everything, age: 'under_16' }, deps)).toEqual({ outcome: 'counted', reason: 'minor' });
    expect(admit(pixel('e=view&site=shop'), { ...everything, age: 'of_age' }, deps).outcome).toBe('accepted');
  });

  it('tells two numeric order and product ids apart that could be phone numbers', () => {
    const order = (id: string) =>
      record(
        admit(
          server({
            event: 'Order Completed',
            userId: 'u',
            properties: {
              order_id: `00800012${id}`,
              currency: 'EUR',
              products: [{ product_id: `00800099${id}`, price: 1 }],
            },
          }),
          { ...everything, personId: 'p.k1.x' },
          deps,
        ),
      );
    expect(order('34')).toMatchObject({
      order_id: '0080001234',
      properties: { products: expect.stringContaining('0080009934') },
    });
    expect(order('35').order_id).not.toBe(order('34').order_id);
  });

  it('counts every pixel whose message id came to nothing', () => {
    const first = record(admit(pixel('e=view&site=shop&mid='), everything, deps)).event_id;
    expect(record(admit(pixel('e=view&site=shop&mid='), { ...everything, requestId: 'r2' }, deps)).event_id).not.toBe(
      first,
    );
  });

  it('derives no path from a referer that is only an origin', () => {
    const kept = record(
      admit(pixel('e=impression&site=portal', { url: 'https://www.beauty-portal.example/' }), everything, deps),
    );
    expect(kept).toMatchObject({ referrer_host: 'www.beauty-portal.example' });
    expect(kept).not.toHaveProperty('page_path');
  });

  it('lists every missing field beside every wrong one', () => {
    const paths = (event: string, properties: Record<string, unknown>) => {
      const admission = admit(server({ event, userId: 'u', properties }), everything, deps);
      return admission.outcome === 'rejected' ? admission.issues.map(({ path }) => path).sort() : [];
    };
    expect(paths('Order Cancelled', {})).toEqual(['properties.order_id', 'properties.value']);
    expect(paths('Order Completed', { revenue: 'much', currency: 'EURO' })).toEqual([
      'properties.currency',
      'properties.order_id',
      'properties.revenue',
    ]);
    expect(paths('Order Completed', { order_id: '1', total: 5 })).toEqual(['properties.currency']);
    expect(paths('Order Completed', { order_id: '1', total: -5, currency: 'EUR' })).toEqual(['properties.total']);
  });

  it('flags a bot with its reason and does not drop it', () => {
    const bot = pixel('e=view&site=shop', {
      userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    });
    expect(record(admit(bot, everything, deps))).toMatchObject({
      is_bot: true,
      bot_reason: expect.stringMatching(/^isbot\/\d/),
    });
  });

  it('clamps and flags a browser clock, and treats macros as empty', () => {
    const read = readPixel(
      new URLSearchParams(
        `e=impression&site=portal&c=$\{CAMPAIGN}&pl=%25%25PLACEMENT%25%25&cr=[CREATIVE]&p={{product}}&x=1&cb=2`,
      ),
      { url: undefined, userAgent: CHROME },
      plan,
    );
    expect(read).toMatchObject({ unknown: 1, macros: 4 });
    expect(read?.sent.field('campaign')).toBeUndefined();
    const message = readSegmentMessage({ name: 'x', timestamp: '2020-01-01T00:00:00Z' }, 'page');
    if ('issues' in message) throw new Error();
    const sent = sentOf(message.message, { name: 'web', config: { kind: 'browser', site: 'shop' } }, CHROME);
    expect(record(admit(sent, everything, deps))).toMatchObject({
      time_clamped: true,
      occurred_at: now - 7 * 86_400_000,
    });
  });
});
