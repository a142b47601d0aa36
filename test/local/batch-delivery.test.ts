import { describe, expect, it } from '@jest/globals';
import type { KinesisStreamRecord } from 'aws-lambda';
import fc from 'fast-check';
import { type Discarded, deliverBatch } from '../../local/batch-delivery.ts';

const NOW = 1_795_518_853_000;
const LIMITS = { retryAttempts: 3, maxRecordAgeSeconds: 3600 };

/** A record by its place in the shard; `age` in seconds. */
const record = (index: number, age = 0): KinesisStreamRecord => ({
  kinesis: {
    kinesisSchemaVersion: '1.0',
    partitionKey: 'k',
    sequenceNumber: String(1000 + index),
    data: '',
    approximateArrivalTimestamp: NOW / 1000 - age,
  },
  eventSource: 'aws:kinesis',
  eventVersion: '1.0',
  eventID: `shardId-000000000000:${1000 + index}`,
  eventName: 'aws:kinesis:record',
  invokeIdentityArn: '',
  awsRegion: 'eu-central-1',
  eventSourceARN: '',
});

const indexOf = ({ kinesis }: KinesisStreamRecord): number => Number(kinesis.sequenceNumber) - 1000;
const failures = (...indexes: number[]) => ({
  batchItemFailures: indexes.map((index) => ({ itemIdentifier: String(1000 + index) })),
});

type Log = {
  calls: number[][];
  /** Records that a call took, in the order of the calls. */
  taken: number[];
  checkpoints: number[];
  discarded: { indexes: number[]; condition: string; invokeCount: number; threw: boolean }[];
  waits: number[];
};

/** Delivers records to a function that says for each call what it answers or throws, and which records it took. */
async function deliver(
  records: KinesisStreamRecord[],
  handler: (indexes: number[], call: number) => unknown,
  limits = LIMITS,
): Promise<Log> {
  const log: Log = { calls: [], taken: [], checkpoints: [], discarded: [], waits: [] };
  await deliverBatch(records, limits, {
    async invoke(some) {
      const indexes = some.map(indexOf);
      log.calls.push(indexes);
      const answer = handler(indexes, log.calls.length) as
        | { batchItemFailures?: { itemIdentifier: string }[] }
        | undefined;
      const reported = (answer?.batchItemFailures ?? []).map(({ itemIdentifier }) => Number(itemIdentifier) - 1000);
      log.taken.push(...indexes.filter((index) => reported.every((failed) => index < failed)));
      return answer;
    },
    checkpoint: async (at) => void log.checkpoints.push(indexOf(at)),
    discard: async ({ records: given, ...rest }: Discarded) =>
      void log.discarded.push({ indexes: given.map(indexOf), ...rest }),
    wait: async (ms) => void log.waits.push(ms),
    now: () => NOW,
    stopped: () => false,
  });
  return log;
}

const batch = (size: number): KinesisStreamRecord[] => Array.from({ length: size }, (_, index) => record(index));

describe('one batch', () => {
  it.each([[undefined], [null], [{}], [{ batchItemFailures: null }], [{ batchItemFailures: [] }]])(
    'is a success when the function answers %j',
    async (answer) => {
      const log = await deliver(batch(4), () => answer);
      expect(log).toEqual({ calls: [[0, 1, 2, 3]], taken: [0, 1, 2, 3], checkpoints: [3], discarded: [], waits: [] });
    },
  );

  it('is tried again from the lowest reported record on', async () => {
    const log = await deliver(batch(5), (_, call) => (call === 1 ? failures(4, 2, 3) : undefined));
    expect(log.calls).toEqual([
      [0, 1, 2, 3, 4],
      [2, 3, 4],
    ]);
    expect(log.checkpoints).toEqual([1, 4]);
  });

  it.each([[''], [null], ['no such record'], [7]])('fails whole where the report names %j', async (itemIdentifier) => {
    const log = await deliver(batch(2), (_, call) =>
      call === 1 ? { batchItemFailures: [{ itemIdentifier }] } : undefined,
    );
    expect(log.calls).toEqual([[0, 1], [0], [1]]);
  });

  it('gives a record up after the first call and its retries, waiting longer each time, and moves on', async () => {
    const log = await deliver(batch(1), () => {
      throw new Error('always');
    });
    expect(log.calls).toHaveLength(1 + LIMITS.retryAttempts);
    expect(log.waits).toEqual([100, 200, 400]);
    const given = { indexes: [0], condition: 'RetryAttemptsExhausted', invokeCount: 4, threw: true };
    expect(log.discarded).toEqual([given]);
    expect(log.checkpoints).toEqual([0]);
  });

  it('gives up what is too old without a call', async () => {
    const records = [record(0, 5000), record(1, 3601), record(2, 3600), record(3)];
    const log = await deliver(records, () => undefined);
    expect(log.calls).toEqual([[2, 3]]);
    const given = { indexes: [0, 1], condition: 'RecordAgeExceeded', invokeCount: 0, threw: false };
    expect(log.discarded).toEqual([given]);
    expect(log.checkpoints).toEqual([1, 3]);
  });

  it('makes no call once the platform is stopping', async () => {
    let calls = 0;
    const checkpoints: number[] = [];
    await deliverBatch(batch(4), LIMITS, {
      invoke: async () => {
        calls++;
        throw new Error('split');
      },
      checkpoint: async (at) => void checkpoints.push(indexOf(at)),
      discard: async () => undefined,
      wait: async () => undefined,
      now: () => NOW,
      stopped: () => calls === 1,
    });
    expect([calls, checkpoints]).toEqual([1, []]);
  });
});

