import { expect, it, jest } from '@jest/globals';
import { startSchedule } from '../../local/schedule.ts';

const noFailure = (error: unknown): never => {
  throw error;
};

/** A run that ends when it is told to. */
function heldRuns() {
  const started: Date[] = [];
  const ends: (() => void)[] = [];
  const run = (asOf: Date) =>
    new Promise<void>((resolve) => {
      started.push(asOf);
      ends.push(resolve);
    });
  return { started, end: () => ends.shift()?.(), run };
}

it('starts a run per interval, none while one is under way, and tells of the last', async () => {
  jest.useFakeTimers({ now: Date.UTC(2026, 10, 24) });
  try {
    const { started, end, run } = heldRuns();
    const schedule = startSchedule(10, run, noFailure);
    expect(schedule.status()).toEqual({ planRuns: 0 });
    await jest.advanceTimersByTimeAsync(35_000);
    expect(started).toEqual([new Date('2026-11-24T00:00:10Z')]);
    end();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(started).toHaveLength(2);
    expect(schedule.status()).toEqual({
      planRuns: 1,
      lastPlan: { asOf: '2026-11-24T00:00:10.000Z', ms: expect.any(Number) },
    });
    end();
    await schedule.stop();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(started).toHaveLength(2);
  } finally {
    jest.useRealTimers();
  }
});

it('runs on demand, one after the other, also when it is off', async () => {
  const { started, end, run } = heldRuns();
  const schedule = startSchedule('off', run, noFailure);
  const [one, two] = [new Date(1), new Date(2)];
  const first = schedule.runNow(one);
  const second = schedule.runNow(two);
  await Promise.resolve();
  expect(started).toEqual([one]);
  end();
  expect(await first).toMatchObject({ asOf: one.toISOString() });
  await new Promise((resolve) => setImmediate(resolve));
  expect(started).toEqual([one, two]);
  end();
  await second;
  expect(schedule.status().planRuns).toBe(2);
  await schedule.stop();
});

it('goes on after a run that failed', async () => {
  const failures: unknown[] = [];
  let runs = 0;
  const schedule = startSchedule(
    'off',
    async () => {
      if (runs++ === 0) throw new Error('first');
    },
    (error) => failures.push(error),
  );
  await expect(schedule.runNow(new Date(1))).rejects.toThrow('first');
  await schedule.runNow(new Date(2));
  expect(schedule.status()).toMatchObject({ planRuns: 1 });
  expect(failures).toEqual([]);
});
