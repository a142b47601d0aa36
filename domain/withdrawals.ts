import type { LinkItem } from './items.ts';
import type { Channel, Purpose } from './purposes.ts';

/** The purposes without which nothing folds into a profile, by who it came from: the same that `opens` asks for. */
export const FOLD_NEEDS: Readonly<Record<Channel, readonly Purpose[]>> = {
  browser: ['storage', 'profile'],
  server: ['profile'],
};

/** The purposes that no link's stored withdrawal takes away; a withdrawal stands until a later receipt grants again. */
export function purposesInForce(
  granted: readonly Purpose[],
  ...links: readonly (LinkItem | undefined)[]
): readonly Purpose[] {
  return granted.filter((purpose) => links.every((link) => countsFrom(link, purpose) < Number.POSITIVE_INFINITY));
}

/**
 * True where an event came in before a withdrawal of one of the purposes that it needs, or since then and before a receipt
 * that grants it again: a browser may still show the cookie of before. Times in milliseconds.
 */
export const isWithdrawn = (link: LinkItem, needed: readonly Purpose[], receivedAt: number): boolean =>
  needed.some((purpose) => receivedAt < countsFrom(link, purpose));

/**
 * From when on events count for a purpose: at all times where it was never withdrawn, never while a withdrawal stands. Of
 * a withdrawal and a receipt of one millisecond the withdrawal stands. The view `withdrawals` says the same of the lake.
 */
function countsFrom(link: LinkItem | undefined, purpose: Purpose): number {
  const withdrawn = link?.withdrawn?.[purpose];
  if (withdrawn === undefined) return Number.NEGATIVE_INFINITY;
  const regranted = link?.regranted?.[purpose];
  return regranted !== undefined && regranted > withdrawn ? regranted : Number.POSITIVE_INFINITY;
}

/** True from an objection to direct marketing on: nothing is profiled any more, however old the event. */
export const hasObjected = (link: LinkItem | undefined, now: number): boolean =>
  link?.objected !== undefined && link.objected <= now;

/** True where an event belongs to a life that was erased: it happened, or came in, no later than the erasure. */
export const isErased = (link: LinkItem, occurredAt: number, receivedAt: number): boolean =>
  Math.min(occurredAt, receivedAt) <= (link.erased ?? -1);
