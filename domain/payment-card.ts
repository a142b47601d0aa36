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

const FIRST_DIGIT = /^[2-6]/;
const FEWEST_DIGITS = 14;
const MOST_DIGITS = 19;

/** Digits with at most one separator between two of them. */
const DIGIT_RUN = /\d(?:[ ._-]?\d){13,}/g;

/** The places of the card numbers of a text as `[start, end]`: what a network would issue, its check digit (Luhn) right. */
export function findCards(text: string): [number, number][] {
  const found: [number, number][] = [];
  for (const { 0: run, index } of text.matchAll(DIGIT_RUN)) {
    const groups = [...run.matchAll(/\d+/g)].map((group) => ({ digits: group[0], at: index + group.index }));
    for (let first = 0; first < groups.length; first++) {
      const last = lastGroup(groups, first);
      if (last === undefined) continue;
      const end = groups[last] as Group;
      found.push([(groups[first] as Group).at, end.at + end.digits.length]);
      first = last;
    }
  }
  return found;
}

type Group = { digits: string; at: number };

/** The group with which a card number ends that begins with group `first`; a number ends where a group does. */
function lastGroup(groups: readonly Group[], first: number): number | undefined {
  if (!FIRST_DIGIT.test((groups[first] as Group).digits)) return undefined;
  let digits = '';
  for (let last = first; last < groups.length; last++) {
    digits += (groups[last] as Group).digits;
    if (digits.length > MOST_DIGITS) return undefined;
    if (digits.length >= FEWEST_DIGITS && passesLuhn(digits) && CARD.test(digits)) return last;
  }
  return undefined;
}
