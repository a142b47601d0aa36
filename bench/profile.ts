import { fold } from '../domain/fold.ts';
import { itemSize, writeUnits } from '../domain/item-size.ts';
import { type ProfileItem, SK } from '../domain/items.ts';
import { EMPTY_PROFILE } from '../domain/profile.ts';
import { packProfile } from '../domain/profile-codec.ts';
import { withheldFields } from '../domain/profile-fields.ts';
import type { EventRecord } from '../domain/stream-record.ts';
import { readBatch } from '../lambdas/kinesis-batch.ts';
import { groupByProfile, openProfiles, planWrites, type WritePlan } from '../lambdas/profile.ts';
import type { StoredItems } from '../lambdas/stored-items.ts';
import config from '../paula.config.ts';
import { admittedRecords } from './door.ts';
import { cpuMicros } from './measure.ts';
import { POPULATION_END, population } from './population.ts';

/** Profiles of the simulated population that are stored before the batch comes. */
const STORED_PROFILES = 2000;
const RETENTION_DAYS = 395;
const NOW = POPULATION_END + 3_600_000;
const SHARD = 'shardId-000000000000';
const WITHHELD = withheldFields(config);

/** How many events a measured round works through, in as many batches as that makes. */
const EVENTS_PER_ROUND = 6000;

type KinesisEvent = Parameters<typeof readBatch>[0];
type Stored = ReadonlyMap<string, StoredItems>;

/** CPU microseconds per event of the profile consumer without network: decode, fold, plan of writes. */
export async function measureProfile(seed: number, batch: number, eventsPerProfile: number): Promise<number> {
  const stored = storedProfiles(seed);
  const events = Math.ceil(EVENTS_PER_ROUND / batch) * batch;
  const records = admittedRecords(seed);
  const batches = batchesOf(records, [...stored.keys()], batch, eventsPerProfile, events);
  const task = {
    prepare: (from: number) => structuredClone(batches[from / batch]),
    run: (one: KinesisEvent) => bytesOf(consume(one, stored)),
  };
  const [us] = await cpuMicros(events, [task], batch);
  return us as number;
}

/** Write units per event by DynamoDB's rule for an update: the larger of the item before and after, per started kB. */
export function writeUnitsPerEvent(seed: number, eventsPerProfile: number): number {
  const stored = storedProfiles(seed);
  const batch = 1000;
  const events = Math.floor((STORED_PROFILES * eventsPerProfile) / batch) * batch;
  let units = 0;
  for (const one of batchesOf(admittedRecords(seed), [...stored.keys()], batch, eventsPerProfile, events))
    for (const { id, items } of consume(one, stored).writes)
      for (const item of items) {
        const before = item.sk === SK.profile ? stored.get(id)?.profile : undefined;
        units += writeUnits(before ? itemSize(before) : 0, itemSize(item));
      }
  return units / events;
}

function consume(event: KinesisEvent, stored: Stored): WritePlan {
  const { groups } = groupByProfile(readBatch(event), WITHHELD);
  return planWrites(groups, openProfiles(groups.keys(), stored, Math.floor(NOW / 1000)), {
    now: NOW,
    retentionDays: RETENTION_DAYS,
  });
}

const bytesOf = ({ writes }: WritePlan): number =>
  writes.reduce((sum, { items }) => sum + items.reduce((bytes, { b }) => bytes + b.length, 0), 0);

/** The population as it lies in the table after its ninety days. */
function storedProfiles(seed: number): Stored {
  const stored = new Map<string, StoredItems>();
  for (const { id, events } of population(seed, STORED_PROFILES)) {
    const profile = fold(
      EMPTY_PROFILE,
      events.map((record, i) => ({ record, shard: SHARD, sequence: String(10n ** 55n + BigInt(i)) })),
    );
    const item: ProfileItem = {
      pk: id,
      sk: SK.profile,
      b: packProfile(profile, profile.purchases),
      v: 1,
      ttl: Math.floor(NOW / 1000) + 1000,
    };
    stored.set(id, { profile: item });
  }
  return stored;
}

/** Kinesis events of `batch` records, in each of them so many events of a profile, shuffled as a shard would have them. */
function batchesOf(
  records: readonly EventRecord[],
  ids: readonly string[],
  batch: number,
  eventsPerProfile: number,
  events: number,
): KinesisEvent[] {
  const profiles = Math.max(1, Math.ceil(batch / eventsPerProfile));
  return Array.from({ length: events / batch }, (_, n) => ({
    Records: Array.from({ length: batch }, (_, i) => {
      const index = n * batch + i;
      const record = {
        ...(records[index % records.length] as EventRecord),
        device_id: ids[(n * profiles + (i % profiles)) % ids.length],
      };
      const sequenceNumber = String(2n * 10n ** 55n + BigInt(index));
      return {
        eventID: `${SHARD}:${sequenceNumber}`,
        kinesis: {
          sequenceNumber,
          approximateArrivalTimestamp: NOW / 1000,
          partitionKey: 'p',
          kinesisSchemaVersion: '1.0',
          data: Buffer.from(JSON.stringify(record)).toString('base64'),
        },
      };
    }),
  })) as unknown as KinesisEvent[];
}
