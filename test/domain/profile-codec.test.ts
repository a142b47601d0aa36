import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fold } from '../../domain/fold.ts';
import { EMPTY_PROFILE, type Profile, type Purchase, type Touch } from '../../domain/profile.ts';
import { packBought, packProfile, unpackBought, unpackProfile } from '../../domain/profile-codec.ts';
import { decayedWeight } from '../../domain/score.ts';
import { shortHash } from '../../domain/short-hash.ts';
import { event, orderOf, START, streamed } from './sample-events.ts';

/** Packed by the codec of version 1 from `VERSION_1_EVENTS`; the order's purchase alone as its overflow. */
const PROFILE_OF_VERSION_1 =
  'AQQGAwUEEnNwcmluZ3RvcFNLVS0xZmFjZeCs74PoM8CpB/2gAQIAOEDo87APLQAAAAAAAAAAAAAAAAMAAAAAAAMAAQMBBgEBEgEA8PQ8QwCGKIoAAAEA' +
  'ExRDAIYoigAAAQATFAEVohMBFqITAROSAgF4AWh4ekObsAAEAAOGKIoAAAFTw8AAAAIhXvcAAAMBXqDrP1lz';
const BOUGHT_OF_VERSION_1 = 'Af2gAQFoeHpDm7AABA==';
const VERSION_1_EVENTS = [
  event(1, { event: 'Ad Impression', campaign: 'spring', placement: 'top' }),
  event(2, { event: 'Product Viewed', product_id: 'SKU-1', category: 'face' }),
  orderOf(3, [{ product_id: 'SKU-1', category: 'face', quantity: 2 }]),
];

const FIRST = Date.UTC(2000, 0, 1);
const YEARS_MS = 90 * 365 * 86_400_000;

const hash = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const mapOf = <K, V>(key: fc.Arbitrary<K>, value: fc.Arbitrary<V>) =>
  fc.array(fc.tuple(key, value), { maxLength: 20 }).map((entries) => new Map(entries));

const touchAfter = (firstSeen: number): fc.Arbitrary<Touch> =>
  fc
    .record(
      {
        at: fc.integer({ min: firstSeen, max: firstSeen + YEARS_MS }),
        id: hash,
        event: fc.oneof(text, fc.constant('Ad Impression')),
        campaign: text,
        placement: text,
        utmSource: text,
        utmMedium: text,
        utmCampaign: text,
        referrerHost: text,
      },
      { requiredKeys: ['at', 'id', 'event'] },
    )
    .map((touch) => touch as Touch);

const anyPurchases = (lastDay: number): fc.Arbitrary<ReadonlyMap<number, Purchase>> =>
  mapOf(
    hash,
    fc.record({
      day: fc.integer({ min: 0, max: lastDay }),
      net: fc.maxSafeInteger().map((n) => Math.trunc(n / 4) + 0),
      category: fc.option(hash, { nil: undefined }),
    }),
  );

/** Any profile that a fold could lead to, and many that none does. */
const anyProfile: fc.Arbitrary<Profile> = fc
  .tuple(fc.integer({ min: FIRST, max: FIRST + 1e12 }), fc.integer({ min: 0, max: YEARS_MS }))
  .chain(([firstSeen, span]) => {
    const lastSeen = firstSeen + span;
    const score = fc
      .array(fc.integer({ min: firstSeen, max: Math.min(lastSeen, firstSeen + 395 * 86_400_000) }), {
        minLength: 1,
        maxLength: 30,
      })
      .map((times) => times.reduce((sum, at) => sum + decayedWeight(4, at), 0));
    return fc.record(
      {
        firstSeen: fc.constant(firstSeen),
        lastSeen: fc.constant(lastSeen),
        lastReceivedDay: fc.nat(60_000),
        applied: fc.record({
          shard: fc.oneof(
            text,
            fc.nat(999).map((n) => `shardId-${String(n).padStart(12, '0')}`),
          ),
          sequence: fc.bigInt({ min: 0n, max: 2n ** 186n }).map(String),
        }),
        counts: mapOf(text, count),
        totals: mapOf(
          text,
          fc.record({ orders: count, refunds: count, revenue: fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }) }),
        ),
        firstTouch: touchAfter(firstSeen),
        lastTouch: touchAfter(firstSeen),
        products: mapOf(text, score),
        categories: mapOf(text, score),
        campaigns: mapOf(
          text,
          fc.record({
            score,
            impressions: count,
            lastAt: fc.integer({ min: Math.floor(firstSeen / 1000), max: Math.floor(lastSeen / 1000) }),
          }),
        ),
        impressions: mapOf(
          hash,
          fc
            .array(fc.integer({ min: Math.floor(firstSeen / 1000), max: Math.floor(lastSeen / 1000) }), {
              minLength: 1,
              maxLength: 30,
            })
            .map((times) => times.sort((a, b) => a - b)),
        ),
        purchases: anyPurchases(Math.floor(lastSeen / 86_400_000)),
        spilled: fc.boolean(),
        events: fc.array(hash, { maxLength: 40 }),
        orders: fc.array(hash, { maxLength: 40 }),
      },
      {
        requiredKeys: [
          'firstSeen',
          'lastSeen',
          'lastReceivedDay',
          'counts',
          'totals',
          'products',
          'categories',
          'campaigns',
          'impressions',
          'purchases',
          'spilled',
          'events',
          'orders',
        ],
      },
    ) as fc.Arbitrary<Profile>;
  });

describe('profile codec', () => {
  it('reads back what it wrote, the order of maps included', () => {
    fc.assert(
      fc.property(anyProfile, (profile) => {
        const read = unpackProfile(packProfile(profile, profile.purchases));
        expect(read).toEqual(profile);
        for (const name of ['counts', 'products', 'campaigns', 'impressions', 'purchases'] as const)
          expect([...read[name].keys()]).toEqual([...profile[name].keys()]);
      }),
    );
  });

  it('reads back the purchases of an overflow', () => {
    fc.assert(
      fc.property(anyPurchases(30_000), (purchases) => expect(unpackBought(packBought(purchases))).toEqual(purchases)),
    );
  });

  it('refuses bytes that end too early, wherever they are cut', () => {
    fc.assert(
      fc.property(anyProfile, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (profile, share) => {
        const packed = packProfile(profile, profile.purchases);
        expect(() => unpackProfile(packed.subarray(0, Math.floor(packed.length * share)))).toThrow();
      }),
    );
  });

  it('reads the items of version 1, without impressions and without the categories of purchases', () => {
    const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
    const sku1 = shortHash('SKU-1');
    const purchases = new Map([[sku1, { day: START / 86_400_000, net: 2, category: undefined }]]);
    const folded = fold(EMPTY_PROFILE, streamed(VERSION_1_EVENTS));
    expect(folded.impressions.size).toBe(1);
    expect(unpackProfile(bytes(PROFILE_OF_VERSION_1))).toEqual({ ...folded, impressions: new Map(), purchases });
    expect(unpackBought(bytes(BOUGHT_OF_VERSION_1))).toEqual(purchases);
  });

  it('refuses another version', () => {
    const packed = packProfile(EMPTY_PROFILE, EMPTY_PROFILE.purchases);
    expect(() => unpackProfile(Uint8Array.of(3, ...packed.subarray(1)))).toThrow('unknown version 3');
    expect(() => unpackBought(Uint8Array.of(0))).toThrow('unknown version 0');
  });
});
