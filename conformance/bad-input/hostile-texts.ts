import { MAX_TC_LENGTH } from '../../domain/tcf.ts';

/** No text that the door reads by itself may cost more than this many characters of work. */
export const LONGEST = MAX_TC_LENGTH;

const ODD = [
  '\0',
  '\n',
  '\r\n',
  '"',
  '\\',
  '%',
  '%00',
  '%25',
  '%2525',
  '%E0%A4%A',
  '%C0%AE',
  '&#',
  '&#x40;',
  '&commat;',
  '\ud800',
  '\udc00',
  '💶',
  'é',
  'ﬃ',
  '＠',
  '．',
  '\u200b',
  '\u202e',
  '٠',
  'İ',
  '\u0300'.repeat(8),
  '__proto__',
  'constructor',
  'null',
  '-0',
  '1e999',
  '{',
  '[',
  '<script>',
  '../..',
];
const PERSONAL = [
  'paula@example.com',
  'paula%40example.com',
  'paula(at)example(dot)com',
  '+49 171 1234567',
  '0049-171-1234567',
  'DE89 3704 0044 0532 0130 00',
  '4111 1111 1111 1111',
  '203.0.113.9',
  '2001:db8::1',
  'vorname=Paula',
  Buffer.from('paula@example.com').toString('base64'),
];
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~ /=&+@:%';

/** Endless texts from which nothing may be concluded in advance: noise, odd characters, personal data cut and spliced. */
export function* hostileTexts(random: () => number): Generator<string> {
  const whole = (below: number) => Math.floor(random() * below);
  const pick = <T>(values: readonly T[]): T => values[whole(values.length)] as T;
  const length = () => (random() < 0.01 ? whole(LONGEST + 2) : whole(120));
  const noise = () => Array.from({ length: length() }, () => LETTERS.charAt(whole(LETTERS.length))).join('');
  const pieces = (from: readonly string[]) => Array.from({ length: 1 + whole(8) }, () => pick(from)).join('');
  const spliced = (text: string, middle: string) => {
    const at = whole(text.length + 1);
    return text.slice(0, at) + middle + text.slice(at + whole(4));
  };
  const makers: (() => string)[] = [
    noise,
    () => pieces(ODD),
    () => pieces([...ODD, ...PERSONAL]),
    () => spliced(pick(PERSONAL), pick(ODD)),
    () => spliced(noise(), pick(PERSONAL)),
    () => encodeURIComponent(pieces(PERSONAL)),
    () => encodeURIComponent(encodeURIComponent(pick(PERSONAL))),
    () => Buffer.from(noise()).toString('base64'),
    () => pick(ODD).repeat(whole(40)),
    () => pick(PERSONAL).slice(whole(6)),
  ];
  for (;;) yield pick(makers)();
}

/** Texts of a given length at which a search that looks back, or nests, would take the square of it; by what they are. */
export function worstTexts(length: number): ReadonlyMap<string, string> {
  const filled = (piece: string) => piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
  const at = length - 2;
  return new Map([
    ['letters', filled('a')],
    ['at signs', filled('@')],
    ['letters before one at sign', `${'a'.repeat(at)}@b`],
    ['dots and at signs', filled('a.@')],
    ['half addresses', filled('a@b.')],
    ['addresses', filled('a@b.de ')],
    ['digits', filled('4')],
    ['digits and blanks', filled('4 ')],
    ['digits and hyphens', filled('49-')],
    ['half IBANs', filled('DE89')],
    ['IBANs', filled('DE89370400440532013000 ')],
    ['colons', filled(':')],
    ['quads', filled('1.1.1.')],
    ['percent signs', filled('%')],
    ['escaped escapes', filled('%25')],
    ['references', filled('&#')],
    ['base64', filled('YWJj')],
    ['base64 of addresses', filled(Buffer.from('a@bcd.de '.repeat(8)).toString('base64'))],
    ['half tokens', filled('eyJhbGciOi.')],
    ['keys of names', filled('name=')],
    ['brackets', filled('(at')],
    ['hexadecimal', filled('0123456789abcdef')],
    ['combining marks', filled('e\u0301\u0300')],
    ['compatibility characters', filled('ﷺ')],
    ['full width', filled('＠．')],
    ['Hangul letters', filled('\u1100\u1161')],
    ['lone surrogates', filled('\ud800')],
    ['blanks', filled(' ')],
    ['double quotes', filled('"')],
  ]);
}
