import type { ProfileItem } from './items.ts';

/** Bytes that one DynamoDB write unit covers. */
const WRITE_UNIT_BYTES = 1024;

/**
 * The size of a packed item by DynamoDB's rule (developer guide, "Item sizes and formats"): UTF-8 names and texts, bytes
 * as they are, a number one byte for two significant digits and one more.
 */
export function itemSize({ pk, sk, b, v, ttl }: Pick<ProfileItem, 'pk' | 'b' | 'v' | 'ttl'> & { sk: string }): number {
  const names = 'pk'.length + 'sk'.length + 'b'.length + 'v'.length + 'ttl'.length;
  return names + pk.length + sk.length + b.length + numberSize(v) + numberSize(ttl);
}

const numberSize = (value: number): number => Math.ceil(String(value).replace(/0+$/, '').length / 2) + 1;

/** Write units that one write is billed: the larger of the item before and after, in whole units. */
export const writeUnits = (before: number, after: number): number =>
  Math.ceil(Math.max(before, after, 1) / WRITE_UNIT_BYTES);
