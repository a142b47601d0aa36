import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatMoney, parseMoney } from '../../domain/money.ts';

const LARGEST = 10n ** 18n - 1n;

describe('parseMoney', () => {
  it.each([
    ['49.90', 499_000n],
    ['0', 0n],
    ['-0.0', 0n],
    ['+3', 30_000n],
    ['.5', 5_000n],
    ['7.', 70_000n],
    ['0.0001', 1n],
    ['12.500000', 125_000n],
    ['00012', 120_000n],
    ['1e3', 10_000_000n],
    ['1.25E-2', 125n],
    ['99999999999999.9999', LARGEST],
    ['-99999999999999.9999', -LARGEST],
    [49.9, 499_000n],
    [0.3, 3_000n],
    [1e3, 10_000_000n],
    [-12.3456, -123_456n],
    [99999999999999, 999_999_999_999_990_000n],
    [-0, 0n],
  ])('reads %p', (input, units) => {
    expect(parseMoney(input)).toBe(units);
  });

  it.each([
    '',
    '.',
    '-',
    'e3',
    '1,50',
    ' 1',
    '1 ',
    '0x10',
    '1_000',
    'NaN',
    'Infinity',
    '12.34567',
    '0.00001',
    '1e-5',
    '100000000000000',
    '1e14',
    '1e999',
    '1'.repeat(65),
    Number.NaN,
    Number.POSITIVE_INFINITY,
    0.1 + 0.2,
    1e21,
    1e-7,
  ])('refuses %p', (input) => {
    expect(parseMoney(input)).toBeUndefined();
  });

  it('refuses a number of 16 significant digits, and reads the same digits as a text', () => {
    expect(parseMoney(123456789012.3456)).toBeUndefined();
    expect(parseMoney('123456789012.3456')).toBe(1_234_567_890_123_456n);
  });

  it('reads back what formatMoney writes, over the whole range', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -LARGEST, max: LARGEST }), (units) => {
        const text = formatMoney(units);
        expect(text).toMatch(/^-?(0|[1-9]\d*)(\.\d{0,3}[1-9])?$/);
        expect(parseMoney(text)).toBe(units);
      }),
    );
  });

  it('reads a number as it reads its JSON text', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 11), max: 10 ** 11 }), fc.integer({ min: 0, max: 4 }), (digits, places) => {
        const value = digits / 10 ** places;
        expect(parseMoney(value)).toBe(parseMoney(JSON.stringify(value)));
        expect(parseMoney(value)).toBe(BigInt(digits) * 10n ** BigInt(4 - places));
      }),
    );
  });
});

describe('formatMoney', () => {
  it.each([
    [0n, '0'],
    [499_000n, '49.9'],
    [-30_000n, '-3'],
    [-1n, '-0.0001'],
    [LARGEST, '99999999999999.9999'],
  ])('writes %p as %p', (units, text) => {
    expect(formatMoney(units)).toBe(text);
  });
});
