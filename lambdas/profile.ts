import { fold, type StreamedEvent } from '../domain/fold.ts';
import { type BoughtItem, isLive, type LinkItem, type ProfileItem, SK } from '../domain/items.ts';
import { EMPTY_PROFILE, expiryOf, type Profile, type Purchase } from '../domain/profile.ts';
import { packBought, packProfile, unpackBought, unpackProfile } from '../domain/profile-codec.ts';
import { allPurchases, divide, needsBought } from '../domain/purchases.ts';
import { opens, type Purpose } from '../domain/purposes.ts';
import { decodeStreamRecord, type EventRecord, profileOf } from '../domain/stream-record.ts';
import { hasObjected, isErased, isWithdrawn } from '../domain/withdrawals.ts';
import type { Delivered } from './kinesis-batch.ts';
import type { ReadItems, StoredItems } from './stored-items.ts';

/** The items of one profile to write, in this order. `v` is one above the version that the write must find, 1 for none. */
export type ProfileWrite = { id: string; items: readonly (ProfileItem | BoughtItem)[] };

/** `conflict`: an item is not as it was read. `failed`: the table refused or did not answer, with the name of its error. */
export type WriteOutcome = 'written' | 'conflict' | { failed: string };

export type ProfileDeps = {
  read: ReadItems;
  /** Writes each profile on its own; the outcomes stand in the order of the writes. */
  write: (writes: readonly ProfileWrite[]) => Promise<readonly WriteOutcome[]>;
  count: (metric: 'ProfileSkipped' | 'ProfileFailed', reason: string, by?: number) => void;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Days after the last receipt for which a profile is kept. */
  retentionDays: number;
};

/**
 * Times that a profile is read and folded before another writer has it: a stream's shard has one consumer at a time, so a
 * conflict is a stale read or an invocation that was thought dead, and a second one in a row is a rarity.
 */
const ATTEMPTS = 4;

/**
 * Folds a batch of one shard into its profiles, each read once and written once. Returns the sequence number of the first
 * record that could not be read or whose profile could not be written; the stream delivers again from there, and what was
 * written of later records is recognised by its position.
 */
export async function profile(batch: readonly Delivered[], deps: ProfileDeps): Promise<string | undefined> {
  const { groups, unreadable } = groupByProfile(batch);
  if (unreadable.size > 0) deps.count('ProfileFailed', 'unreadable', unreadable.size);
  const failed = new Set(unreadable);
  for (const id of await foldGroups(groups, deps)) failed.add(groups.get(id)?.[0]?.sequence ?? '');
  return batch.find(({ sequenceNumber }) => failed.has(sequenceNumber))?.sequenceNumber;
}

/** Events by profile in the order of the stream. */
export type ProfileGroups = ReadonlyMap<string, readonly StreamedEvent[]>;

/** Takes the events that may be folded out of a batch, and the sequence numbers of the records that cannot be read. */
export function groupByProfile(batch: readonly Delivered[]): {
  groups: ProfileGroups;
  unreadable: ReadonlySet<string>;
} {
  const groups = new Map<string, StreamedEvent[]>();
  const unreadable = new Set<string>();
  for (const { shard, sequenceNumber, text } of batch) {
    try {
      const record = decodeStreamRecord(text);
      const id = record.kind === 'event' ? foldsInto(record) : undefined;
      if (id === undefined) continue;
      const event = { record: record as EventRecord, shard, sequence: sequenceNumber };
      const group = groups.get(id);
      if (group) group.push(event);
      else groups.set(id, [event]);
    } catch {
      // The error's text may hold the record's; the number is enough, and the stream keeps the record.
      unreadable.add(sequenceNumber);
    }
  }
  return { groups, unreadable };
}

function foldsInto(record: EventRecord): string | undefined {
  return opens(record.purposes, record.person_id === undefined ? 'browser' : 'server').fold
    ? profileOf(record)
    : undefined;
}

/** Returns the ids of the profiles that could not be written. */
async function foldGroups(groups: ProfileGroups, deps: ProfileDeps): Promise<string[]> {
  const failed: string[] = [];
  let pending = groups;
  for (let attempt = 1; attempt <= ATTEMPTS && pending.size > 0; attempt++) {
    const open = await readProfiles([...pending.keys()], attempt === 1 ? 'eventual' : 'strong', deps);
    const { writes, skipped } = planWrites(pending, open, { now: deps.now(), retentionDays: deps.retentionDays });
    const outcomes = await deps.write(writes);
    const conflicts = new Map<string, readonly StreamedEvent[]>();
    for (const [i, { id }] of writes.entries()) {
      const outcome = outcomes[i];
      if (outcome === 'conflict') conflicts.set(id, pending.get(id) ?? []);
      else if (outcome !== 'written') {
        failed.push(id);
        deps.count('ProfileFailed', (outcome as { failed: string }).failed);
      }
    }
    for (const [reason, events] of skipped) deps.count('ProfileSkipped', reason, events);
    pending = conflicts;
  }
  if (pending.size > 0) deps.count('ProfileFailed', 'conflict', pending.size);
  return [...failed, ...pending.keys()];
}

