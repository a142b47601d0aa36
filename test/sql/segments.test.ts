import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventRecord } from '../../domain/stream-record.ts';
import {
  AS_OF,
  at,
  consent,
  event,
  type FixtureLake,
  INGEST,
  link,
  openFixtureLake,
  QUIET_SECONDS,
} from './fixture-lake.ts';

let lake: FixtureLake;
beforeEach(async () => {
  lake = await openFixtureLake();
});
afterEach(() => lake.close());

const ago = (seconds: number): number => AS_OF.getTime() - seconds * 1000;
const DAY = 86_400;

let events = 0;
const did = (device: string, name: string, seconds: number, over: Partial<EventRecord> = {}): EventRecord =>
  event({
    event_id: `e${++events}`,
    event: name,
    device_id: device,
    occurred_at: ago(seconds),
    received_at: ago(Math.min(seconds, 2 * DAY)),
    ...over,
  });

const members = async (segment: string): Promise<unknown[]> => {
  await lake.run([...INGEST, `${segment}-members`]);
  const rows = await lake.rows(
    `SELECT profile_id FROM segment_members WHERE segment_id = '${segment}' AND left_at IS NULL ORDER BY profile_id`,
  );
  return rows.map((row) => row.profile_id);
};

describe('cart_abandoners', () => {
  it('are those whose last addition lies still and was not followed by an order', async () => {
    await lake.land([
      did('d.quiet', 'Product Added', QUIET_SECONDS),
      did('d.busy', 'Product Added', QUIET_SECONDS - 1),
      did('d.old', 'Product Added', 7 * DAY),
      did('d.recent', 'Product Added', 7 * DAY - 1),
      did('d.viewer', 'Product Viewed', 60),
      did('d.bought', 'Product Added', 120),
      did('d.bought', 'Order Completed', 60),
      did('d.again', 'Order Completed', 120),
      did('d.again', 'Product Added', 60),
      did('d.unasked', 'Product Added', 60, { purposes: ['storage', 'measurement'] }),
      did('d.withdrew', 'Product Added', 60),
      consent({ receipt_id: 'r1', subject: 'd.withdrew', withdrawn: ['profile'], given_at: ago(10) }),
    ]);
    expect(await members('cart_abandoners')).toEqual(['d.again', 'd.quiet', 'd.recent']);
  });

  it('sees the order that the same person made on another device', async () => {
    await lake.land([
      did('d.phone', 'Product Added', 600),
      did('d.laptop', 'Order Completed', 60),
      link({ device_id: 'd.phone' }),
      link({ device_id: 'd.laptop' }),
    ]);
    expect(await members('cart_abandoners')).toEqual([]);
  });
});

describe('buyers_30d', () => {
  const paid = (value: string, currency = 'EUR') => ({ value, currency });

  it('are those who ordered within 30 days and kept some of it, in any one currency', async () => {
    await lake.land([
      did('d.buyer', 'Order Completed', DAY, paid('10')),
      did('d.edge', 'Order Completed', 30 * DAY - 1, paid('10')),
      did('d.old', 'Order Completed', 30 * DAY, paid('10')),
      did('d.viewer', 'Product Viewed', DAY),
      did('d.returned', 'Order Completed', 2 * DAY, paid('10.01')),
      did('d.returned', 'Order Refunded', DAY, paid('-10.01')),
      did('d.partly', 'Order Completed', 2 * DAY, paid('10.01')),
      did('d.partly', 'Order Refunded', DAY, paid('-10')),
      did('d.cancelled', 'Order Completed', 2 * DAY, paid('10')),
      did('d.cancelled', 'Order Cancelled', DAY, paid('-10')),
      did('d.two-currencies', 'Order Completed', 2 * DAY, paid('10')),
      did('d.two-currencies', 'Order Refunded', DAY, paid('-20', 'GBP')),
      did('d.amountless', 'Order Completed', DAY),
      did('d.refund-only', 'Order Refunded', DAY, paid('-5')),
      did('d.tomorrow', 'Order Completed', -60, { ...paid('10'), received_at: ago(1) }),
    ]);
    expect(await members('buyers_30d')).toEqual(['d.amountless', 'd.buyer', 'd.edge', 'd.partly', 'd.two-currencies']);
  });
});

