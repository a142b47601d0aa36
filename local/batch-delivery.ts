import type { KinesisStreamRecord } from 'aws-lambda';
import type { Consumer } from '../domain/consumers.ts';

/** Why records were given up, in AWS's words. */
export type FailureCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

export type Discarded = {
  records: readonly KinesisStreamRecord[];
  condition: FailureCondition;
  /** How often these records were handed to the function. */
  invokeCount: number;
  /** The function threw, rather than reporting failed items. */
  threw: boolean;
};

/** What a delivery does to the world. Any of these may throw; then the delivery ends where its last checkpoint is. */
export type DeliveryEffects = {
  /** Calls the function with the records; resolves to its answer, rejects when it throws. */
  invoke(records: readonly KinesisStreamRecord[]): Promise<unknown>;
  /** Everything up to and with this record is dealt with. */
  checkpoint(record: KinesisStreamRecord): Promise<void>;
  /** Keeps records that are given up. */
  discard(discarded: Discarded): Promise<void>;
  /** Waits some milliseconds before a retry. */
  wait(ms: number): Promise<void>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** True once the platform is stopping: no further call is made. */
  stopped(): boolean;
};

/** The first wait before a retry, doubled each time: short, since only this shard waits. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

type Segment = { records: readonly KinesisStreamRecord[]; attempts: number };

/**
 * Delivers a batch of one shard as a Lambda event-source mapping with ReportBatchItemFailures and
 * BisectBatchOnFunctionError does: in order, one call at a time.
 *
 * - Success: the checkpoint moves past the batch.
 * - Reported failures: it moves up to the lowest failed record, and only what begins there is tried again.
 * - A thrown error, or a report that names the first record or none of the batch: the batch is split in two halves, which
 *   uses up no retry; a record alone is retried until its attempts are used up.
 * - What is used up or older than the limit is discarded to the on-failure destination, and the shard moves on.
 *
 * Source: "Configuring partial batch response with Kinesis Data Streams and Lambda" and "Retain discarded batch records
 * for a Kinesis Data Streams event source in Lambda", Lambda developer guide. It does not say what a bisection at the
 * first record does; there it could leave nothing out, so it is taken as the failure of the whole batch.
 */
export async function deliverBatch(
  batch: readonly KinesisStreamRecord[],
  limits: Pick<Consumer, 'retryAttempts' | 'maxRecordAgeSeconds'>,
  effects: DeliveryEffects,
): Promise<void> {
  const pending: Segment[] = [{ records: batch, attempts: 0 }];
  for (let segment = pending.shift(); segment; segment = pending.shift()) {
    if (effects.stopped()) return;
    const { expired, live } = splitByAge(segment.records, effects.now() - limits.maxRecordAgeSeconds * 1000);
    const lastExpired = expired.at(-1);
    if (lastExpired) {
      const { attempts } = segment;
      await effects.discard({ records: expired, condition: 'RecordAgeExceeded', invokeCount: attempts, threw: false });
      await effects.checkpoint(lastExpired);
    }
    const [first] = live;
    const last = live.at(-1);
    if (!first || !last) continue;

    const outcome = await call(live, effects);
    const attempts = segment.attempts + 1;
    const before = live[outcome.failedFrom - 1];
    if (outcome.failedFrom === live.length) {
      await effects.checkpoint(last);
    } else if (before) {
      await effects.checkpoint(before);
      pending.unshift({ records: live.slice(outcome.failedFrom), attempts: 0 });
    } else if (live.length > 1) {
      const middle = Math.ceil(live.length / 2);
      pending.unshift({ records: live.slice(0, middle), attempts: 0 }, { records: live.slice(middle), attempts: 0 });
    } else if (attempts > limits.retryAttempts) {
      const { threw } = outcome;
      await effects.discard({ records: live, condition: 'RetryAttemptsExhausted', invokeCount: attempts, threw });
      await effects.checkpoint(last);
    } else {
      await effects.wait(Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LONGEST_RETRY_MS));
      pending.unshift({ records: live, attempts });
    }
  }
}

/** Records arrive in order, so the expired ones are a beginning of the batch. `cutoff` in milliseconds. */
function splitByAge(records: readonly KinesisStreamRecord[], cutoff: number) {
  const firstLive = records.findIndex(({ kinesis }) => kinesis.approximateArrivalTimestamp * 1000 >= cutoff);
  const count = firstLive < 0 ? records.length : firstLive;
  return { expired: records.slice(0, count), live: records.slice(count) };
}

/** Calls the function. `failedFrom` is the index of the first record that failed; the batch's length when none did. */
async function call(
  records: readonly KinesisStreamRecord[],
  effects: DeliveryEffects,
): Promise<{ failedFrom: number; threw: boolean }> {
  let answer: unknown;
  try {
    answer = await effects.invoke(records);
  } catch {
    return { failedFrom: 0, threw: true };
  }
  return { failedFrom: firstFailed(answer, records), threw: false };
}

/** Reads a partial batch response: the lowest reported record counts; a report that fits no record fails the batch. */
function firstFailed(answer: unknown, records: readonly KinesisStreamRecord[]): number {
  const failures = (answer as { batchItemFailures?: unknown } | null | undefined)?.batchItemFailures;
  if (failures === undefined || failures === null) return records.length;
  if (!Array.isArray(failures)) return 0;
  const indexes = failures.map((failure: { itemIdentifier?: unknown } | null) =>
    records.findIndex(({ kinesis }) => kinesis.sequenceNumber === failure?.itemIdentifier),
  );
  return Math.max(0, Math.min(records.length, ...indexes));
}
