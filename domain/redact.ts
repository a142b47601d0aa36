import { replaceEmails } from './email-address.ts';
import { findIbans, SHORTEST_IBAN } from './iban.ts';
import { replaceAddresses } from './ip-address.ts';
import { findCards } from './payment-card.ts';
import { replacePhones } from './phone-number.ts';
import { plainText } from './plain-text.ts';

/** What a value looked like. The tag in its place names the kind and nothing else. */
export type Redaction = 'email' | 'phone' | 'iban' | 'card' | 'ip' | 'token' | 'hash' | 'name';

/**
 * What is looked for in an id (of an order, of a product, of a click). Many an id is a number that could be a national phone
 * number or pass for a card's, or is long and hexadecimal, and one constant in the place of two ids would make two orders
 * one. A phone number with its plus sign is none by accident and is always looked for.
 */
export const IN_IDS: ReadonlySet<Redaction> = new Set(['email', 'iban', 'ip', 'token']);

const ALL: ReadonlySet<Redaction> = new Set([...IN_IDS, 'phone', 'card', 'hash', 'name']);

const NONE: readonly Redaction[] = [];

/**
 * Takes out what looks like an e-mail address, a phone number, an IBAN, a card number, an IP address, a signed token (JWT),
 * a hash (32 hexadecimal digits or more: of an e-mail address as a rule) or a name behind a key that says so, also where it
 * hides behind escapes, compatibility characters or base64. A text without a find comes back as it was; otherwise each
 * find is replaced by `[redacted:KIND]` in the decoded text. Never throws; linear in the text's length.
 */
export function redact(text: string, kinds = ALL): { text: string; found: readonly Redaction[] } {
  const signs = signsOf(text);
  if (signs === 0) return { text, found: NONE };
  const found: Redaction[] = [];
  let clean = search(text, signs, kinds, found);
  let before = 0;
  for (let round = 1; round < SEARCHES && found.length > before; round++) {
    before = found.length;
    clean = search(clean, signsOf(clean), kinds, found);
  }
  return found.length > 0 ? { text: clean, found } : { text, found: NONE };
}

/** A find may lay another one bare, such as a name's key behind a number that stuck to it; what has none is searched once. */
const SEARCHES = 4;

/** Signs of what may be in a text, told by character: a pattern costs many times as much, and most texts show none. */
const ENCODED = 1;
const AT = 2;
const DIGITS = 4;
const QUAD = 8;
const COLONS = 16;
const PAIR = 32;
const BASE64 = 64;
const LONG = 128;

/** Fewer digits than this are no phone number, no IBAN and no card. */
const FEWEST_DIGITS = 8;
/** A shorter run of base64 holds no e-mail address: 11 characters are eight of text. */
const SHORTEST_BASE64 = 11;
/** MD5's length; all other hashes are longer. */
const SHORTEST_HASH = 32;

/** Bits of a character's role: the places in a group of four at which base64 of ASCII text can have it, and others. */
const ALPHANUMERIC = 16;
const DIGIT_SHIFT = 5;
const ODD = 64;
const BEYOND_ASCII = 128;
const ROLES = rolesOf();

function rolesOf(): Uint8Array {
  const roles = new Uint8Array(128);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  for (let value = 0; value < alphabet.length; value++) {
    // A byte of ASCII has its highest bit clear: it is the first of the first character, and so on.
    const places = (value < 32 && value >= 8 ? 1 : 0) | (value & 8 ? 0 : 2) | (value & 2 ? 0 : 4) | 8;
    roles[alphabet.charCodeAt(value)] = places | ALPHANUMERIC | (value >= 52 ? 1 << DIGIT_SHIFT : 0);
  }
  for (const char of '@([{<%#&\\.:="') roles[char.charCodeAt(0)] = ODD;
  roles.fill(ODD, 0, 32);
  roles[127] = ODD;
  return roles;
}

function signsOf(text: string): number {
  let signs = 0;
  let digits = 0;
  let dots = 0;
  let colons = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 97 && code <= 122) continue;
    const roles = code < 128 ? (ROLES[code] as number) : BEYOND_ASCII;
    if (roles & ALPHANUMERIC) {
      digits += (roles >> DIGIT_SHIFT) & 1;
      continue;
    }
    if (i - start >= SHORTEST_BASE64) signs |= signOfRun(text, start, i);
    start = i + 1;
    if (roles === 0) continue;
    if (code === 46) dots++;
    else if (code === 58) colons++;
    signs |= signOf(code, text, i);
  }
  if (text.length - start >= SHORTEST_BASE64) signs |= signOfRun(text, start, text.length);
  if (digits >= FEWEST_DIGITS) signs |= DIGITS;
  if (digits > 3 && dots > 2) signs |= QUAD;
  if (colons > 1) signs |= COLONS;
  return signs;
}

/** What a run of letters and digits may be: base64, where it begins as base64 of ASCII does, or a hash by its length. */
function signOfRun(text: string, start: number, end: number): number {
  const sign = end - start >= SHORTEST_HASH ? LONG : 0;
  for (let place = 0; place < SHORTEST_BASE64; place++)
    if (!((ROLES[text.charCodeAt(start + place)] as number) & (1 << (place & 3)))) return sign;
  return sign | BASE64;
}

