import { isGtin } from './check-digits.ts';

/** What may stand between two digits, `) / ` at most. */
const GAP = '[ ()/.-]{0,4}';
/** No letter or digit before it, nor a digit and a separator: it would be the later part of an id, a date or a number. */
const START = '(?<![0-9a-z])(?<!\\d[-._/])';
const END = '(?![0-9a-z])';

/** E.164 with its plus sign: no id begins with one. */
const INTERNATIONAL = new RegExp(`\\+[1-9](?:${GAP}\\d){7,14}(?!\\d)`, 'g');

type Spelling = { pattern: RegExp; unless?: (hit: string) => boolean };

const digitsOf = (text: string): string => text.replace(/\D/g, '');

/** An EAN or its like in one piece. `0049` and a digit that begins a German number is a phone's in any case. */
const isTradeItem = (hit: string): boolean => isGtin(hit) && !/^0049[1-9]/.test(hit);

/** A number that ends with a day (YYYYMMDD) is one of a campaign or a file; one phone number in 13,000 ends so. */
const endsWithDay = (hit: string): boolean => /20[0-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(digitsOf(hit));

/** Fewer digits, with no blank, bracket or slash between area code and number, are an article number's. */
const DIGITS_WITH_DASH = 10;
const FEWEST_DIGITS = 9;
const isTooShort = (hit: string): boolean =>
  digitsOf(hit).length < (/[ )/]/.test(hit) ? FEWEST_DIGITS : DIGITS_WITH_DASH);

/** Spellings that an id could have by accident. German numbers after the Bundesnetzagentur's plan. */
const NATIONAL: readonly Spelling[] = [
  // 00 for the plus sign.
  { pattern: new RegExp(`${START}00[1-9](?:${GAP}\\d){9,14}${END}`, 'gi'), unless: isTradeItem },
  // Mobile: 015, 016, 017.
  { pattern: new RegExp(`${START}\\(?01[567]\\d(?:${GAP}\\d){7,8}${END}`, 'gi'), unless: endsWithDay },
  // Mobile with the country's code but without the plus sign, which a form's encoding turned into a blank.
  {
    pattern: new RegExp(`${START}49 ?(?:\\(0\\) ?)?1[567]\\d(?:${GAP}\\d){7,8}${END}`, 'gi'),
    unless: isTradeItem,
  },
  // The whole text is a number behind the blank that was its plus sign.
  { pattern: new RegExp(`^ [1-9](?:${GAP}\\d){9,14}$`, 'g'), unless: (hit) => isGtin(hit.trim()) },
  // Area code, separator, number.
  {
    pattern: new RegExp(`${START}\\(?0[2-9]\\d{1,4}[ )/.-]{1,3}\\d(?:[ /.-]?\\d){4,9}${END}`, 'gi'),
    unless: (hit) => isTooShort(hit) || endsWithDay(hit),
  },
  // In one piece: only behind the area code of a large town (030, 040, 069, 089, and those that end with 1).
  { pattern: new RegExp(`${START}0(?:[34]0\\d|[68]9\\d|[2-9]\\d1)\\d{6,8}${END}`, 'gi'), unless: isTradeItem },
];

/** A number behind a name that says what it is. */
const NAMED = new RegExp(
  `(?<![a-z])((?:tele(?:phone|fon)|tel|phone|fon|mobile?|handy|(?:tele)?fax|whatsapp)[a-z_]{0,12}["']? ?[:=] ?["']?)` +
    `[+(]{0,2}\\d(?:${GAP}\\d){5,14}(?!\\d)`,
  'gi',
);

/**
 * Puts `mark()` in the place of every phone number: E.164, German national spellings, and what follows a name such as
 * `tel=`. In an id only the plus sign tells one.
 */
export function replacePhones(text: string, mark: () => string, inId: boolean): string {
  let clean = text.replace(INTERNATIONAL, mark);
  if (inId) return clean;
  clean = clean.replace(NAMED, (_, name: string) => name + mark());
  for (const { pattern, unless } of NATIONAL) clean = clean.replace(pattern, (hit) => (unless?.(hit) ? hit : mark()));
  return clean;
}