describe('whatever fails', () => {
  const poisoned = fc
    .integer({ min: 1, max: 200 })
    .chain((size) =>
      fc.record({ size: fc.constant(size), poison: fc.uniqueArray(fc.nat(size - 1), { maxLength: 6 }) }),
    );

  it('bisects down to exactly the poison records when the function throws', () =>
    fc.assert(
      fc.asyncProperty(poisoned, async ({ size, poison }) => {
        const log = await deliver(batch(size), (indexes) => {
          if (indexes.some((index) => poison.includes(index))) throw new Error('poison');
          return undefined;
        });
        const sorted = poison.toSorted((a, b) => a - b);
        expect(log.discarded.map(({ indexes }) => indexes)).toEqual(sorted.map((index) => [index]));
        expect(log.taken).toEqual(Array.from({ length: size }, (_, i) => i).filter((i) => !poison.includes(i)));
        for (const index of poison)
          expect(log.calls.filter((call) => call.length === 1 && call[0] === index)).toHaveLength(
            1 + LIMITS.retryAttempts,
          );
      }),
    ));

  it('keeps only the poison records when the function reports its first failed record', () =>
    fc.assert(
      fc.asyncProperty(poisoned, async ({ size, poison }) => {
        const log = await deliver(batch(size), (indexes) => {
          const first = indexes.find((index) => poison.includes(index));
          return first === undefined ? undefined : failures(first);
        });
        const sorted = poison.toSorted((a, b) => a - b);
        expect(log.discarded.map(({ indexes, threw }) => [indexes, threw])).toEqual(sorted.map((i) => [[i], false]));
        expect(log.taken).toEqual(Array.from({ length: size }, (_, i) => i).filter((i) => !poison.includes(i)));
      }),
    ));

  /** What a function does in a call: takes it all, throws, or reports the record at a fraction of the batch. */
  const behaviour = fc.oneof(
    { weight: 3, arbitrary: fc.constant('ok' as const) },
    { weight: 2, arbitrary: fc.constant('throw' as const) },
    { weight: 2, arbitrary: fc.double({ min: 0, max: 0.999, noNaN: true }) },
  );

  it('loses no record, keeps the order, respects the retries and never checkpoints what is not dealt with', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 80 }),
        fc.infiniteStream(behaviour),
        fc.integer({ min: 0, max: 4 }),
        async (size, behaviours, retryAttempts) => {
          /** Dealt with by the time of each checkpoint: taken or discarded. */
          const dealtWith = new Set<number>();
          const starts = new Map<number, number>();
          let calls: number[][] = [];
          const checkpoints: number[] = [];
          await deliverBatch(
            batch(size),
            { ...LIMITS, retryAttempts },
            {
              async invoke(some) {
                const indexes = some.map(indexOf);
                calls.push(indexes);
                // In order and without a gap, and beginning where the last checkpoint ended.
                expect(indexes).toEqual(indexes.map((_, i) => (indexes[0] ?? 0) + i));
                expect(indexes[0]).toBe((checkpoints.at(-1) ?? -1) + 1);
                if (indexes.length === 1) starts.set(indexes[0] ?? 0, (starts.get(indexes[0] ?? 0) ?? 0) + 1);
                const { value } = behaviours.next();
                if (value === 'throw') throw new Error('injected');
                if (value === 'ok') {
                  for (const index of indexes) dealtWith.add(index);
                  return { batchItemFailures: [] };
                }
                const failed = Math.floor(Number(value) * indexes.length);
                for (const index of indexes.slice(0, failed)) dealtWith.add(index);
                return failures(indexes[failed] ?? 0);
              },
              checkpoint: async (at) => {
                const upTo = indexOf(at);
                expect(upTo).toBeGreaterThan(checkpoints.at(-1) ?? -1);
                for (let index = 0; index <= upTo; index++) expect(dealtWith).toContain(index);
                checkpoints.push(upTo);
              },
              discard: async ({ records, invokeCount }) => {
                expect(records).toHaveLength(1);
                expect(invokeCount).toBe(1 + retryAttempts);
                for (const given of records) dealtWith.add(indexOf(given));
              },
              wait: async () => undefined,
              now: () => NOW,
              stopped: () => false,
            },
          );
          calls = [];
          expect(checkpoints.at(-1)).toBe(size - 1);
          expect(dealtWith.size).toBe(size);
          // A record alone may come out of a split or of a report, and from there on it has its own retries.
          for (const count of starts.values()) expect(count).toBeLessThanOrEqual(1 + retryAttempts);
        },
      ),
    ));
});
