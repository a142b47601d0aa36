import { setTimeout as pause } from 'node:timers/promises';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { KinesisStreamEvent } from 'aws-lambda';
import type { ConsumerName } from '../../domain/consumers.ts';
import { SK } from '../../domain/items.ts';
import { unpackProfile } from '../../domain/profile-codec.ts';
import { consumerOf, type FailureRecord, onFailureDestination } from '../../local/on-failure.ts';
import type { Report } from '../report.ts';
import { deviceOf, pageView, putInOrder } from './neighbours.ts';
import { settle } from './settle.ts';
import type { Stores } from './stores.ts';
import type { Streamed } from './stream-records.ts';

/** A platform's consumers: what their functions are called in the records of the on-failure destination. */
export type ConsumerFunctions = Readonly<Record<ConsumerName, string>>;

const PLACE = 'the mappings in lib/stream-consumer.ts, and lambdas/profile.ts and lambdas/land.ts behind them';

/** Five retries of a record with their pauses, for each of the two, and a batching window before them. */
const GIVEN_UP_WITHIN_MS = 240_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Puts two poison records on the stream among good ones of one device: one that is no record, which both consumers report,
 * and one that `profile` throws at and `land` reports. Each must end alone at the on-failure destination, of both
 * consumers, and the good ones must be folded once and landed.
 */
export async function provePoison(report: Report, stores: Stores, functions: ConsumerFunctions): Promise<void> {
  const check = 'poison';
  const at = Date.now();
  const [first, second, third, fourth] = [1, 2, 3, 4].map((n) => JSON.stringify(pageView(check, n, at)));
  const undecodable = 'this is no record';
  // The door lets no such amount pass, so the fold takes it for a fault of ours and throws.
  const thrower = JSON.stringify({
    ...pageView(check, 5, at),
    event: 'Order Completed',
    order_id: check,
    value: 'no amount',
    currency: 'EUR',
  });
  const texts = [first, second, undecodable, third, thrower, fourth] as string[];
  const put = await putInOrder(stores, texts, deviceOf(check));
  const poison = put.filter(({ text }) => text === undecodable || text === thrower);
  const good = put.filter((record) => !poison.includes(record));

  try {
    await settle(stores, good);
    report.ok('the neighbours of poison records are folded and landed', `${good.length} of ${good.length}`);
  } catch (error) {
    report.fail(`the neighbours of poison records are folded and landed: ${(error as Error).message}`, PLACE);
  }
  const counted = await eventsCounted(stores, deviceOf(check));
  if (counted === good.length) report.ok('each of them is counted once', `${counted} events`);
  else report.fail(`each of them is counted once: ${counted} events of ${good.length}`, PLACE);

  const kept = await failuresOf(poison, stores, 2 * poison.length);
  for (const [consumer, name] of Object.entries(functions))
    for (const record of poison) {
      const what = record.text === undecodable ? 'a record that is none' : 'a record to throw at';
      const title = `${consumer} gives up ${what} to the on-failure destination`;
      const found = kept.filter(
        (each) => isFunction(each.record, name) && each.record.KinesisBatchInfo.startSequenceNumber === record.sequence,
      );
      const faults =
        found.length === 1 ? faultsOf(found[0] as Kept, record) : [`${found.length} objects instead of one`];
      if (faults.length === 0) report.ok(title, found[0]?.key);
      else report.fail(`${title}: ${faults.join('; ')}`, PLACE);
    }
  if (kept.length > 2 * poison.length)
    report.fail(`nothing else is given up: ${kept.length} objects instead of ${2 * poison.length}`, PLACE);
}

const isFunction = (record: FailureRecord, name: string): boolean => consumerOf(record) === name;

/** How many events a device's profile has counted, whatever they are. */
export async function eventsCounted({ dynamodb, tables }: Stores, device: string): Promise<number> {
  const Key = { pk: { S: device }, sk: { S: SK.profile } };
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName: tables.profiles, Key, ConsistentRead: true }));
  const counts = Item?.b?.B ? unpackProfile(Item.b.B).counts : new Map<string, number>();
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

type Kept = { key: string; record: FailureRecord };

/** The failed batches that hold any of these records; looks until there are enough of them, or for long enough. */
export async function failuresOf(records: readonly Streamed[], stores: Stores, enough: number): Promise<Kept[]> {
  const destination = onFailureDestination(stores.s3, stores.bucket);
  const end = Date.now() + GIVEN_UP_WITHIN_MS;
  for (;;) {
    const kept: Kept[] = [];
    for (const { key } of await destination.list()) kept.push({ key, record: await destination.get(key) });
    const found = kept.filter(({ record }) => records.some(({ sequence }) => isWithin(sequence, record)));
    if (found.length >= enough || Date.now() > end) return found;
    await pause(LOOK_EVERY_MS);
  }
}

function isWithin(sequence: string, { KinesisBatchInfo: batch }: FailureRecord): boolean {
  const number = BigInt(sequence);
  return BigInt(batch.startSequenceNumber) <= number && number <= BigInt(batch.endSequenceNumber);
}

/** What is not as Lambda's developer guide has an invocation record of one discarded record. */
function faultsOf({ key, record }: Kept, { shard, sequence, text }: Streamed): string[] {
  const { KinesisBatchInfo: batch, requestContext } = record;
  const { Records } = JSON.parse(record.payload) as KinesisStreamEvent;
  const sent = Buffer.from(Records[0]?.kinesis.data ?? '', 'base64').toString();
  const checks: [string, unknown, unknown][] = [
    ['endSequenceNumber', batch.endSequenceNumber, sequence],
    ['shardId', batch.shardId, shard],
    ['batchSize', batch.batchSize, 1],
    ['condition', requestContext.condition, 'RetryAttemptsExhausted'],
    ['records in the payload', Records.length, 1],
    ['sequence number in the payload', Records[0]?.kinesis.sequenceNumber, sequence],
    ['data in the payload is what was put', sent === text, true],
    ['the key names the shard', key.split('/')[3], shard],
  ];
  return checks.flatMap(([what, seen, wanted]) => (seen === wanted ? [] : [`${what} is ${seen} and not ${wanted}`]));
}
