import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fold } from '../../domain/fold.ts';
import { EMPTY_PROFILE, MAX_BOUGHT, MAX_PURCHASES, type Profile, type Purchase } from '../../domain/profile.ts';
import { allPurchases, divide, needsBought } from '../../domain/purchases.ts';
import { shortHash } from '../../domain/short-hash.ts';
import { orderOf, streamed } from './sample-events.ts';

type Purchases = ReadonlyMap<number, Purchase>;
/** The two items as they lie in the table. */
type Stored = { profile: Profile; bought: Purchases };

const NOTHING: Stored = { profile: EMPTY_PROFILE, bought: new Map() };

/** What `profile` does with an order: read, fold, divide. */
function buy({ profile, bought }: Stored, n: number, lines: { product_id: string; quantity: number }[]): Stored {
  const overflow: Purchases = needsBought(profile) ? bought : new Map();
  const after = fold(
    { ...profile, purchases: allPurchases(profile.purchases, overflow) },
    streamed([orderOf(n, lines)], n),
  );
  const divided = divide(profile.purchases, overflow, after.purchases);
  return {
    profile: { ...after, purchases: divided.resident, spilled: after.spilled || divided.bought !== undefined },
    bought: divided.bought ?? bought,
  };
}

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
    const day = (n: number): Purchase => ({ day: n, net: 1 });
    const overflow = new Map(Array.from({ length: MAX_BOUGHT }, (_, n) => [n, day(n)]));
    const before = new Map(Array.from({ length: MAX_PURCHASES + 3 }, (_, n) => [10_000 + n, day(5_000 + n)]));
    const { resident, bought } = divide(before, overflow, allPurchases(before, overflow));
    expect(resident.size).toBe(MAX_PURCHASES);
    expect(bought?.size).toBe(MAX_BOUGHT);
    expect([0, 1, 2, 3].map((hash) => bought?.has(hash))).toEqual([false, false, false, true]);
  });
});
