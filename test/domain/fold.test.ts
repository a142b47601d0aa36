import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fold, type StreamedEvent } from '../../domain/fold.ts';
import {
  EMPTY_PROFILE,
  EVENT_RING,
  expiryOf,
  MAX_CAMPAIGNS,
  MAX_CATEGORIES,
  MAX_EVENT_NAMES,
  MAX_PRODUCTS,
  ORDER_RING,
  OTHER,
  type Profile,
} from '../../domain/profile.ts';
import { packProfile, unpackProfile } from '../../domain/profile-codec.ts';
import { shortHash } from '../../domain/short-hash.ts';
import type { EventRecord } from '../../domain/stream-record.ts';
import { anyEvents, event, orderOf, SHARD, START, sequenceOf, streamed } from './sample-events.ts';

/** The same profile without what depends on the order of arrival by design: the order of maps and rings, and the position. */
function known({
  applied,
  counts,
  totals,
  products,
  categories,
  campaigns,
  impressions,
  purchases,
  events,
  orders,
  ...rest
}: Profile) {
  const sorted = <K extends string | number, V>(map: ReadonlyMap<K, V>) => Object.fromEntries(map);
  return {
    ...rest,
    counts: sorted(counts),
    totals: sorted(totals),
    products: sorted(products),
    categories: sorted(categories),
    campaigns: sorted(campaigns),
    impressions: sorted(impressions),
    purchases: sorted(purchases),
    events: [...events].sort(),
    orders: [...orders].sort(),
  };
}

/** Folds in pieces, each packed and read back as between two batches. */
function foldInPieces(events: readonly StreamedEvent[], pieces: readonly number[]): Profile {
  let profile: Profile = EMPTY_PROFILE;
  let at = 0;
  for (const size of [...pieces, events.length]) {
    profile = fold(profile, events.slice(at, at + size));
    profile = unpackProfile(packProfile(profile, profile.purchases));
    at += size;
  }
  return profile;
}

const shuffled = <T>(items: readonly T[]) =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });
const pieces = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 12 });

describe('fold, within its bounds', () => {
  it('gives the same profile for any order of arrival, with events that come again', () => {
    fc.assert(
      fc.property(
        anyEvents(EVENT_RING).chain((records) =>
          fc.tuple(fc.constant(records), shuffled(records), fc.shuffledSubarray(records)),
        ),
        ([records, arrived, again]) => {
          const once = fold(EMPTY_PROFILE, streamed(records));
          const otherwise = fold(EMPTY_PROFILE, streamed([...arrived, ...again]));
          expect(known(otherwise)).toEqual(known(once));
        },
      ),
    );
  });

  it('gives the same profile, position included, however the stream is cut into batches', () => {
    fc.assert(
      fc.property(anyEvents(3 * EVENT_RING), pieces, (records, sizes) => {
        expect(foldInPieces(streamed(records), sizes)).toEqual(fold(EMPTY_PROFILE, streamed(records)));
      }),
    );
  });

  it('is not changed by a batch that is delivered again', () => {
    fc.assert(
      fc.property(anyEvents(3 * EVENT_RING), fc.nat(), (records, from) => {
        const events = streamed(records);
        const once = fold(EMPTY_PROFILE, events);
        expect(fold(once, events.slice(from % events.length))).toEqual(once);
      }),
    );
  });

  it('leaves what it was given as it was', () => {
    fc.assert(
      fc.property(anyEvents(10), anyEvents(10), (first, second) => {
        const before = fold(EMPTY_PROFILE, streamed(first));
        const copy = structuredClone(before);
        fold(before, streamed(second, 100));
        expect(before).toEqual(copy);
      }),
    );
  });
});

