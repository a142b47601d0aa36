import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fold, type StreamedEvent } from '../../domain/fold.ts';
import { EMPTY_PROFILE, MAX_BOUGHT, MAX_PURCHASES, type Profile, type Purchase } from '../../domain/profile.ts';
import { allPurchases, divide, needsBought } from '../../domain/purchases.ts';
import { shortHash } from '../../domain/short-hash.ts';
import type { EventRecord } from '../../domain/stream-record.ts';
import { orderOf, streamed } from './sample-events.ts';

type Purchases = ReadonlyMap<number, Purchase>;
/** The two items as they lie in the table. */
type Stored = { profile: Profile; bought: Purchases };

const NOTHING: Stored = { profile: EMPTY_PROFILE, bought: new Map() };

/** What `profile` does with a batch: read, fold, divide. */
function receive({ profile, bought }: Stored, batch: readonly StreamedEvent[]): Stored {
  const overflow: Purchases = needsBought(profile) ? bought : new Map();
  const after = fold({ ...profile, purchases: allPurchases(profile.purchases, overflow) }, batch);
  const divided = divide(profile.purchases, overflow, after.purchases);
  return {
    profile: { ...after, purchases: divided.resident, spilled: after.spilled || divided.bought !== undefined },
    bought: divided.bought ?? bought,
  };
}

const buy = (stored: Stored, n: number, lines: { product_id: string; quantity: number }[]): Stored =>
  receive(stored, streamed([orderOf(n, lines)], n));

const netOf = ({ profile, bought }: Stored, product: string) =>
  allPurchases(profile.purchases, bought).get(shortHash(product))?.net ?? 0;

const anyLines = fc.array(
  fc.record({ product_id: fc.nat(299).map((n) => `SKU-${n}`), quantity: fc.integer({ min: 1, max: 3 }) }),
  {
    minLength: 1,
    maxLength: 60,
  },
);

describe('purchases past the profile item', () => {
  it('keep the net of every product, whatever moves between the two items and whichever write is lost half way', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyLines, fc.boolean()), { maxLength: 20 }), (orders) => {
        let stored = NOTHING;
        const expected = new Map<string, number>();
        for (const [n, [lines, dies]] of orders.entries()) {
          // The overflow is written first; the profile's write is lost and the order delivered again.
          if (dies) stored = { ...stored, bought: buy(stored, n + 1, lines).bought };
          stored = buy(stored, n + 1, lines);
          for (const { product_id, quantity } of lines)
            expected.set(product_id, (expected.get(product_id) ?? 0) + quantity);
        }
        for (const [product, net] of expected) expect(netOf(stored, product)).toBe(net);
      }),
    );
  });

  it('move the oldest, and only once the profile item holds too many', () => {
    const lines = (from: number, n: number) =>
      Array.from({ length: n }, (_, i) => ({ product_id: `SKU-${from + i}`, quantity: 1 }));
    let stored = buy(NOTHING, 1, lines(0, MAX_PURCHASES + 10));
    expect([stored.profile.purchases.size, stored.bought.size, stored.profile.spilled]).toEqual([
      MAX_PURCHASES + 10,
      0,
      false,
    ]);
    stored = buy(stored, 2, lines(1000, 5));
    expect([stored.profile.purchases.size, stored.bought.size, stored.profile.spilled]).toEqual([
      MAX_PURCHASES,
      15,
      true,
    ]);
    expect(stored.profile.purchases.has(shortHash('SKU-1000'))).toBe(true);
  });

  it('forget the oldest at the second bound', () => {
    const day = (n: number): Purchase => ({ day: n, net: 1, category: undefined });
    const overflow = new Map(Array.from({ length: MAX_BOUGHT }, (_, n) => [n, day(n)]));
    const before = new Map(Array.from({ length: MAX_PURCHASES + 3 }, (_, n) => [10_000 + n, day(5_000 + n)]));
    const { resident, bought } = divide(before, overflow, allPurchases(before, overflow));
    expect(resident.size).toBe(MAX_PURCHASES);
    expect(bought?.size).toBe(MAX_BOUGHT);
    expect([0, 1, 2, 3].map((hash) => bought?.has(hash))).toEqual([false, false, false, true]);
  });

  it('are the same however the stream is cut into batches, past both bounds too', () => {
    const anyOrder = fc.array(fc.nat(1_499), { minLength: 40, maxLength: 120 });
    fc.assert(
      fc.property(fc.array(fc.tuple(anyOrder, fc.boolean()), { minLength: 20, maxLength: 40 }), (orders) => {
        const events = orders.map(([products], n) =>
          orderOf(
            n,
            products.map((product) => ({ product_id: `SKU-${product}`, quantity: 1 })),
          ),
        );
        const stored = (batches: readonly (readonly EventRecord[])[]) => {
          let state = NOTHING;
          for (const [n, batch] of batches.entries()) state = receive(state, streamed([...batch], 1_000 * (n + 1)));
          return [...allPurchases(state.profile.purchases, state.bought)].sort(([a], [b]) => a - b);
        };
        const cut: EventRecord[][] = [[]];
        for (const [n, event] of events.entries()) {
          if (orders[n]?.[1]) cut.push([]);
          cut.at(-1)?.push(event);
        }
        expect(stored(cut)).toEqual(stored(events.map((event) => [event])));
      }),
      // Orders this large shrink slowly, and a smaller case says no more.
      { numRuns: 20, endOnFailure: true },
    );
  });
});
