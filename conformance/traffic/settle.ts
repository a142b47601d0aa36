import { setTimeout as pause } from 'node:timers/promises';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { SK } from '../../domain/items.ts';
import { unpackProfile } from '../../domain/profile-codec.ts';
import { opens, type Purpose } from '../../domain/purposes.ts';
import { cutHash } from '../../domain/short-hash.ts';
import { decodeStreamRecord, profileOf, type StreamRecord } from '../../domain/stream-record.ts';
import type { Stores } from './stores.ts';
import { type Streamed, streamRecords } from './stream-records.ts';

/** A minute of batching, a cold start, and a machine that has other things to do. */
const SETTLED_WITHIN_MS = 180_000;
const LOOK_EVERY_MS = 500;

/**
 * Waits until records of the stream, all that it holds now where none are given, are folded and landed: each event that
 * may fold is in the ring of its profile, and each record's batch has its object in landing. Rejects, saying what is
 * missing, where that does not come. A profile's events must be fewer than its ring holds.
 */
export async function settle(stores: Stores, some?: readonly Streamed[]): Promise<void> {
  const records = some ?? (await streamRecords(stores));
  await until(async () => [...(await unfolded(records, stores)), ...(await unlanded(records, stores))]);
}

/** Waits until records are landed, of which some may not fold since they are refused there. */
export const settleLanding = (stores: Stores, records: readonly Streamed[]): Promise<void> =>
  until(() => unlanded(records, stores));

async function until(look: () => Promise<readonly string[]>): Promise<void> {
  const end = Date.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const missing = await look();
    if (missing.length === 0) return;
    if (Date.now() > end) throw new Error(`after ${SETTLED_WITHIN_MS / 1000} s: ${missing.join('; ')}`);
    await pause(LOOK_EVERY_MS);
  }
}

async function unfolded(records: readonly Streamed[], stores: Stores): Promise<string[]> {
  const { rings, ended } = await eventRings(stores);
  const missing = foldable(records).filter(
    ({ profile, event, receivedAt }) =>
      !rings.get(profile)?.has(cutHash(event)) && receivedAt > (ended.get(profile) ?? Number.NEGATIVE_INFINITY),
  );
  return missing.length === 0 ? [] : [`${missing.length} events are not in their profiles`];
}

function foldable(records: readonly Streamed[]): { profile: string; event: string; receivedAt: number }[] {
  return records.flatMap(({ text }) => {
    const record = decodeStreamRecord(text);
    if (record.kind !== 'event') return [];
    const profile = profileOf(record);
    const channel = record.person_id === undefined ? 'browser' : 'server';
    return profile !== undefined && opens(record.purposes, channel).fold
      ? [{ profile, event: record.event_id, receivedAt: record.received_at }]
      : [];
  });
}

/** The purposes without which nothing is folded: their withdrawal takes the folded profile away. */
const FOLDING: readonly Purpose[] = ['storage', 'profile'];

type Rings = { rings: Map<string, ReadonlySet<number>>; ended: Map<string, number> };

/** The hashes of the events that each profile remembers, and up to when a withdrawal has ended it (milliseconds). */
async function eventRings({ dynamodb, tables }: Stores): Promise<Rings> {
  const rings = new Map<string, ReadonlySet<number>>();
  const ended = new Map<string, number>();
  const scan = { TableName: tables.profiles, ConsistentRead: true };
  for await (const { Items = [] } of paginateScan({ client: dynamodb }, scan))
    for (const { pk, sk, b, withdrawn } of Items) {
      if (sk?.S === SK.profile && b?.B) rings.set(pk?.S ?? '', new Set(unpackProfile(b.B).events));
      const times = FOLDING.map((purpose) => Number(withdrawn?.M?.[purpose]?.N ?? Number.NEGATIVE_INFINITY));
      if (sk?.S === SK.link) ended.set(pk?.S ?? '', Math.max(...times));
    }
  return { rings, ended };
}

/** Where the rows of each kind of record land. */
const FOLDERS: Readonly<Record<StreamRecord['kind'], string>> = {
  event: 'landing/',
  rejected: 'rejected/',
  link: 'landing-links/',
  consent: 'landing-consents/',
  erasure: 'landing-erasures/',
  right: 'landing-rights/',
};

/** `land` names an object by its shard and the first and last sequence number of its batch. */
const LANDED = /^([\w-]+\/)dt=.*\/(shardId-\d+)-(\d+)-(\d+)\.parquet$/;

async function unlanded(records: readonly Streamed[], stores: Stores): Promise<string[]> {
  const batches: { place: string; first: bigint; last: bigint }[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client: stores.s3 }, { Bucket: stores.bucket }))
    for (const { Key = '' } of Contents) {
      const [, folder, shard, first, last] = LANDED.exec(Key) ?? [];
      if (first && last) batches.push({ place: `${folder}${shard}`, first: BigInt(first), last: BigInt(last) });
    }
  const waiting = records.filter(({ shard, sequence, text }) => {
    const place = `${FOLDERS[decodeStreamRecord(text).kind]}${shard}`;
    const number = BigInt(sequence);
    return !batches.some((batch) => batch.place === place && batch.first <= number && number <= batch.last);
  });
  return waiting.length === 0 ? [] : [`${waiting.length} records are not landed`];
}
