import { setTimeout as sleep } from 'node:timers/promises';
import {
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  type _Record as StoredRecord,
} from '@aws-sdk/client-kinesis';
import type { KinesisStreamRecord } from 'aws-lambda';
import type { Consumer } from '../domain/consumers.ts';
import { type Discarded, deliverBatch } from './batch-delivery.ts';
import type { Checkpoint } from './checkpoints.ts';

/** Records per read at most: two reads' worth is held in memory, and a Kinesis answer ends at 10 MB anyway. */
const READ_LIMIT = 1_000;

/** A batch of records is handed over in one call of 6 MB at most; the rest of a record's envelope is under 1 kB. */
const MAX_BATCH_BYTES = 6 * 1024 * 1024;
const ENVELOPE_BYTES = 700;

/** The waits between reads that find nothing, doubled from the first to the last: quick after traffic, quiet without. */
const FIRST_IDLE_MS = 20;
const LAST_IDLE_MS = 500;

/** The wait after an engine has failed, before the shard is read again from its checkpoint. */
const FAULT_WAIT_MS = 1_000;

export type PollerDeps = {
  kinesis: KinesisClient;
  stream: { name: string; arn: string };
  region: string;
  checkpoint(shardId: string): Checkpoint;
  /** Calls the consumer's function; resolves to its answer, rejects when it throws. */
  invoke(records: readonly KinesisStreamRecord[]): Promise<unknown>;
  /** Keeps records that are given up; rejects when they could not be kept. */
  discard(shardId: string, discarded: Discarded): Promise<void>;
  /** Called when the function is done with records and before that is written down. */
  beforeCheckpoint(): void;
  /** An engine did not answer as it should; the shard is read again from its checkpoint. */
  onFault(error: unknown): void;
};

/** Where a consumer stands in a shard. */
export type ShardStatus = {
  shard: string;
  /** Records that have been read and are not dealt with. */
  waiting: number;
  /** Arrival of the last record that was dealt with, ISO 8601. */
  lastArrival?: string;
  /** From that arrival until it was dealt with, in milliseconds. */
  lagMs?: number;
  /** When the last read began that found nothing while nothing was waiting, in milliseconds: all before it is done. */
  drainedAt?: number;
};

export type Poller = { status(): ShardStatus[]; stop(): Promise<void> };

/**
 * Feeds a consumer from every shard of a stream, as an event-source mapping does: per shard one batch at a time and in
 * order, each batch full (records or 6 MB) or as old as the window, from the checkpoint on or from the oldest record.
 */
export async function startPoller(consumer: Consumer, deps: PollerDeps): Promise<Poller> {
  const { Shards = [] } = await deps.kinesis.send(new ListShardsCommand({ StreamName: deps.stream.name }));
  const stopping = new AbortController();
  const shards = Shards.map(({ ShardId = '' }) => pollShard(ShardId, consumer, deps, stopping.signal));
  return {
    status: () => shards.map(({ status }) => ({ ...status })),
    async stop() {
      stopping.abort();
      await Promise.all(shards.map(({ done }) => done));
    },
  };
}

