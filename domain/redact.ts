/** What a value looked like. The tag in its place names the kind and nothing else. */
export type Redaction = 'email' | 'phone' | 'iban' | 'card';

/** Percent-encodings are undone this often: a URL inside a URL inside a URL is as deep as tags were seen to nest. */
const DECODE_ROUNDS = 3;

const EMAIL =
  /[\p{L}\p{N}._%+'-]{1,64}(?:@|\s?\(at\)\s?|\s?\[at\]\s?)[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,6}\.\p{L}{2,24}/giu;
const IBAN = /\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){3,8}\b/gi;
/** 14 to 19 digits: 13 would take in EAN product numbers, and cards of 13 digits are no longer issued. */
const CARD = /(?<![\d])\d(?:[ -]?\d){13,18}(?![\d])/g;
/** E.164 with + or 00, German mobile numbers, and national numbers that are written with separators. */
const PHONE =
  /(?<![\w+])(?:(?:\+|00)[1-9](?:[ ()/.-]{0,2}\d){7,14}|01[567]\d(?:[ /.-]?\d){7,8}|0\d{2,5}[ /-]{1,3}\d(?:[ -]?\d){4,9})(?!\d)/g;

/** Nothing to find without one of these: an at sign in any spelling, an escape, a sign beyond Latin, eight digits in reach, an IBAN's start. */
const SUSPICIOUS = /[@%＠]|[[(]at[\])]|[^\u0020-\u024f]|\d(?:[ ()/.-]{0,3}\d){7}|[A-Z]{2}\d{2}[ A-Z0-9]{11}/i;

/**
 * What is looked for in an id (of an order, of a product). Many an id is a number that could be a national phone number
 * or pass for a card's, and one constant in the place of two ids would make two orders one.
 */
export const IN_IDS: ReadonlySet<Redaction> = new Set(['email', 'iban']);

const ALL: ReadonlySet<Redaction> = new Set(['email', 'phone', 'iban', 'card']);

/**
 * Takes out what looks like an e-mail address, a phone number, an IBAN (ISO 13616 check digits) or a card number (Luhn,
 * ISO/IEC 7812), also where it hides behind percent-encoding or compatibility characters (NFKC). A text without a find
 * comes back as it was; otherwise each find is replaced by `[redacted:KIND]` in the decoded text.
 */
export function redact(text: string, kinds = ALL): { text: string; found: readonly Redaction[] } {
  if (isPlain(text) || !SUSPICIOUS.test(text)) return { text, found: NONE };
  const found: Redaction[] = [];
  const mark = (kind: Redaction) => {
    found.push(kind);
    return `[redacted:${kind}]`;
  };
  const clean = decoded(text)
    .replace(EMAIL, () => mark('email'))
    .replace(IBAN, (hit) => (isIban(hit) ? mark('iban') : hit))
    .replace(CARD, (hit) => (kinds.has('card') && isCard(hit) ? mark('card') : hit))
    .replace(PHONE, (hit) => (kinds.has('phone') ? mark('phone') : hit));
  return found.length > 0 ? { text: clean, found } : { text, found: NONE };
}

const NONE: readonly Redaction[] = [];

/** Fewer digits than this are no phone number, and with a shorter text no IBAN either: see the patterns above. */
const FEWEST_DIGITS = 8;
const SHORTEST_IBAN = 15;

/** Most texts are words of Latin letters with few digits; telling so by character costs a third of the pattern. */
function isPlain(text: string): boolean {
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) digits++;
    else if (code < 32 || code > 0x24f || code === 64 || code === 37 || code === 40 || code === 91) return false;
  }
  return digits === 0 || (digits < FEWEST_DIGITS && text.length < SHORTEST_IBAN);
}

function decoded(text: string): string {
  let current = text;
  for (let round = 0; round < DECODE_ROUNDS && current.includes('%'); round++) {
    const next = current.replace(/(?:%[0-9a-f]{2})+/gi, decodeRun);
    if (next === current) break;
    current = next;
  }
  return current.normalize('NFKC');
}

/** A run that is not UTF-8 stays as it stands: it hides no ASCII. */
function decodeRun(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    return run.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

function isIban(candidate: string): boolean {
  const compact = candidate.replaceAll(' ', '').toUpperCase();
  if (compact.length < 15 || compact.length > 34) return false;
  let remainder = 0;
  for (const char of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(char, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

function isCard(candidate: string): boolean {
  const digits = candidate.replace(/\D/g, '');
  if (!/^[2-6]/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
