import { type BitCursor, CHARACTER_BITS, sixBits } from './bit-cursor.ts';

/** Why a section that names vendors is refused. */
export type VendorFault = 'vendor_zero' | 'vendor_beyond_max' | 'range_reversed';

/** Bits of a vendor's id, and of the flag before it that says whether the entry is a range. */
const ID = 16;
const ENTRY = 17;
const IS_RANGE = 1 << ID;
const NUM_ENTRIES = 12;

/** The highest id that 16 bits hold. Publisher restrictions state no maximum of their own. */
export const MAX_VENDOR_ID = 2 ** ID - 1;

/** Ranges of vendors as first and last id in turn. They are never expanded: 33 bits can name 65,535 vendors. */
export type VendorRanges = readonly number[];

export const NO_RANGES: VendorRanges = [];

/** A set of vendors as the string has it: a bit for each of them in the text, or ranges. */
export type VendorSet =
  | { readonly ranges: VendorRanges }
  | { readonly ranges: undefined; readonly text: string; readonly firstBit: number; readonly maxId: number };

/** Reads MaxVendorId, IsRangeEncoding, and the bit field or the entries. `text` is what the cursor was loaded with. */
export function readVendorSet<Fault extends string>(cursor: BitCursor<Fault | VendorFault>, text: string): VendorSet {
  const maxId = cursor.read(ID);
  if (cursor.read(1) === 1) return { ranges: readRanges(cursor, maxId) };
  const firstBit = cursor.at;
  cursor.skip(maxId);
  return { ranges: undefined, text, firstBit, maxId };
}

/** Reads NumEntries and the entries: one id each or the first and last of a range, up to `maxId`, in any order. */
export function readRanges<Fault extends string>(cursor: BitCursor<Fault | VendorFault>, maxId: number): VendorRanges {
  const entries = cursor.read(NUM_ENTRIES);
  if (entries === 0) return NO_RANGES;
  // What cannot be there is not waited for, and no memory is given for it.
  if (entries * ENTRY > cursor.left) {
    cursor.fail('truncated');
    return NO_RANGES;
  }
  const ranges: number[] = [];
  for (let i = 0; i < entries; i++) {
    const entry = cursor.read(ENTRY);
    const first = entry & (IS_RANGE - 1);
    const last = entry >= IS_RANGE ? cursor.read(ID) : first;
    if (first === 0) cursor.fail('vendor_zero');
    if (last < first) cursor.fail('range_reversed');
    if (last > maxId) cursor.fail('vendor_beyond_max');
    if (cursor.fault !== undefined) return NO_RANGES;
    ranges.push(first, last);
  }
  return ranges;
}

/** True where the set names the vendor. */
export function hasVendor(set: VendorSet, id: number): boolean {
  if (set.ranges !== undefined) return inRanges(set.ranges, id);
  if (id < 1 || id > set.maxId) return false;
  const bit = set.firstBit + id - 1;
  const at = Math.trunc(bit / CHARACTER_BITS);
  return ((sixBits(set.text, at) >> (CHARACTER_BITS - 1 - (bit - at * CHARACTER_BITS))) & 1) === 1;
}

/** True where one of the ranges holds the id. */
export function inRanges(ranges: VendorRanges, id: number): boolean {
  for (let i = 0; i < ranges.length; i += 2)
    if (id >= (ranges[i] as number) && id <= (ranges[i + 1] as number)) return true;
  return false;
}