describe('membership', () => {
  const next = (minutes: number): Date => new Date(AS_OF.getTime() + minutes * 60_000);
  const stored = () => lake.rows('SELECT profile_id, entered_at, left_at FROM segment_members ORDER BY profile_id');
  const run = (asOf: Date, ...steps: string[]) =>
    lake.run([...INGEST, ...steps.map((step) => `cart_abandoners-${step}`)], asOf);

  it('writes who comes and who goes, leaves who stays, and takes back who returns', async () => {
    await lake.land([did('d.a', 'Product Added', 60), did('d.b', 'Product Added', 60)]);
    await run(AS_OF, 'members');
    await lake.land([did('d.a', 'Order Completed', 30)]);
    await run(next(1), 'members');
    expect(await stored()).toEqual([
      { profile_id: 'd.a', entered_at: '2026-11-24 12:00:00', left_at: '2026-11-24 12:01:00' },
      { profile_id: 'd.b', entered_at: '2026-11-24 12:00:00', left_at: null },
    ]);
    await lake.land([did('d.a', 'Product Added', -60)]);
    await run(next(2), 'members');
    expect(await stored()).toEqual([
      { profile_id: 'd.a', entered_at: '2026-11-24 12:02:00', left_at: null },
      { profile_id: 'd.b', entered_at: '2026-11-24 12:00:00', left_at: null },
    ]);
  });

  it('hands on every change since the last one that was published, and nothing twice', async () => {
    await lake.land([did('d.a', 'Product Added', 60), did('d.b', 'Product Added', 60)]);
    await run(AS_OF, 'members');
    const both = [
      { profile_id: 'd.a', entered: true, activation: false },
      { profile_id: 'd.b', entered: true, activation: false },
    ];
    const difference = async () =>
      (await lake.unloaded('cart_abandoners-difference')).sort((a, b) =>
        String(a.profile_id) < String(b.profile_id) ? -1 : 1,
      );
    expect(await difference()).toEqual(both);
    // The run ended before it published; the next one has more to hand on.
    await lake.land([did('d.a', 'Order Completed', 30), did('d.c', 'Product Added', 30)]);
    await run(next(1), 'members');
    expect(await difference()).toEqual([
      { profile_id: 'd.a', entered: false, activation: false },
      { profile_id: 'd.b', entered: true, activation: false },
      { profile_id: 'd.c', entered: true, activation: false },
    ]);
    await run(next(1), 'history', 'history');
    expect(await difference()).toEqual([]);
    expect(await lake.rows('SELECT size, entered, left_count FROM audience_history')).toEqual([
      { size: '2', entered: '2', left_count: '1' },
    ]);
  });

  it("says whether an entry may leave the house: by the last event's purposes, until they are withdrawn", async () => {
    const purposes: EventRecord['purposes'] = ['storage', 'measurement', 'profile', 'activation'];
    await lake.land([
      did('d.granted', 'Product Added', 60, { purposes }),
      did('d.never', 'Product Added', 60),
      did('d.no-longer', 'Product Added', 90, { purposes }),
      did('d.no-longer', 'Page Viewed', 60),
      // Two of one request: what may not leave wins, whichever an engine meets first.
      did('d.at-once', 'Product Added', 60, { purposes }),
      did('d.at-once', 'Page Viewed', 60),
      did('d.at-once-too', 'Page Viewed', 60),
      did('d.at-once-too', 'Product Added', 60, { purposes }),
      did('d.withdrew', 'Product Added', 60, { purposes }),
      consent({ receipt_id: 'r1', subject: 'd.withdrew', withdrawn: ['activation'], given_at: ago(10) }),
      did('d.person-withdrew', 'Product Added', 60, { purposes }),
      link({ device_id: 'd.person-withdrew', person_id: 'p.k1.two' }),
      consent({ receipt_id: 'r2', subject: 'p.k1.two', withdrawn: ['activation'], given_at: ago(10) }),
    ]);
    await run(AS_OF, 'members');
    const allowed = (await lake.unloaded('cart_abandoners-difference')).filter((row) => row.activation);
    expect(allowed.map((row) => row.profile_id)).toEqual(['d.granted']);
  });
});

describe('features', () => {
  const stored = async () =>
    (await lake.rows('SELECT profile_id, family, feature FROM features ORDER BY 1, 2, 3')).map((row) =>
      Object.values(row).join(' '),
    );

  it('are binned counts, products, categories, campaigns and devices, and go when their events leave the window', async () => {
    const old = at('2026-10-01T00:00:00');
    const view = { product_id: 'p1', category: 'lips', campaign: 'c1', device_class: 'mobile' };
    await lake.land([
      did('d.a', 'Product Viewed', 60, view),
      did('d.a', 'Product Viewed', 50, { product_id: 'p2' }),
      did('d.a', 'Page Viewed', 40),
      did('d.hidden', 'Page Viewed', 40, { purposes: ['storage', 'measurement'] }),
      ...[1, 2, 3, 4].map((n) => did('d.b', 'Ad Impression', n)),
    ]);
    await lake.run([...INGEST, 'features']);
    const first = [
      'd.a campaign c1',
      'd.a category lips',
      'd.a device_class mobile',
      'd.a event Page Viewed:1',
      'd.a event Product Viewed:2-3',
      'd.a product p1',
      'd.a product p2',
      'd.b event Ad Impression:4+',
    ];
    expect(await stored()).toEqual(first);
    await lake.land([did('d.a', 'Page Viewed', 30), event({ event_id: 'old', device_id: 'd.c', occurred_at: old })]);
    await lake.run([...INGEST, 'features', 'features']);
    expect(await stored()).toEqual(
      [...first.map((row) => row.replace('Page Viewed:1', 'Page Viewed:2-3')), 'd.c event Page Viewed:1'].sort(),
    );
    await lake.run(['features'], new Date('2027-02-23T12:00:00Z'));
    expect(await stored()).toEqual([]);
  });
});