function pollShard(
  shardId: string,
  consumer: Consumer,
  deps: PollerDeps,
  signal: AbortSignal,
): { status: ShardStatus; done: Promise<void> } {
  const status: ShardStatus = { shard: shardId, waiting: 0 };
  const checkpoint = deps.checkpoint(shardId);
  const reader = shardReader(shardId, deps);
  /** Read and not dealt with, oldest first. */
  let waiting: KinesisStreamRecord[] = [];
  /** When the oldest of them was read. */
  let since = 0;
  let idle = FIRST_IDLE_MS;

  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);

  const deliver = async (batch: KinesisStreamRecord[]) => {
    await deliverBatch(batch, consumer, {
      invoke: deps.invoke,
      checkpoint: async ({ kinesis }) => {
        deps.beforeCheckpoint();
        checkpoint.write(kinesis.sequenceNumber);
        const arrival = kinesis.approximateArrivalTimestamp * 1000;
        status.lastArrival = new Date(arrival).toISOString();
        status.lagMs = Math.max(0, Math.round(Date.now() - arrival));
      },
      discard: (discarded) => deps.discard(shardId, discarded),
      wait: pause,
      now: Date.now,
      stopped: () => signal.aborted,
    });
    if (signal.aborted) return;
    waiting = waiting.slice(batch.length);
    status.waiting = waiting.length;
    since = Date.now();
  };

  const poll = async () => {
    const startedAt = Date.now();
    const read = await reader.read(Math.min(READ_LIMIT, consumer.batchSize));
    if (read.length > 0 && waiting.length === 0) since = startedAt;
    waiting.push(...read);
    status.waiting = waiting.length;
    const windowMs = consumer.batchingWindowSeconds * 1000;
    for (let full = fullBatch(waiting, consumer.batchSize); full && !signal.aborted; ) {
      await deliver(full);
      full = fullBatch(waiting, consumer.batchSize);
    }
    if (waiting.length > 0 && Date.now() - since >= windowMs && !signal.aborted) await deliver(waiting);
    if (read.length > 0) idle = FIRST_IDLE_MS;
    else {
      if (waiting.length === 0) status.drainedAt = startedAt;
      const untilWindow = waiting.length > 0 ? since + windowMs - Date.now() : Number.POSITIVE_INFINITY;
      await pause(Math.max(1, Math.min(idle, untilWindow)));
      idle = Math.min(idle * 2, LAST_IDLE_MS);
    }
  };

  const run = async () => {
    reader.restartAfter(checkpoint.read());
    while (!signal.aborted) {
      try {
        await poll();
      } catch (error) {
        if (signal.aborted) return;
        deps.onFault(error);
        waiting = [];
        status.waiting = 0;
        await pause(FAULT_WAIT_MS);
        reader.restartAfter(checkpoint.read());
      }
    }
  };
  return { status, done: run() };
}

/** The beginning of the waiting records that fills a call, by number or by bytes; undefined while they fill none. */
function fullBatch(waiting: KinesisStreamRecord[], batchSize: number): KinesisStreamRecord[] | undefined {
  let bytes = 0;
  for (const [index, { kinesis }] of waiting.entries()) {
    bytes += kinesis.data.length + kinesis.partitionKey.length + ENVELOPE_BYTES;
    if (bytes > MAX_BATCH_BYTES && index > 0) return waiting.slice(0, index);
    if (index + 1 === batchSize) return waiting.slice(0, batchSize);
  }
  return undefined;
}

/** Reads a shard on and on from a sequence number. */
function shardReader(shardId: string, { kinesis, stream, region }: PollerDeps) {
  let position: string | undefined;
  let iterator: string | undefined;

  const iteratorAtPosition = async (): Promise<string> => {
    const { ShardIterator = '' } = await kinesis.send(
      new GetShardIteratorCommand({
        StreamName: stream.name,
        ShardId: shardId,
        ...(position === undefined
          ? { ShardIteratorType: 'TRIM_HORIZON' }
          : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: position }),
      }),
    );
    return ShardIterator;
  };

  return {
    restartAfter(sequenceNumber: string | undefined) {
      position = sequenceNumber;
      iterator = undefined;
    },
    async read(limit: number): Promise<KinesisStreamRecord[]> {
      iterator ??= await iteratorAtPosition();
      try {
        const answer = await kinesis.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: limit }));
        const records = (answer.Records ?? []).map((record) => toEventRecord(record, shardId, stream.arn, region));
        // The iterator that kinesalite gives with an empty answer lies at the current second and can pass over a first
        // record that is being written: the old one is kept until it has found something.
        if (records.length > 0) {
          position = records.at(-1)?.kinesis.sequenceNumber;
          iterator = answer.NextShardIterator;
        }
        return records;
      } catch (error) {
        if (!(error instanceof ExpiredIteratorException)) throw error;
        iterator = undefined;
        return [];
      }
    },
  };
}

/** A record as Lambda hands it to a function. */
function toEventRecord(record: StoredRecord, shardId: string, arn: string, region: string): KinesisStreamRecord {
  const { SequenceNumber = '', PartitionKey = '', Data, ApproximateArrivalTimestamp } = record;
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: PartitionKey,
      sequenceNumber: SequenceNumber,
      data: Buffer.from(Data ?? []).toString('base64'),
      approximateArrivalTimestamp: (ApproximateArrivalTimestamp?.getTime() ?? 0) / 1000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shardId}:${SequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::000000000000:role/local',
    awsRegion: region,
    eventSourceARN: arn,
  };
}
