import { describe, expect, it } from '@jest/globals';
import { itemSize, writeUnits } from '../../domain/item-size.ts';

describe('itemSize', () => {
  it('counts names, texts, bytes, and two digits of a number to the byte', () => {
    const item = { pk: 'd.abc', sk: 'profile' as const, b: new Uint8Array(100), v: 1234567, ttl: 1_800_000_000 };
    // Names 2+2+1+1+3, key 5+7, bytes 100, numbers 4+1 and 1+1.
    expect(itemSize(item)).toBe(9 + 12 + 100 + 5 + 2);
  });
});

describe('writeUnits', () => {
  it('bills the larger of before and after in whole kilobytes, one at least', () => {
    expect([writeUnits(0, 1024), writeUnits(0, 1025), writeUnits(3000, 10), writeUnits(0, 0)]).toEqual([1, 2, 3, 1]);
  });
});
