/**
 * Members that a segment needs before it leaves the house or is shown to a person: below, who is in it can be guessed from
 * who is not. Fifty is above the ten that statistical offices publish from, since a segment is compared with others of the
 * same people. Audience items and decisions are about one person each and have no minimum.
 */
export const MINIMUM_SEGMENT_SIZE = 50;

/** A size as people may see it: not below the minimum, and rounded down, so that two sizes do not give away one person. */
export function shownSize(size: number, minimum: number): string {
  if (size < minimum) return `<${minimum}`;
  const step = size < 1000 ? 10 : 10 ** (String(size).length - 3);
  return String(size - (size % step));
}
