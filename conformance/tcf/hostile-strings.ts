import { MAX_GPP_HEADER_LENGTH, MAX_GPP_LENGTH } from '../../domain/gpp.ts';
import { MAX_TC_LENGTH } from '../../domain/tcf.ts';
import { BitText } from './bit-text.ts';
import { BARE, type Entry, writePublisherSegment, writeTcString, writeVendorSegment } from './written-strings.ts';

const EVERYBODY: Entry = [1, 65_535];
const MAX_ENTRIES = 4_095;

const ranges = (entries: number): string =>
  writeTcString({ ...BARE, vendorConsents: { maxId: 65_535, entries: Array<Entry>(entries).fill(EVERYBODY) } });

const restrictions = (count: number, entries: number): string =>
  writeTcString({
    ...BARE,
    restrictions: Array.from({ length: count }, (_, i) => ({
      purpose: 1 + (i % 24),
      type: Math.trunc(i / 24) % 3,
      entries: Array<Entry>(entries).fill(EVERYBODY),
    })),
  });

/** Strings that hold a decoder up which expands ranges, by what they are; the largest of them are above the limit. */
export const HOSTILE_SHAPES: ReadonlyMap<string, string> = new Map([
  ['1 range of 65,535 vendors', ranges(1)],
  ['50 such ranges', ranges(50)],
  ['10 restrictions of 1 range', restrictions(10, 1)],
  ['72 restrictions of 1 range', restrictions(72, 1)],
  ['300 ranges', ranges(300)],
  ['24 x 50 restrictions', restrictions(24, 50)],
  ['4,095 ranges', ranges(MAX_ENTRIES)],
  ['1 MB of CAAA', `C${'A'.repeat(999_999)}`],
]);

const upTo = (length: number, text: string): string => text.slice(0, length);

/** Strings of a given length that make the decoder work as hard as it can, each in its own way, by what they are. */
export function worstCases(length: number): ReadonlyMap<string, string> {
  // Less than all that is left: the number of entries takes bits, too.
  const bits = 6 * (length - writeTcString(BARE).length - 4);
  const single: Entry = [65_535, 65_535];
  return new Map([
    ['ranges', ranges(Math.trunc(bits / 33))],
    [
      'single entries',
      writeTcString({
        ...BARE,
        vendorConsents: { maxId: 65_535, entries: Array<Entry>(Math.trunc(bits / 17)).fill(single) },
      }),
    ],
    ['restrictions without vendors', restrictions(Math.trunc(bits / 20), 0)],
    ['restrictions of 1 range', restrictions(Math.trunc(bits / 53), 1)],
    ['restrictions cut short', upTo(length, restrictions(MAX_ENTRIES, 1))],
    ['bit field', writeTcString({ ...BARE, vendorConsents: { maxId: bits, ids: [] } })],
    ['one segment more', `${ranges(Math.trunc(bits / 33) - 1)}.A`],
    ['dots', `C${'.'.repeat(length - 1)}`],
    ['empty segments of a sound string', upTo(length, `${writeTcString(BARE)}${'.'.repeat(length)}`)],
    ['no core', 'I.'.repeat(length / 2)],
    ['zeros', `C${'A'.repeat(length - 1)}`],
    ['ones', `C${'_'.repeat(length - 1)}`],
    ['not ASCII', 'ü'.repeat(length)],
  ]);
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const ODD = [
  '=',
  '+',
  '/',
  ' ',
  '%',
  '~',
  '..',
  '\0',
  '\n',
  'é',
  '\ud800',
  '💶',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an ad server's macro
  '${GDPR_CONSENT_755}',
  '%24%7B',
  '[x]',
];

/** Endless strings from which nothing may be concluded in advance: noise, cut, swapped, doubled and stuffed sound strings. */
export function* hostileStrings(random: () => number, sound: readonly string[]): Generator<string> {
  const whole = (below: number) => Math.floor(random() * below);
  const pick = <T>(values: readonly T[]): T => values[whole(values.length)] as T;
  const noise = (length: number, alphabet: string) =>
    Array.from({ length }, () => alphabet.charAt(whole(alphabet.length))).join('');
  const spliced = (value: string, middle: string, removed: number) => {
    const at = whole(value.length + 1);
    return value.slice(0, at) + middle + value.slice(at + removed);
  };
  const length = () => (random() < 0.02 ? whole(MAX_TC_LENGTH + 2) : whole(200));
  const makers: (() => string)[] = [
    () => noise(length(), DIGITS),
    () => `C${noise(length(), DIGITS)}`,
    () => noise(length(), `${DIGITS}....`),
    () => `${pick(sound)}.${pick(['I', 'Q', 'Y', 'g', 'C', 'A'])}${noise(length(), DIGITS)}`,
    () => pick(sound).slice(0, whole(800)),
    () => spliced(pick(sound), pick(Array.from(DIGITS)), 1),
    () => spliced(pick(sound), noise(whole(6), DIGITS), whole(6)),
    () => spliced(pick(sound), pick(ODD), whole(2)),
    () => `${pick(sound)}${pick(['', '.'])}${pick(sound)}`,
    () => pick(sound).split('.').reverse().join('.'),
    () => String.fromCharCode(...Array.from({ length: whole(60) }, () => whole(65_536))),
    () =>
      new BitText()
        .write(2, 6)
        .bits(bits(whole(400)))
        .text(),
    () => pick(ODD).repeat(whole(30)),
    () => ranges(1 + whole(100)),
    () => restrictions(1 + whole(100), whole(3)),
    () => writeVendorSegment(1 + whole(3), { maxId: whole(50), entries: [[whole(60), whole(60)]] }),
    () => `${writeTcString(BARE)}.${writePublisherSegment([], [], whole(64))}.${noise(whole(5), DIGITS)}`,
  ];
  const bits = (count: number) => Array.from({ length: count }, () => (random() < 0.5 ? '0' : '1')).join('');
  for (;;) yield pick(makers)();
}

const gppHeader = (fill: string): string => `DB__${fill.repeat(MAX_GPP_HEADER_LENGTH)}`.slice(0, MAX_GPP_HEADER_LENGTH);

/** GPP strings as long as they may be, each hard in its own way, by what they are. */
export const HOSTILE_GPP: ReadonlyMap<string, string> = new Map([
  ['tildes', '~'.repeat(MAX_GPP_LENGTH)],
  ['no tilde', 'D'.repeat(MAX_GPP_LENGTH)],
  ['a header of zeros', gppHeader('A')],
  ['a header of single ones', gppHeader('q')],
  ['a header of ones', gppHeader('_')],
  ['sections behind a sound header', `DBABMA${'~A'.repeat((MAX_GPP_LENGTH - 6) / 2)}`],
]);
