import { BitCursor } from './bit-cursor.ts';

/** Longest GPP string that is looked at, in characters: two TC strings of the longest kind would fit. */
export const MAX_GPP_LENGTH = 8_192;

/** Longest header that is read, in characters: one that names thirty sections one by one takes less than thirty. */
export const MAX_GPP_HEADER_LENGTH = 128;

/** Why a text holds no section of the European framework. */
export type GppError =
  | 'too_long'
  | 'foreign_character'
  | 'truncated'
  | 'header_unknown'
  | 'number_too_long'
  | 'trailing_garbage'
  | 'sections_mismatch'
  | 'section_missing';

/** The section of the IAB Europe TCF (GPP, "Section Information"). */
export const TCF_EU_SECTION = 2;

const HEADER_TYPE = 3;
const HEADER_VERSION = 1;

/** Code words of 16 bits go to 1,596; section ids have two digits. */
const MAX_CODE_BITS = 16;
/** Encoders fill the header up to whole bytes or groups of 24 bits. */
const MAX_PADDING = 23;

type Cursor = BitCursor<Exclude<GppError, 'truncated'>>;
const CURSOR: Cursor = new BitCursor(MAX_GPP_HEADER_LENGTH);

/**
 * The TC string inside a GPP string (IAB Tech Lab, "Global Privacy Platform String"), undecoded. Never throws; time is
 * linear in the length, which is bounded: ranges of section ids are counted and not expanded.
 */
export function tcSectionOf(gpp: string): { ok: true; section: string } | { ok: false; reason: GppError } {
  if (gpp.length > MAX_GPP_LENGTH) return { ok: false, reason: 'too_long' };
  const [header = ''] = gpp.split('~', 1);
  if (header.length > MAX_GPP_HEADER_LENGTH) return { ok: false, reason: 'too_long' };
  if (header.includes('.') || !CURSOR.load(header)) return { ok: false, reason: 'foreign_character' };
  CURSOR.open(0, header.length);
  const { count, position } = readHeader(CURSOR);
  if (CURSOR.fault !== undefined) return { ok: false, reason: CURSOR.fault };
  const sections = gpp.split('~').slice(1);
  if (count !== sections.length) return { ok: false, reason: 'sections_mismatch' };
  const section = position === undefined ? undefined : sections[position];
  return section === undefined ? { ok: false, reason: 'section_missing' } : { ok: true, section };
}

/** Type, version, and a Range(Fibonacci) of section ids: how many, and which of them is the European one, from 0. */
function readHeader(cursor: Cursor): { count: number; position: number | undefined } {
  if (cursor.read(6) !== HEADER_TYPE || cursor.read(6) !== HEADER_VERSION) cursor.fail('header_unknown');
  let count = 0;
  let position: number | undefined;
  let last = 0;
  for (let items = cursor.read(12); items > 0 && cursor.fault === undefined; items--) {
    const isRange = cursor.read(1) === 1;
    const first = last + readFibonacci(cursor);
    last = isRange ? first + readFibonacci(cursor) : first;
    if (first <= TCF_EU_SECTION && last >= TCF_EU_SECTION) position = count + TCF_EU_SECTION - first;
    count += last - first + 1;
  }
  if (!cursor.isPadding(MAX_PADDING)) cursor.fail('trailing_garbage');
  return { count, position };
}

/** A whole number from 1 on as a sum of Fibonacci numbers, the smallest first; two ones in a row end it. */
function readFibonacci(cursor: Cursor): number {
  let value = 0;
  let term = 1;
  let next = 2;
  let previous = 0;
  for (let bits = 0; bits < MAX_CODE_BITS; bits++) {
    const bit = cursor.read(1);
    if (bit === 1 && previous === 1) return value;
    if (bit === 1) value += term;
    [term, next] = [next, term + next];
    previous = bit;
  }
  cursor.fail('number_too_long');
  return 0;
}