/** A profile as it was read, and the versions that its writes must find; 0 where an item is absent. */
export type OpenProfile = {
  profile: Profile;
  version: number;
  link?: LinkItem;
  overflow: ReadonlyMap<number, Purchase>;
  overflowVersion: number;
};

/** Reads profile and link of each in one go, and then the overflow of the few that have one. */
async function readProfiles(
  ids: readonly string[],
  consistency: 'eventual' | 'strong',
  { read, now }: ProfileDeps,
): Promise<ReadonlyMap<string, OpenProfile>> {
  const nowSeconds = Math.floor(now() / 1000);
  const keys = ids.flatMap((pk) => [
    { pk, sk: SK.profile },
    { pk, sk: SK.link },
  ]);
  const open = openProfiles(ids, await read(keys, consistency), nowSeconds);
  const overflowing = ids.filter((id) => needsBought((open.get(id) as OpenProfile).profile));
  if (overflowing.length > 0) {
    const stored = await read(
      overflowing.map((pk) => ({ pk, sk: SK.bought })),
      consistency,
    );
    for (const id of overflowing) {
      const bought = stored.get(id)?.bought;
      const overflow = bought && isLive(bought, nowSeconds) ? unpackBought(bought.b) : NO_PURCHASES;
      open.set(id, { ...(open.get(id) as OpenProfile), overflow, overflowVersion: bought?.v ?? 0 });
    }
  }
  return open;
}

const NO_PURCHASES: ReadonlyMap<number, Purchase> = new Map();

/** Opens what was read. An item past its `ttl` counts as empty, but keeps its version until the sweeper has come. */
export function openProfiles(
  ids: Iterable<string>,
  stored: ReadonlyMap<string, StoredItems>,
  nowSeconds: number,
): Map<string, OpenProfile> {
  const open = new Map<string, OpenProfile>();
  for (const id of ids) {
    const { profile: item, link } = stored.get(id) ?? {};
    open.set(id, {
      profile: item && isLive(item, nowSeconds) ? unpackProfile(item.b) : EMPTY_PROFILE,
      version: item?.v ?? 0,
      ...(link && isLive(link, nowSeconds) && { link }),
      overflow: NO_PURCHASES,
      overflowVersion: 0,
    });
  }
  return open;
}

/** What a batch leads to: the writes, and how many events were left out for which reason. */
export type WritePlan = { writes: ProfileWrite[]; skipped: ReadonlyMap<SkipReason, number> };

export type SkipReason = 'withdrawn' | 'objected' | 'erased';

/** Plans one write for each profile that its events change. Pure. `now` in milliseconds since the epoch. */
export function planWrites(
  groups: ProfileGroups,
  open: ReadonlyMap<string, OpenProfile>,
  { now, retentionDays }: { now: number; retentionDays: number },
): WritePlan {
  const writes: ProfileWrite[] = [];
  const skipped = new Map<SkipReason, number>();
  for (const [id, events] of groups) {
    const before = open.get(id) as OpenProfile;
    const allowed = before.link ? allowedEvents(events, before.link, now, skipped) : events;
    const write = planWrite(id, allowed, before, retentionDays);
    if (write) writes.push(write);
  }
  return { writes, skipped };
}

function allowedEvents(
  events: readonly StreamedEvent[],
  link: LinkItem,
  now: number,
  skipped: Map<SkipReason, number>,
): readonly StreamedEvent[] {
  const skip = (reason: SkipReason, by: number) => by > 0 && skipped.set(reason, (skipped.get(reason) ?? 0) + by);
  if (hasObjected(link, now)) {
    skip('objected', events.length);
    return [];
  }
  const living = events.filter(({ record }) => !isErased(link, record.occurred_at, record.received_at));
  skip('erased', events.length - living.length);
  const allowed = living.filter(({ record }) => !isWithdrawn(link, neededBy(record), record.received_at));
  skip('withdrawn', living.length - allowed.length);
  return allowed;
}

/** The purposes without which an event does not fold: the same that `opens` asks for. */
const neededBy = (record: EventRecord): readonly Purpose[] =>
  record.person_id === undefined ? ['storage', 'profile'] : ['profile'];

function planWrite(
  id: string,
  events: readonly StreamedEvent[],
  before: OpenProfile,
  retentionDays: number,
): ProfileWrite | undefined {
  const after = fold(withOverflow(before), events);
  if (after.applied === before.profile.applied) return undefined;
  const { resident, bought } = divide(before.profile.purchases, before.overflow, after.purchases);
  const ttl = expiryOf(after, retentionDays);
  const packed = packProfile(bought ? { ...after, spilled: true } : after, resident);
  const item: ProfileItem = { pk: id, sk: SK.profile, b: packed, v: before.version + 1, ttl };
  if (!bought) return { id, items: [item] };
  return { id, items: [{ pk: id, sk: SK.bought, b: packBought(bought), v: before.overflowVersion + 1, ttl }, item] };
}

const withOverflow = ({ profile, overflow }: OpenProfile): Profile =>
  overflow.size > 0 ? { ...profile, purchases: allPurchases(profile.purchases, overflow) } : profile;