describe('fold, past its bounds', () => {
  const many = (n: number): EventRecord[] =>
    Array.from({ length: n }, (_, i) =>
      event(i, {
        event: 'Product Viewed',
        product_id: `SKU-${i % 40}`,
        category: `c${i % 30}`,
        campaign: `k${i % 20}`,
      }),
    );

  it('keeps counts, times and touches exact in any order, and the maps and rings within their size', () => {
    fc.assert(
      fc.property(shuffled(many(120)), (arrived) => {
        const profile = fold(EMPTY_PROFILE, streamed(arrived));
        expect(profile.counts).toEqual(new Map([['Product Viewed', 120]]));
        expect([profile.firstSeen, profile.lastSeen]).toEqual([START, START + 119 * 60_000]);
        expect(profile.firstTouch).toMatchObject({ at: START, campaign: 'k0' });
        expect(profile.lastTouch).toMatchObject({ at: START + 119 * 60_000, campaign: 'k19' });
        expect([profile.products.size, profile.categories.size, profile.campaigns.size, profile.events.length]).toEqual(
          [MAX_PRODUCTS, MAX_CATEGORIES, MAX_CAMPAIGNS, EVENT_RING],
        );
      }),
      { numRuns: 30 },
    );
  });

  it('keeps money and purchases exact in any order of more orders than the ring holds', () => {
    const orders = Array.from({ length: 2 * ORDER_RING }, (_, i) =>
      i % 4 === 3
        ? orderOf(i, [{ product_id: 'SKU-1', quantity: -1 }], { event: 'Order Refunded', value: '-0.3333' })
        : orderOf(
            i,
            [
              { product_id: 'SKU-1', quantity: 2 },
              { product_id: `SKU-${i}`, quantity: 1 },
            ],
            { value: '0.1001' },
          ),
    );
    fc.assert(
      fc.property(shuffled(orders), (arrived) => {
        const profile = fold(EMPTY_PROFILE, streamed(arrived));
        expect(profile.totals.get('EUR')).toEqual({ orders: 48, refunds: 16, revenue: 48n * 1001n - 16n * 3333n });
        expect(profile.purchases.get(shortHash('SKU-1'))?.net).toBe(96 + 1 - 16);
        expect(profile.orders).toHaveLength(ORDER_RING);
      }),
      { numRuns: 30 },
    );
  });

  it('counts an event again that comes back after its ring has forgotten it, and not one event earlier', () => {
    const records = Array.from({ length: EVENT_RING + 1 }, (_, i) => event(i));
    const profile = fold(EMPTY_PROFILE, streamed(records));
    const again = (n: number) => fold(profile, streamed([event(n)], 100)).counts.get('Page Viewed');
    expect(again(1)).toBe(EVENT_RING + 1);
    expect(again(0)).toBe(EVENT_RING + 2);
  });

  it('counts event names and currencies past their bound together', () => {
    const names = Array.from({ length: MAX_EVENT_NAMES + 5 }, (_, i) => event(i, { event: `Event ${i}` }));
    expect(fold(EMPTY_PROFILE, streamed(names)).counts.get(OTHER)).toBe(5);

    const sold = ['EUR', 'GBP', 'PLN', 'SEK', 'CZK', 'EUR'].map((currency, i) =>
      orderOf(i, [], { currency, value: '1' }),
    );
    const { totals } = fold(EMPTY_PROFILE, streamed(sold));
    expect([...totals.keys()]).toEqual(['EUR', 'GBP', 'PLN', OTHER]);
    expect(totals.get(OTHER)).toEqual({ orders: 2, refunds: 0, revenue: 20_000n });
  });

  it('lets the least interesting product go when a new one comes', () => {
    const seen = Array.from({ length: MAX_PRODUCTS }, (_, i) => [
      event(i, { event: 'Product Added', product_id: `SKU-${i}` }),
    ]).flat();
    const weak = event(50, { event: 'Product Viewed', product_id: 'weak' });
    const fresh = event(51, { event: 'Product Viewed', product_id: 'fresh' });
    const { products } = fold(EMPTY_PROFILE, streamed([weak, ...seen, fresh]));
    expect(products.has('weak')).toBe(false);
    expect(products.has('fresh')).toBe(true);
  });
});

