import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seeded } from '../../../bench/random.ts';
import { drawKills, KILL_KINDS, type Kill, passesUntil } from '../../../local/kill-test/kill-schedule.ts';

const MERGES = ['ingest-consents', 'ingest-events', 'features'];

describe('the kills of a replay', () => {
  it('are as many of each kind, one in each stretch of the file, the same for the same seed', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 400, max: 30_000 }),
        (seed, each, messages) => {
          const count = each * KILL_KINDS.length;
          const kills = drawKills(count, messages, MERGES, seeded(seed));
          for (const kind of KILL_KINDS) expect(kills.filter((kill) => kill.kind === kind)).toHaveLength(each);
          for (const [i, { at }] of kills.entries()) {
            expect(at).toBeGreaterThanOrEqual(Math.floor((i * messages * 0.97) / count));
            expect(at).toBeLessThanOrEqual(((i + 1) * messages * 0.97) / count);
          }
          expect(drawKills(count, messages, MERGES, seeded(seed))).toEqual(kills);
        },
      ),
    );
  });

  it('follow a MERGE of the plan or its last step', () => {
    const points = new Set(drawKills(80, 10_000, MERGES, seeded(1)).map(({ point }) => point));
    expect([...points].sort()).toEqual([
      'door.answer',
      'land.checkpoint',
      'plan.release',
      'plan.step.features',
      'plan.step.ingest-consents',
      'plan.step.ingest-events',
      'profile.checkpoint',
    ]);
  });
});

it('a point is passed once a message at the door, in time at a consumer, and once a run in the plan', () => {
  const pace = { messages: 100, profile: 2.5, land: 0.5 };
  const passes = (kind: Kill['kind'], distance: number, plansBefore = 0) =>
    passesUntil({ kind, point: 'door.answer', at: 0 }, distance, pace, plansBefore);
  expect(passes('PutRecords and answer', 700)).toBe(700);
  expect(passes('profile write and checkpoint', 800)).toBe(20);
  expect(passes('Parquet put and checkpoint', 800)).toBe(4);
  expect(passes('MERGE and release of the lease', 800)).toBe(1);
  expect(passes('MERGE and release of the lease', 800, 1)).toBe(2);
  // A replay that is past its aim already is killed at the first occasion.
  for (const kind of KILL_KINDS) expect(passes(kind, -5)).toBe(1);
});
