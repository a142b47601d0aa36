import { DAY_MS, type Profile } from './profile.ts';

type Impressions = Profile['impressions'];

/** The longest window of a frequency cap: with it a cap per month holds in every month. */
export const MAX_CAP_WINDOW_HOURS = 31 * 24;

/** Impressions kept of a campaign, the latest; so the largest count of a cap. More in a month is no frequency cap. */
export const MAX_CAP_COUNT = 20;

/** Campaigns whose impressions are kept, those shown last: twice as many as a profile keeps as contacts. */
export const MAX_CAPPED_CAMPAIGNS = 16;

/** How far ahead of its receipt an impression may be, in milliseconds: a browser's clock may drift by as much. */
const MAX_AHEAD_MS = 5 * 60_000;

/**
 * Adds an impression of a campaign, by its short hash. Times in milliseconds; `lastReceivedDay` as in the profile. It is left
 * out where it lies before every window, or ahead of its receipt: with a time to come, it would count for ever.
 * The map is changed, its lists are not. Exact in any order of arrival for up to `MAX_CAPPED_CAMPAIGNS` campaigns within
 * the longest window; past it the campaign whose last impression is the oldest is forgotten.
 */
export function addImpression(
  impressions: Map<number, readonly number[]>,
  campaign: number,
  { occurredAt, receivedAt, lastReceivedDay }: { occurredAt: number; receivedAt: number; lastReceivedDay: number },
): void {
  const second = Math.floor(occurredAt / 1000);
  if (second < firstCounted(lastReceivedDay) || occurredAt > receivedAt + MAX_AHEAD_MS) return;
  const times = [...(impressions.get(campaign) ?? [])];
  let at = times.length;
  while (at > 0 && (times[at - 1] as number) > second) at--;
  times.splice(at, 0, second);
  impressions.set(campaign, times.length > MAX_CAP_COUNT ? times.slice(-MAX_CAP_COUNT) : times);
  if (impressions.size > MAX_CAPPED_CAMPAIGNS) forgetLeastRecent(impressions);
}

/** The impressions that some window may still count; the same map where none has left them. */
export function currentImpressions(impressions: Impressions, lastReceivedDay: number): Impressions {
  const first = firstCounted(lastReceivedDay);
  let current: Map<number, readonly number[]> | undefined;
  for (const [campaign, times] of impressions) {
    if ((times[0] as number) >= first) continue;
    current ??= new Map(impressions);
    const left = times.filter((second) => second >= first);
    if (left.length > 0) current.set(campaign, left);
    else current.delete(campaign);
  }
  return current ?? impressions;
}

/** The earliest second that a window may still hold: nothing is asked before the day of the last receipt. */
const firstCounted = (lastReceivedDay: number): number =>
  (lastReceivedDay * DAY_MS) / 1000 - MAX_CAP_WINDOW_HOURS * 3600;

/** Of two that were shown last in the same second, the one with the smaller hash goes. */
function forgetLeastRecent(impressions: Map<number, readonly number[]>): void {
  let oldest: { campaign: number; second: number } | undefined;
  for (const [campaign, times] of impressions) {
    const second = times[times.length - 1] as number;
    if (!oldest || second < oldest.second || (second === oldest.second && campaign < oldest.campaign))
      oldest = { campaign, second };
  }
  if (oldest) impressions.delete(oldest.campaign);
}