function signOf(code: number, text: string, at: number): number {
  switch (code) {
    case 46: // .
      return 0;
    case 64: // @
      return AT;
    case 40: // (
    case 91: // [
    case 123: // {
    case 60: // <
      return AT_IN_BRACKETS.has(text.charCodeAt(at + 1)) ? AT : 0;
    case 58: // :
    case 61: // =
    case 34: // "
      return PAIR;
    case 38: // &: of its references only &commat; matters here, and &# has a sign of its own
      return text.charCodeAt(at + 1) === 99 ? ENCODED : 0;
    default:
      // Latin letters are the only ones beyond ASCII that stand for nothing else and hide nothing.
      return code >= 0xc0 && code <= 0x24f ? 0 : ENCODED;
  }
}

/** What a spelled-out at sign begins with: `at`, `@`, `ät`, perhaps behind a blank. */
const AT_IN_BRACKETS: ReadonlySet<number> = new Set([...'aA@äÄ '].map((char) => char.charCodeAt(0)));

/** Replaces what the signs point at and notes it in `found`; the result is the decoded text. */
function search(text: string, signs: number, kinds: ReadonlySet<Redaction>, found: Redaction[], sniffs = true): string {
  const inId = !kinds.has('phone');
  const mark = (kind: Redaction) => () => {
    found.push(kind);
    return `[redacted:${kind}]`;
  };
  let clean = text;
  let shown = signs;
  if (signs & ENCODED) {
    clean = plainText(text);
    shown = signsOf(clean);
  }
  if (sniffs && shown & BASE64) {
    clean = clean.replace(JWT, mark('token'));
    clean = clean.replace(BASE64_RUN, (run) => sniffed(run, kinds, found));
  }
  if (shown & (AT | ENCODED)) clean = replaceEmails(clean, mark('email'));
  if (shown & LONG && kinds.has('hash')) clean = clean.replace(LONG_HEX, (hit) => (isHash(hit) ? mark('hash')() : hit));
  if (shown & (QUAD | COLONS)) clean = replaceAddresses(clean, mark('ip'), inId);
  if (shown & PAIR && kinds.has('name')) clean = clean.replace(NAMED, (_, key: string) => key + mark('name')());
  if (shown & DIGITS) {
    clean = outsideUuids(clean, (part) => {
      let rest = part.length < SHORTEST_IBAN ? part : replaceAt(part, findIbans(part), mark('iban'));
      if (kinds.has('card')) rest = replaceAt(rest, findCards(rest), mark('card'));
      return replacePhones(rest, mark('phone'), inId);
    });
  }
  return clean;
}

/** A compact JWS or JWE (RFC 7515, 7516): `eyJ` is how a JSON object begins in base64. The bound keeps the search linear. */
const JWT = /eyJ[\w-]{8,1024}(?:\.[\w-]*){2,4}/g;

const BASE64_RUN = new RegExp(`[A-Za-z0-9]{${SHORTEST_BASE64},}={0,2}`, 'g');

/**
 * A run of base64 that holds a find gives way to the find's tag. `/`, `+`, `-` and `_` end a run: in base64 of ASCII they
 * only are a group's last character, so what follows them begins a group again.
 */
function sniffed(run: string, kinds: ReadonlySet<Redaction>, found: Redaction[]): string {
  const text = asciiOfBase64(run);
  if (text === undefined) return run;
  const before = found.length;
  search(text, signsOf(text), kinds, found, false);
  return found.length === before
    ? run
    : found
        .slice(before)
        .map((kind) => `[redacted:${kind}]`)
        .join('');
}

const BASE64_VALUES = new Map(
  [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'].map((char, value) => [char, value]),
);

/** The printable ASCII that a run of base64 stands for; `undefined` where it stands for anything else. */
function asciiOfBase64(run: string): string | undefined {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const char of run) {
    const value = BASE64_VALUES.get(char);
    if (value === undefined) break;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    const byte = (bits >> held) & 0xff;
    if (byte < 32 || byte > 126) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

const LONG_HEX = new RegExp(`(?<![0-9a-z])[0-9a-f]{${SHORTEST_HASH},}(?![0-9a-z])`, 'gi');

/** A random UUID without its dashes (RFC 9562, version 4) is no hash; of the MD5 hashes one in 64 passes for one. */
const isHash = (hex: string): boolean =>
  /[a-f]/i.test(hex) && !(hex.length === SHORTEST_HASH && /^.{12}4.{3}[89ab]/i.test(hex));

/** A person's name behind a key. `name` alone needs a key's form, since headings say it too. */
const NAMED =
  /(?<![\p{L}\p{N}])((?:(?:vor|nach|ruf|familien|geburts|benutzer|kunden|first|last|sur|full|given|family|middle|birth|user|customer|nick)[ _-]?name["']?\s?[=:]|["']name["']\s?:|(?<![_-])name=)(?!\s?["']?\[redacted)\s?["']?)[^&;,/?#"'<>|{}=]{1,64}/giu;

const UUID = /([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/i;

/** Parts of a UUID can look like a phone number: it is left out of the search. */
function outsideUuids(text: string, replace: (part: string) => string): string {
  const parts = text.split(UUID);
  for (let i = 0; i < parts.length; i += 2) parts[i] = replace(parts[i] as string);
  return parts.join('');
}

/** The text with a mark in each of the places, which are in order and do not overlap. */
function replaceAt(text: string, places: readonly [number, number][], mark: () => string): string {
  let clean = '';
  let from = 0;
  for (const [start, end] of places) {
    clean += text.slice(from, start) + mark();
    from = end;
  }
  return from === 0 ? text : clean + text.slice(from);
}
