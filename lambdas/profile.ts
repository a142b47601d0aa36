import { personOf } from '../domain/decision.ts';
import { fold, type StreamedEvent } from '../domain/fold.ts';
import { type BoughtItem, isLive, type LinkItem, type ProfileItem, SK } from '../domain/items.ts';
import { EMPTY_PROFILE, expiryOf, type Profile, type Purchase } from '../domain/profile.ts';
import { packBought, packProfile, unpackBought, unpackProfile } from '../domain/profile-codec.ts';
import { type FoldedField, withhold } from '../domain/profile-fields.ts';
import { allPurchases, divide, needsBought } from '../domain/purchases.ts';
import { type Channel, opens } from '../domain/purposes.ts';
import { decodeStreamRecord, type EventRecord, profileOf } from '../domain/stream-record.ts';
import { FOLD_NEEDS, hasObjected, isErased, isWithdrawn } from '../domain/withdrawals.ts';
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
  /** Deletes items that still are as this consumer wrote them. */
  withdraw: (items: readonly (ProfileItem | BoughtItem)[]) => Promise<void>;
  count: (metric: 'ProfileSkipped' | 'ProfileFailed', reason: string, by?: number) => void;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Days after the last receipt for which a profile is kept. */
  retentionDays: number;
  /** Fields of events that no profile is made of; see `withheldFields`. */
  withheld: readonly FoldedField[];
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
  const { groups, unreadable } = groupByProfile(batch, deps.withheld);
  if (unreadable.size > 0) deps.count('ProfileFailed', 'unreadable', unreadable.size);
  const failed = new Set(unreadable);
  for (const id of await foldGroups(groups, deps)) failed.add(groups.get(id)?.[0]?.sequence ?? '');
  return batch.find(({ sequenceNumber }) => failed.has(sequenceNumber))?.sequenceNumber;
}

/** Events by profile in the order of the stream. */
export type ProfileGroups = ReadonlyMap<string, readonly StreamedEvent[]>;

/**
 * Takes the events that may be folded out of a batch, without the fields that no profile is made of, and the sequence
 * numbers of the records that cannot be read.
 */
export function groupByProfile(
  batch: readonly Delivered[],
  withheld: readonly FoldedField[],
): {
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
      const event = { record: withhold(record as EventRecord, withheld), shard, sequence: sequenceNumber };
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
  return opens(record.purposes, channelOf(record)).fold ? profileOf(record) : undefined;
}

/** Returns the ids of the profiles that could not be written. */
async function foldGroups(groups: ProfileGroups, deps: ProfileDeps): Promise<string[]> {
  const failed: string[] = [];
  let pending = groups;
  for (let attempt = 1; attempt <= ATTEMPTS && pending.size > 0; attempt++) {
    const open = await readProfiles([...pending.keys()], attempt === 1 ? 'eventual' : 'strong', deps);
    const { writes, skipped } = planWrites(pending, open, { now: deps.now(), retentionDays: deps.retentionDays });
    const outcomes = await takeBackEnded(writes, await deps.write(writes), pending, open, deps);
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

/**
 * Of a profile that did not stand before, nothing in the table shows that a withdrawal, an objection or an erasure has come
 * between reading and writing: it is noted first and deletes second, and what it would delete was not there yet. So whoever
 * wrote a first item looks again, takes it back where some of its events may not count any more, and folds the rest anew.
 */
async function takeBackEnded(
  writes: readonly ProfileWrite[],
  outcomes: readonly WriteOutcome[],
  groups: ProfileGroups,
  open: ReadonlyMap<string, OpenProfile>,
  { read, withdraw, now }: ProfileDeps,
): Promise<readonly WriteOutcome[]> {
  const begun = writes.filter(({ items }) => items.some(({ v }) => v === 1));
  if (begun.length === 0) return outcomes;
  const stored = await read(
    begun.map(({ id }) => ({ pk: id, sk: SK.link })),
    'strong',
  );
  const current = openProfiles(
    begun.map(({ id }) => id),
    stored,
    Math.floor(now() / 1000),
  );
  await addObjections(current, 'strong', { read, now });
  const allowed = (id: string, { link }: Pick<OpenProfile, 'link'> = {}): number =>
    allowedEvents(groups.get(id) ?? [], link, now(), new Map()).length;
  const ended = new Set<ProfileWrite>();
  for (const write of begun) {
    if (allowed(write.id, current.get(write.id)) >= allowed(write.id, open.get(write.id))) continue;
    await withdraw(write.items.filter(({ v }) => v === 1));
    ended.add(write);
  }
  return outcomes.map((outcome, i) => (ended.has(writes[i] as ProfileWrite) ? 'conflict' : outcome));
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
  await addObjections(open, consistency, { read, now });
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

/** A person's objection holds for every device that is linked to the person, also for one that was linked later. */
async function addObjections(
  open: Map<string, OpenProfile>,
  consistency: 'eventual' | 'strong',
  { read, now }: Pick<ProfileDeps, 'read' | 'now'>,
): Promise<void> {
  const persons = new Map([...open].flatMap(([id, { link }]) => [[id, personOf(link)] as const]).filter(isLinked));
  if (persons.size === 0) return;
  const keys = [...new Set(persons.values())].map((pk) => ({ pk, sk: SK.link }));
  const stored = openProfiles(new Set(persons.values()), await read(keys, consistency), Math.floor(now() / 1000));
  for (const [id, person] of persons) {
    const before = open.get(id) as OpenProfile;
    const objected = stored.get(person)?.link?.objected;
    if (objected !== undefined && before.link && before.link.objected === undefined)
      open.set(id, { ...before, link: { ...before.link, objected } });
  }
}

const isLinked = (entry: readonly [string, string | undefined]): entry is readonly [string, string] =>
  entry[1] !== undefined;

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
    const allowed = allowedEvents(events, before.link, now, skipped);
    const write = planWrite(id, allowed, before, retentionDays);
    if (write) writes.push(write);
  }
  return { writes, skipped };
}

function allowedEvents(
  events: readonly StreamedEvent[],
  link: LinkItem | undefined,
  now: number,
  skipped: Map<SkipReason, number>,
): readonly StreamedEvent[] {
  if (!link) return events;
  const skip = (reason: SkipReason, by: number) => by > 0 && skipped.set(reason, (skipped.get(reason) ?? 0) + by);
  if (hasObjected(link, now)) {
    skip('objected', events.length);
    return [];
  }
  const living = events.filter(({ record }) => !isErased(link, record.occurred_at, record.received_at));
  skip('erased', events.length - living.length);
  const allowed = living.filter(({ record }) => !isWithdrawn(link, FOLD_NEEDS[channelOf(record)], record.received_at));
  skip('withdrawn', living.length - allowed.length);
  return allowed;
}

const channelOf = ({ person_id }: EventRecord): Channel => (person_id === undefined ? 'browser' : 'server');

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
