import { describe, expect, it } from '@jest/globals';
import { fold } from '../../domain/fold.ts';
import { MAX_CAP_COUNT, MAX_CAP_WINDOW_HOURS, MAX_CAPPED_CAMPAIGNS } from '../../domain/impressions.ts';
import { EMPTY_PROFILE } from '../../domain/profile.ts';
import { shortHash } from '../../domain/short-hash.ts';
import type { EventRecord } from '../../domain/stream-record.ts';
import { event, START, streamed } from './sample-events.ts';

const DAY = 86_400_000;
const shown = (n: number, campaign: string, at = START + n * 60_000, over: Partial<EventRecord> = {}): EventRecord =>
  event(n, { event: 'Ad Impression', campaign, occurred_at: at, received_at: at + 40, ...over });

const impressionsOf = (records: readonly EventRecord[], campaign: string) =>
  fold(EMPTY_PROFILE, streamed(records)).impressions.get(shortHash(campaign));

describe('the impressions of a profile', () => {
  it('are whole seconds, oldest first, whatever order they came in', () => {
    const times = [5500, 1999, 9000, 2000].map((ms, n) => shown(n, 'autumn', START + ms));
    expect(impressionsOf(times, 'autumn')?.map((second) => second - START / 1000)).toEqual([1, 2, 5, 9]);
  });

  it('are those of the event Ad Impression that names a campaign', () => {
    const others = [
      shown(1, 'autumn', START, { event: 'Ad Clicked' }),
      shown(2, 'autumn', START, { event: 'Video Started' }),
      event(3, { event: 'Ad Impression' }),
    ];
    expect(fold(EMPTY_PROFILE, streamed(others)).impressions.size).toBe(0);
  });

  it('are the latest of a campaign, as many as a cap may count', () => {
    const records = Array.from({ length: MAX_CAP_COUNT + 5 }, (_, n) => shown(n, 'autumn'));
    const kept = impressionsOf(records.reverse(), 'autumn');
    expect(kept).toHaveLength(MAX_CAP_COUNT);
    expect(kept?.[0]).toBe(START / 1000 + 5 * 60);
  });

  it('end with the longest window, counted from the day of the last receipt, whatever that event was', () => {
    const early = [shown(1, 'autumn', START), shown(2, 'winter', START + DAY)];
    const later = (day: number) => [...early, event(3, { received_at: START + day * DAY })];
    const days = MAX_CAP_WINDOW_HOURS / 24;
    expect(impressionsOf(later(days), 'autumn')).toEqual([START / 1000]);
    expect(impressionsOf(later(days + 1), 'autumn')).toBeUndefined();
    expect(impressionsOf(later(days + 1), 'winter')).toEqual([(START + DAY) / 1000]);
    expect(impressionsOf([event(3, { received_at: START + (days + 1) * DAY }), ...early], 'autumn')).toBeUndefined();
  });

  it('are none where a server claims a time to come, beyond what a clock may drift', () => {
    const ahead = (ms: number) => [shown(1, 'autumn', START + ms, { received_at: START })];
    expect(impressionsOf(ahead(5 * 60_000), 'autumn')).toHaveLength(1);
    expect(impressionsOf(ahead(5 * 60_000 + 1), 'autumn')).toBeUndefined();
  });

  it('are those of the campaigns that were shown last', () => {
    const records = Array.from({ length: MAX_CAPPED_CAMPAIGNS + 1 }, (_, n) => shown(n, `campaign-${n}`));
    const again = shown(99, 'campaign-0', START + 40 * 60_000);
    const { impressions } = fold(EMPTY_PROFILE, streamed([...records.slice(0, -1), again, ...records.slice(-1)]));
    expect(impressions.size).toBe(MAX_CAPPED_CAMPAIGNS);
    expect(impressions.has(shortHash('campaign-0'))).toBe(true);
    expect(impressions.has(shortHash('campaign-1'))).toBe(false);
  });
});
