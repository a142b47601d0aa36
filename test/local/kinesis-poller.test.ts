import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { KinesisStreamRecord } from 'aws-lambda';
import type { Discarded } from '../../local/batch-delivery.ts';
import { fileCheckpoint } from '../../local/checkpoints.ts';
import { type Poller, type PollerDeps, startPoller } from '../../local/kinesis-poller.ts';
import { type KinesisEngine, startKinesis } from '../../local/kinesis-server.ts';

const REGION = 'eu-central-1';
const STREAM = 'events';

let folder: string;
let engine: KinesisEngine;
let kinesis: KinesisClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'paula-poller-'));
  engine = await startKinesis(join(folder, 'kinesis'), REGION, { name: STREAM, shards: 2 });
  kinesis = new KinesisClient({
    region: REGION,
    endpoint: engine.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true }) }),
  });
});

afterEach(async () => {
  kinesis.destroy();
  await engine.stop();
  rmSync(folder, { recursive: true });
});

const consumer = {
  name: 'profile',
  batchSize: 40,
  batchingWindowSeconds: 0,
  retryAttempts: 0,
  maxRecordAgeSeconds: 3600,
} as const;

/** Puts numbered records and returns, per shard, their numbers in the order of the stream. */
async function put(from: number, count: number): Promise<Map<string, number[]>> {
  const numbers = Array.from({ length: count }, (_, index) => from + index);
  const { Records = [] } = await kinesis.send(
    new PutRecordsCommand({
      StreamName: STREAM,
      Records: numbers.map((number) => ({
        PartitionKey: `key-${number}`,
        Data: Buffer.from(JSON.stringify({ number })),
      })),
    }),
  );
  const shards = new Map<string, number[]>();
  for (const [index, { ShardId = '' }] of Records.entries())
    shards.set(ShardId, [...(shards.get(ShardId) ?? []), numbers[index] ?? -1]);
  return shards;
}

const numberOf = ({ kinesis: { data } }: KinesisStreamRecord): number =>
  JSON.parse(Buffer.from(data, 'base64').toString()).number;
const shardOf = ({ eventID }: KinesisStreamRecord): string => eventID.split(':')[0] ?? '';

/** What a consumer took and gave up, per shard in order. */
function ledger(name: string) {
  const taken = new Map<string, number[]>();
  const discarded: number[] = [];
  const faults: unknown[] = [];
  const take = (records: readonly KinesisStreamRecord[]) => {
    for (const each of records) taken.set(shardOf(each), [...(taken.get(shardOf(each)) ?? []), numberOf(each)]);
  };
  const deps: PollerDeps = {
    kinesis,
    stream: { name: STREAM, arn: engine.streamArn },
    region: REGION,
    checkpoint: (shardId) => fileCheckpoint(join(folder, 'checkpoints'), name, shardId),
    invoke: async (records) => take(records),
    discard: async (_shard, { records }: Discarded) => void discarded.push(...records.map(numberOf)),
    beforeCheckpoint: () => undefined,
    onFault: (error) => faults.push(error),
  };
  return { taken, discarded, faults, take, deps };
}

async function drained(poller: Poller): Promise<void> {
  const from = Date.now();
  while (!poller.status().every(({ drainedAt = 0 }) => drainedAt > from)) await sleep(10);
}

const sorted = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b);

it('takes every record once and in order per shard, and goes on from its checkpoints', async () => {
  const first = await put(0, 300);
  const { taken, deps } = ledger('in-order');
  const poller = await startPoller(consumer, deps);
  await drained(poller);
  await poller.stop();
  expect(taken).toEqual(first);
  expect([...first.keys()]).toHaveLength(2);

  const second = await put(300, 100);
  const next = ledger('in-order');
  const again = await startPoller(consumer, next.deps);
  await drained(again);
  expect(next.taken).toEqual(second);
  for (const { shard } of again.status()) {
    const checkpoint = readFileSync(join(folder, 'checkpoints', `in-order.${shard}`), 'utf8');
    expect(checkpoint).toMatch(/^\d{56}$/);
  }
  await again.stop();
});

it('hands over no more than a batch, and each record as Lambda does', async () => {
  await put(0, 400);
  const calls: (readonly KinesisStreamRecord[])[] = [];
  const { deps } = ledger('batches');
  const poller = await startPoller(consumer, { ...deps, invoke: async (records) => void calls.push(records) });
  await drained(poller);
  await poller.stop();
  expect(calls.length).toBeGreaterThanOrEqual(10);
  for (const records of calls) {
    expect(records.length).toBeLessThanOrEqual(consumer.batchSize);
    expect(new Set(records.map(shardOf)).size).toBe(1);
  }
  const [record] = calls[0] ?? [];
  expect(record).toMatchObject({
    eventSource: 'aws:kinesis',
    eventName: 'aws:kinesis:record',
    awsRegion: REGION,
    eventSourceARN: engine.streamArn,
    eventID: `${record && shardOf(record)}:${record?.kinesis.sequenceNumber}`,
    kinesis: { kinesisSchemaVersion: '1.0', partitionKey: `key-${record && numberOf(record)}` },
  });
});

it('waits for the window unless the batch is full', async () => {
  await put(0, 400);
  const { taken, deps } = ledger('window');
  const poller = await startPoller({ ...consumer, batchSize: 10_000, batchingWindowSeconds: 3600 }, deps);
  const total = () => poller.status().reduce((sum, { waiting }) => sum + waiting, 0);
  while (total() < 400) await sleep(10);
  expect(taken.size).toBe(0);
  await poller.stop();

  const full = ledger('full');
  const filled = await startPoller({ ...consumer, batchSize: 150, batchingWindowSeconds: 3600 }, full.deps);
  const count = () =>
    [...full.taken.values()].flat().length + filled.status().reduce((sum, { waiting }) => sum + waiting, 0);
  while (count() < 400) await sleep(10);
  for (const numbers of full.taken.values()) expect(numbers).toHaveLength(150);
  await filled.stop();
});

it('loses nothing while the function and the on-failure destination fail now and then', async () => {
  await put(0, 400);
  const { taken, discarded, faults, take, deps } = ledger('failing');
  const poison = new Set([7, 8, 150, 399]);
  let keeps = 0;
  const poller = await startPoller(consumer, {
    ...deps,
    async invoke(records) {
      if (records.some((record) => poison.has(numberOf(record)))) throw new Error('poison');
      take(records);
    },
    async discard(shard, given) {
      if (keeps++ === 0) throw new Error('the object store is away');
      await deps.discard(shard, given);
    },
  });
  await drained(poller);
  await poller.stop();
  expect(faults).toHaveLength(1);
  expect(sorted(discarded)).toEqual(sorted([...poison]));
  const all = [...taken.values()].flat();
  expect(sorted([...new Set([...all, ...discarded])])).toEqual(Array.from({ length: 400 }, (_, index) => index));
  // Only what came after a checkpoint and before the fault is seen twice; without those the order is the stream's.
  for (const numbers of taken.values()) expect([...new Set(numbers)]).toEqual(sorted([...new Set(numbers)]));
});
