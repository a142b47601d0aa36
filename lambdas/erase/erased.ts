import type { RequestItem } from '../../domain/rights.ts';
import { SWEEP_HOURS } from '../../domain/stores.ts';

const HOUR_MS = 3_600_000;

/** The ids that a run erases, each with the time up to which, and whether the stream has forgotten it since. */
export type ErasedIds = ReadonlyMap<string, { until: number; swept: boolean }>;

/** `now` in milliseconds. */
export function erasedIds(requests: readonly RequestItem[], now: number): ErasedIds {
  const ids = new Map<string, { until: number; swept: boolean }>();
  for (const { right, subjects = [], received_at } of requests) {
    if (right !== 'erasure') continue;
    const swept = now >= received_at + SWEEP_HOURS * HOUR_MS;
    for (const id of subjects) {
      const known = ids.get(id);
      if (!known || known.until < received_at) ids.set(id, { until: received_at, swept });
    }
  }
  return ids;
}

/** Where a record or row names whom it is about. */
const NAMES = ['device_id', 'person_id', 'subject'] as const;

/** Where it says when that was: the earliest counts, since a clock may be ahead and a copy late. */
const TIMES = ['occurred_at', 'received_at', 'since', 'given_at'] as const;

/** True for a record or row of an erased life; times are milliseconds or Dates. One without a time goes. */
export function isOfErased(row: Readonly<Record<string, unknown>>, ids: ErasedIds): boolean {
  const times = TIMES.flatMap((name) => (row[name] == null ? [] : [Number(row[name])]));
  const at = times.length === 0 ? 0 : Math.min(...times);
  return NAMES.some((name) => {
    const erased = typeof row[name] === 'string' ? ids.get(row[name]) : undefined;
    return erased !== undefined && at <= erased.until;
  });
}
