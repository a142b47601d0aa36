import { beforeAll, describe, expect, it } from '@jest/globals';
import { population } from '../../bench/population.ts';
import { fold } from '../../domain/fold.ts';
import { itemSize } from '../../domain/item-size.ts';
import { SK } from '../../domain/items.ts';
import { EMPTY_PROFILE, EVENT_RING, expiryOf, ORDER_RING } from '../../domain/profile.ts';
import { packProfile } from '../../domain/profile-codec.ts';
import { sequenceOf } from '../domain/sample-events.ts';

/** Fewer than the benchmark's 100,000, so that the test is quick; the shares are those of the issue. */
const PROFILES = 5_000;
const RETENTION_DAYS = 395;

describe('profile items of the simulated population', () => {
  let sizes: number[];
  let eventCounts: number[];
  let buyers = 0;

  beforeAll(() => {
    sizes = [];
    eventCounts = [];
    for (const { id, events } of population(20_261_124, PROFILES)) {
      const streamed = events.map((record, n) => ({
        record,
        shard: 'shardId-000000000001',
        sequence: sequenceOf(n + 1),
      }));
      const profile = fold(EMPTY_PROFILE, streamed);
      const b = packProfile(profile, profile.purchases);
      sizes.push(itemSize({ pk: id, sk: SK.profile, b, v: events.length, ttl: expiryOf(profile, RETENTION_DAYS) }));
      eventCounts.push(events.length);
      if (profile.purchases.size > 0) buyers++;
    }
  });

  it('has the events and buyers that the issue names', () => {
    const sorted = eventCounts.sort((a, b) => a - b);
    expect(sorted[PROFILES / 2]).toBe(8);
    const mean = sorted.reduce((sum, n) => sum + n, 0) / PROFILES;
    expect(mean).toBeGreaterThan(18);
    expect(mean).toBeLessThan(22);
    expect(buyers / PROFILES).toBeGreaterThan(0.02);
    expect(buyers / PROFILES).toBeLessThan(0.04);
  });

  it('is under one write unit for 94 % and under two for 99 %, with rings as long as the issue wants them', () => {
    expect(EVENT_RING).toBeGreaterThanOrEqual(24);
    expect(ORDER_RING).toBeGreaterThanOrEqual(32);
    const share = (bytes: number) => sizes.filter((size) => size < bytes).length / PROFILES;
    expect(share(1024)).toBeGreaterThanOrEqual(0.94);
    expect(share(2048)).toBeGreaterThanOrEqual(0.99);
  });

  it('is the same for the same seed', () => {
    const [first] = population(7, 1);
    const [again] = population(7, 1);
    expect(again).toEqual(first);
    expect([...population(8, 1)][0]?.id).not.toBe(first?.id);
  });
});
