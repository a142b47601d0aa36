import { passesLuhn } from './check-digits.ts';

/**
 * First digits and lengths of card numbers by network (ISO/IEC 7812; the networks' own pages): Visa, Mastercard, American
 * Express, Diners Club, JCB, then Discover, Maestro and UnionPay. Thirteen digits are left out: no network issues them any
 * more, and EAN product numbers have as many.
 */
const CARD = new RegExp(
  `^(?:${[
    '4(?:\\d{15}|\\d{18})',
    '(?:5[1-5]\\d{4}|222[1-9]\\d\\d|22[3-9]\\d{3}|2[3-6]\\d{4}|27[01]\\d{3}|2720\\d\\d)\\d{10}',
    '3[47]\\d{13}',
    '3(?:0[0-5]|[689]\\d)\\d{11}',
    '35(?:2[89]|[3-8]\\d)\\d{12}',
    '(?:5[0678]|6\\d)(?:\\d{14}|\\d{16,17})',
  ].join('|')})$`,
);

/** How long a number of a network can be, by its first digit: what is of another length needs no further look. */
const LENGTHS: readonly (readonly number[])[] = [[], [], [16], [14, 15, 16], [16, 19], [16, 18, 19], [16, 18, 19]];

/** Digits with at most one separator between two of them. */
const DIGIT_RUN = /\d(?:[ ._-]?\d){13,}/g;

/** The places of the card numbers of a text as `[start, end]`: what a network would issue, its check digit (Luhn) right. */
export function findCards(text: string): [number, number][] {
  const found: [number, number][] = [];
  for (const { 0: run, index } of text.matchAll(DIGIT_RUN)) {
    const { digits, places, ends } = digitsOf(run);
    let at = 0;
    while (at < digits.length) {
      const length = startsGroup(places, at) ? cardLength(digits, at, ends) : undefined;
      if (length === undefined) {
        at++;
        continue;
      }
      found.push([index + (places[at] as number), index + (places[at + length - 1] as number) + 1]);
      at += length;
    }
  }
  return found;
}

/** The digits of a run, where each stands in it, and after how many of them a group ends. */
function digitsOf(run: string): { digits: string; places: Uint32Array; ends: Uint8Array } {
  const digits = run.replace(/\D/g, '');
  const places = new Uint32Array(digits.length);
  const ends = new Uint8Array(digits.length + 1);
  let count = 0;
  for (let i = 0; i < run.length; i++) {
    const code = run.charCodeAt(i);
    if (code >= 48 && code <= 57) places[count++] = i;
    else ends[count] = 1;
  }
  ends[count] = 1;
  return { digits, places, ends };
}

const startsGroup = (places: Uint32Array, at: number): boolean =>
  at === 0 || (places[at] as number) > (places[at - 1] as number) + 1;

/** Digits of the card number that begins at `at`; a number ends where a group does. */
function cardLength(digits: string, at: number, ends: Uint8Array): number | undefined {
  for (const length of LENGTHS[digits.charCodeAt(at) - 48] ?? []) {
    if (!ends[at + length]) continue;
    const number = digits.slice(at, at + length);
    if (passesLuhn(number) && CARD.test(number)) return length;
  }
  return undefined;
}
