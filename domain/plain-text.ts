/** Escapes are undone this often: a URL inside a URL inside a URL is as deep as tags were seen to nest. */
const DECODE_ROUNDS = 3;

/** Percent-encoded UTF-8 by RFC 3629's grammar: to decode what is none would throw, which costs as much as a thousand characters. */
const UTF8 = (() => {
  const tail = '%[89ab][0-9a-f]';
  return [
    '%[0-7][0-9a-f]',
    `%(?:c[2-9a-f]|d[0-9a-f])${tail}`,
    `(?:%e0%[ab][0-9a-f]|%e[1-9a-cef]${tail}|%ed%[89][0-9a-f])${tail}`,
    `(?:%f0%[9ab][0-9a-f]|%f[1-3]${tail}|%f4%8[0-9a-f])${tail}${tail}`,
  ].join('|');
})();

/** Percent-encoding with the `%uXXXX` of old scripts, HTML's character references, and the escapes of JSON and JavaScript. */
const ESCAPES = new RegExp(
  `(?:${UTF8})+|[%\\\\]u([0-9a-f]{4})|\\\\x([0-9a-f]{2})|&#x([0-9a-f]{1,6});?|&#(\\d{1,7});?|&(?:commat|amp);`,
  'gi',
);

/**
 * Marks that may follow each other. The engine's NFKC takes quadratic time over a run of marks (14 s for 100,000), and
 * Unicode's Stream-Safe Text Format (UAX #15, section 13) knows no text that needs more.
 */
const MARKS = 30;
const LONG_MARKS = new RegExp(`(\\p{M}{${MARKS}})\\p{M}+`, 'gu');

/**
 * What hides in a text: characters that show nothing and would part a word unseen (a zero-width space, a soft hyphen), dashes,
 * dots and blanks of other scripts, and the digits of Arabic and Devanagari, which phones show and NFKC keeps apart.
 */
const DISGUISES =
  /[[\p{Default_Ignorable_Code_Point}\p{Pd}\s\p{Cc}\u3002\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]--[ \-]]/gv;

/**
 * The text as its reader sees it: up to three rounds of escapes undone (percent-encoding, HTML, JavaScript), compatibility
 * characters written out (NFKC), invisible ones gone, dashes, dots, digits and blanks of every kind made ASCII's. For
 * looking at; never throws, linear in the text's length.
 */
export function plainText(text: string): string {
  let current = composed(text);
  for (let round = 0; round < DECODE_ROUNDS; round++) {
    const next = current.replace(ESCAPES, unescaped);
    if (next === current) break;
    current = composed(next);
  }
  return current;
}

/** Arabic phrases in one character, which NFKC writes out as 18 and 8: they hide nothing and would only cost time. */
const LIGATURES = /[\ufdfa\ufdfb]/g;

const composed = (text: string): string =>
  (text.length > MARKS ? text.replace(LONG_MARKS, '$1').replace(LIGATURES, ' ') : text)
    .normalize('NFKC')
    .replace(DISGUISES, undisguised);

const DASH = /\p{Pd}/u;
const BLANK = /[\s\p{Cc}]/u;

function undisguised(char: string): string {
  const code = char.codePointAt(0) as number;
  if (code >= 0x660 && code <= 0x96f) return String((code & 15) - (code > 0x900 ? 6 : 0));
  if (code === 0x3002) return '.';
  return DASH.test(char) ? '-' : BLANK.test(char) ? ' ' : '';
}

function unescaped(sequence: string, u?: string, x?: string, hex?: string, decimal?: string): string {
  const code = u ?? x ?? hex;
  if (code !== undefined) return character(Number.parseInt(code, 16));
  if (decimal !== undefined) return character(Number(decimal));
  if (sequence.startsWith('%')) return decodeURIComponent(sequence);
  return sequence.startsWith('&c') || sequence.startsWith('&C') ? '@' : '&';
}

const character = (code: number): string => (code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd');
