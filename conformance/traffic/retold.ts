import { audiencePk, markPk } from '../../domain/items.ts';
import { segmentMark } from '../../domain/plan.ts';
import { DAY_MS } from '../../domain/profile.ts';
import { decayedWeight } from '../../domain/score.ts';
import { linkTtl, personLinkTtl } from '../../lambdas/collect/receipts.ts';
import type { Row } from '../../local/kill-test/item-rows.ts';
import type { StoryRun } from '../story/run-story.ts';

/**
 * The items of a run, by table, with what is the run's own told in the words of its story. Nothing is left out by it:
 *
 * - A device id is random: it is told as the browser of the story that was given it.
 * - A time of receipt is told as the step of the story that was under way; seconds and days as the story itself.
 * - An expiry is told as its distance from what it counts from: a receipt, a profile's last day, a run of the plan.
 * - Where a profile was last seen during the story, its scores are told as their weight at that time, in whole units of
 *   interest; a score decays by the time of its events, and those that a pixel brings have none but that of receipt.
 */
export function retold(tables: ReadonlyMap<string, readonly Row[]>, run: StoryRun): Map<string, Row[]> {
  const told = new Map<string, Row[]>();
  for (const [table, rows] of tables) {
    const tell = TELL[table];
    told.set(
      table,
      rows.map((row) => withNames(tell ? tell(row, run, rows) : row, run)),
    );
  }
  return told;
}

const TELL: Readonly<Record<string, (row: Row, run: StoryRun, rows: readonly Row[]) => Row>> = {
  'paula-profiles/profile': profile,
  'paula-profiles/link': link,
  'paula-consents': receipt,
  'paula-control': control,
};

function profile(row: Row, run: StoryRun): Row {
  const lastSeen = row.lastSeen as number;
  const here = typeof moment(lastSeen, run) === 'string';
  const weight = (score: number): unknown => (here ? Math.round(score / decayedWeight(1, lastSeen)) : score);
  const touch = (at: unknown): unknown => at && { ...(at as Row), at: moment((at as { at: number }).at, run) };
  const scores = (entries: unknown): unknown =>
    (entries as [string, number][]).map(([name, score]) => [name, weight(score)]);
  const lastDay = row.lastReceivedDay as number;
  return {
    ...row,
    firstSeen: moment(row.firstSeen as number, run),
    lastSeen: moment(lastSeen, run),
    lastReceivedDay: day(lastDay, run),
    firstTouch: touch(row.firstTouch),
    lastTouch: touch(row.lastTouch),
    products: scores(row.products),
    categories: scores(row.categories),
    campaigns: (row.campaigns as [string, { score: number; lastAt: number }][]).map(([name, contact]) => [
      name,
      { ...contact, score: weight(contact.score), lastAt: second(contact.lastAt, run) },
    ]),
    impressions: (row.impressions as [number, number[]][]).map(([campaign, times]) => [
      campaign,
      times.map((at) => second(at, run)),
    ]),
    purchases: (row.purchases as [number, { day: number }][]).map(([hash, purchase]) => [
      hash,
      { ...purchase, day: here ? day(purchase.day, run) : purchase.day },
    ]),
    ttl: `${Number(row.ttl) - lastDay * (DAY_MS / 1000)} s after the last day of receipt`,
  };
}

function link(row: Row, run: StoryRun): Row {
  const times = (map: unknown): unknown =>
    map && Object.fromEntries(Object.entries(map).map(([purpose, at]) => [purpose, moment(Number(at), run)]));
  return {
    ...row,
    ...(row.since !== undefined && { since: moment(Number(row.since), run) }),
    ...(row.withdrawn !== undefined && { withdrawn: times(row.withdrawn) }),
    ...(row.regranted !== undefined && { regranted: times(row.regranted) }),
    ttl: expiry(Number(row.ttl), run),
  };
}

/** A link lives for the life of a cookie or, on a person, for years: either way counted from a step of the story. */
function expiry(ttl: number, run: StoryRun): unknown {
  for (const [name, life] of Object.entries({ device: linkTtl(0), person: personLinkTtl(0) }))
    if (second(ttl - life, run) === THE_STORY) return `the life of a ${name}'s link after ${THE_STORY}`;
  return ttl;
}

function receipt(row: Row, run: StoryRun): Row {
  const given = Number(row.given_at);
  return {
    ...row,
    given_at: moment(given, run),
    expires_at: `${Number(row.expires_at) - given} ms after it was given`,
    ttl: `${Number(row.ttl) - Math.floor(Number(row.expires_at) / 1000)} s after it expired`,
  };
}

/** A mark is a run's time; an audience is published up to one, and expires counted from its segment's mark. */
function control(row: Row, run: StoryRun, rows: readonly Row[]): Row {
  const time = (text: unknown): number => Date.parse(String(text));
  if (row.at !== undefined) return { ...row, at: moment(time(row.at), run) };
  if (row.published_until === undefined) return row;
  const mark = segmentMark(String(row.pk).slice(audiencePk('').length));
  const built = time(rows.find(({ pk }) => pk === markPk(mark))?.at);
  return {
    ...row,
    published_until: moment(time(row.published_until), run),
    expires: `${Number(row.expires) - Math.floor(built / 1000)} s after it was built`,
  };
}

const THE_STORY = 'the story';

/** The step that was under way at a time in milliseconds; a time that the story itself names stays as it is. */
const moment = (at: number, { steps }: StoryRun): string | number =>
  steps.find(({ from, to }) => from <= at && at <= to)?.step ?? at;

/** Several steps share a second and all share a day, so these say only that it was during the story. */
const second = (at: number, run: StoryRun): string | number => (covers(run, at, 1000) ? THE_STORY : at);
const day = (at: number, run: StoryRun): string | number => (covers(run, at, DAY_MS) ? THE_STORY : at);

function covers({ steps }: StoryRun, at: number, unit: number): boolean {
  const [first, last] = [steps[0]?.from ?? 0, steps.at(-1)?.to ?? 0];
  return Math.floor(first / unit) <= at && at <= Math.floor(last / unit);
}

/** Puts the names of devices in the place of their ids, wherever they stand. */
function withNames<T>(value: T, run: StoryRun): T {
  if (typeof value === 'string') return (run.devices.get(value) ?? value) as T;
  if (Array.isArray(value)) return value.map((each) => withNames(each, run)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withNames(inner, run)])) as T;
}
