import { DECIMAL } from './tables.ts';

/** Smallest unit of an amount: 1/10000 of a currency's unit, the scale of the lake's decimal(18,4). */
const UNITS = 10n ** BigInt(DECIMAL.scale);

/** A JSON number is a double: beyond 15 significant digits its text need not be the one that the sender wrote. */
const MAX_NUMBER_DIGITS = 15;

/** Longer texts are no amount; the bound keeps the work per field small. */
const MAX_TEXT_LENGTH = 64;

const DECIMAL_TEXT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/** What nearly every amount looks like. With at most 12 digits its double times 10000 is off by less than a half. */
const SHORT_AMOUNT = /^-?\d{1,8}(?:\.\d{1,4})?$/;

/**
 * Reads an amount as units of 1/10000. A number counts as its shortest round-trip text. `undefined` where the input is no
 * decimal, has more than 15 significant digits as a number, more than four places (trailing zeros aside), or does not fit
 * decimal(18,4).
 */
export function parseMoney(input: string | number): bigint | undefined {
  const text = typeof input === 'number' ? String(input) : input;
  if (SHORT_AMOUNT.test(text)) return BigInt(Math.round(Number(text) * Number(UNITS)));
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL_TEXT.exec(text) ?? [];
  if (sign === undefined || whole.length + fraction.length === 0) return undefined;

  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return 0n;
  if (typeof input === 'number' && significant.length > MAX_NUMBER_DIGITS) return undefined;
  const places = fraction.length - Number(exponent) - (digits.length - significant.length);
  if (places > DECIMAL.scale || significant.length - places > DECIMAL.precision - DECIMAL.scale) return undefined;

  const units = BigInt(significant) * 10n ** BigInt(DECIMAL.scale - places);
  return sign === '-' ? -units : units;
}

/** The first number of units that decimal(18,4) cannot hold. */
const BEYOND = 10n ** BigInt(DECIMAL.precision);

/** True for units of 1/10000 that fit the lake's decimal(18,4): sums and products of amounts need not. */
export const isAmount = (units: bigint): boolean => units < BEYOND && units > -BEYOND;

/** Below this a double holds the quotient to 15 digits, and its shortest text is the amount itself. */
const EXACT_AS_NUMBER = 10n ** BigInt(MAX_NUMBER_DIGITS);

/** Writes units of 1/10000 as the shortest decimal text: `49.9`, `-3`, `0.0001`. */
export function formatMoney(units: bigint): string {
  if (units < EXACT_AS_NUMBER && units > -EXACT_AS_NUMBER) return formatSmall(Number(units));
  const absolute = units < 0n ? -units : units;
  const fraction = (absolute % UNITS).toString().padStart(DECIMAL.scale, '0').replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${absolute / UNITS}${fraction && '.'}${fraction}`;
}

/** The usual amounts, without a bigint and without a fraction: both are slow to write out. */
function formatSmall(units: number): string {
  const absolute = Math.abs(units);
  const whole = Math.floor(absolute / SCALE);
  let rest = absolute - whole * SCALE;
  const sign = units < 0 ? '-' : '';
  if (rest === 0) return `${sign}${whole}`;
  let places: number = DECIMAL.scale;
  for (; rest % 10 === 0; places--) rest /= 10;
  return `${sign}${whole}.${String(rest).padStart(places, '0')}`;
}

const SCALE = Number(UNITS);
