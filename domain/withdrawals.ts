import type { LinkItem } from './items.ts';
import type { Purpose } from './purposes.ts';

/** The purposes that no link's stored withdrawal takes away; a withdrawal stands until a later receipt grants again. */
export function purposesInForce(
  granted: readonly Purpose[],
  ...links: readonly (LinkItem | undefined)[]
): readonly Purpose[] {
  return granted.filter((purpose) =>
    links.every((link) => (link?.withdrawn?.[purpose] ?? -1) <= (link?.regranted?.[purpose] ?? -1)),
  );
}

/** True where an event came in no later than a withdrawal of one of the purposes that it needs. Times in milliseconds. */
export const isWithdrawn = (link: LinkItem, needed: readonly Purpose[], receivedAt: number): boolean =>
  needed.some((purpose) => (link.withdrawn?.[purpose] ?? -1) >= receivedAt);

/** True from an objection to direct marketing on: nothing is profiled any more, however old the event. */
export const hasObjected = (link: LinkItem | undefined, now: number): boolean =>
  link?.objected !== undefined && link.objected <= now;

/** True where an event belongs to a life that was erased: it happened, or came in, no later than the erasure. */
export const isErased = (link: LinkItem, occurredAt: number, receivedAt: number): boolean =>
  Math.min(occurredAt, receivedAt) <= (link.erased ?? -1);