describe('fold', () => {
  const line = (quantity: number) => [{ product_id: 'SKU-1', quantity }];
  const net = (records: EventRecord[]) => fold(EMPTY_PROFILE, streamed(records)).purchases.get(shortHash('SKU-1'))?.net;

  it('counts an order once under two event ids, and another shop with the same order id', () => {
    const same = { order_id: 'A-1' };
    const records = [
      orderOf(1, line(1), same),
      orderOf(2, line(1), same),
      orderOf(3, line(1), { ...same, site: 'outlet' }),
    ];
    const profile = fold(EMPTY_PROFILE, streamed(records));
    expect(profile.totals.get('EUR')).toEqual({ orders: 2, refunds: 0, revenue: 998_000n });
    expect(profile.counts.get('Order Completed')).toBe(2);
  });

  it('counts several refunds of one order and its cancellation once', () => {
    const order = { order_id: 'A-1' };
    const refund = { ...order, event: 'Order Refunded', value: '-10' };
    const cancel = { ...order, event: 'Order Cancelled', value: '-20' };
    const records = [
      orderOf(1, line(5), order),
      orderOf(2, line(-1), refund),
      orderOf(3, line(-1), refund),
      orderOf(4, line(-3), cancel),
      orderOf(5, line(-3), cancel),
    ];
    expect(net(records)).toBe(0);
    expect(fold(EMPTY_PROFILE, streamed(records)).totals.get('EUR')).toEqual({
      orders: 1,
      refunds: 3,
      revenue: 99_000n,
    });
  });

  it('counts quantities of an order without a value, and of one product without lines', () => {
    const { value, properties, ...bare } = orderOf(1, []);
    expect(net([{ ...bare, properties: { products: JSON.stringify(line(3)) } }])).toBe(3);
    expect(net([{ ...bare, product_id: 'SKU-1', quantity: 4 }])).toBe(4);
    expect(net([{ ...bare, product_id: 'SKU-1' }])).toBe(1);
    expect(net([{ ...bare, event: 'Order Refunded', product_id: 'SKU-1' }])).toBe(-1);
    expect(fold(EMPTY_PROFILE, streamed([bare])).totals.get('EUR')).toEqual({ orders: 1, refunds: 0, revenue: 0n });
  });

  it('counts an amount without a currency apart', () => {
    const { currency, ...without } = orderOf(1, []);
    expect([...fold(EMPTY_PROFILE, streamed([without])).totals]).toEqual([
      [OTHER, { orders: 1, refunds: 0, revenue: 499_000n }],
    ]);
  });

  it('compares sequence numbers as numbers and only within a shard', () => {
    const profile = fold(EMPTY_PROFILE, [{ record: event(1), shard: SHARD, sequence: '9999' }]);
    const seen = (sequence: string, shard = SHARD) =>
      fold(profile, [{ record: event(2), shard, sequence }]).counts.get('Page Viewed');
    expect(seen('9998')).toBe(1);
    expect(seen('9999')).toBe(1);
    expect(seen('10000')).toBe(2);
    expect(seen('1', 'shardId-000000000001')).toBe(2);
  });

  it('halves an interest in thirty days, and weighs a cart as four looks', () => {
    const day = 86_400_000;
    const look = (n: number, at: number) =>
      event(n, { event: 'Product Viewed', product_id: `SKU-${n}`, occurred_at: START + at });
    const cart = event(3, { event: 'Product Added', product_id: 'SKU-3', occurred_at: START });
    const { products } = fold(EMPTY_PROFILE, streamed([look(1, 0), look(2, 30 * day), cart]));
    expect((products.get('SKU-2') as number) / (products.get('SKU-1') as number)).toBe(2);
    expect((products.get('SKU-3') as number) / (products.get('SKU-1') as number)).toBe(4);
  });

  it('takes an advertisement as a contact with its campaign and not as an interest', () => {
    const shown = event(1, { event: 'Ad Impression', campaign: 'spring', product_id: 'SKU-1', category: 'face/care' });
    const profile = fold(EMPTY_PROFILE, streamed([shown, event(2, { event: 'Ad Clicked', campaign: 'spring' })]));
    expect(profile.products.size + profile.categories.size).toBe(0);
    expect(profile.campaigns.get('spring')).toMatchObject({ impressions: 1, lastAt: (START + 2 * 60_000) / 1000 });
  });

  it('is kept from the end of its last day of receipt on', () => {
    const profile = fold(
      EMPTY_PROFILE,
      streamed([event(1, { received_at: START + 5 }), event(2, { received_at: START + 3 })]),
    );
    expect(expiryOf(profile, 395)).toBe(START / 1000 + 396 * 86_400);
  });

  it('refuses a value that the door would not have let in', () => {
    expect(() =>
      fold(EMPTY_PROFILE, [{ record: orderOf(1, [], { value: '1.23456' }), shard: SHARD, sequence: sequenceOf(1) }]),
    ).toThrow('no amount');
  });
});
