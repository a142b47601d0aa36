import { createHash } from 'node:crypto';

/** A text that must not be found, under what it is called in the report, in every spelling in which a store may hold it. */
export type Needle = { name: string; spellings: readonly Buffer[] };

/** A part of base64 this short could be found by accident. */
const SHORTEST = 8;

/** The needle as it stands, in UTF-16, in hexadecimal, and in base64 wherever it begins within a group of three bytes. */
export function needleOf(name: string, text: string): Needle {
  const bytes = Buffer.from(text);
  const hex = bytes.toString('hex');
  const encoded = [0, 1, 2].flatMap((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // What the neighbours' bits are part of differs from place to place, so it is cut off at both ends.
    const part = whole.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
    return part.length < SHORTEST ? [] : [part, part.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const texts = new Set([hex, hex.toUpperCase(), encodeURIComponent(text), ...encoded]);
  texts.delete(text);
  return {
    name,
    spellings: [bytes, Buffer.from(text, 'utf16le'), ...[...texts].map((spelling) => Buffer.from(spelling))],
  };
}

/** An e-mail address and every hash of it that a platform is known to take. */
export function emailNeedles(name: string, email: string): Needle[] {
  const hashed = ['md5', 'sha1', 'sha256'].flatMap((algorithm) => {
    const digest = createHash(algorithm).update(email).digest();
    return [
      needleOf(`${name} ${algorithm}`, digest.toString('hex')),
      needleOf(`${name} ${algorithm} base64`, digest.toString('base64url')),
      { name: `${name} ${algorithm} bytes`, spellings: [digest] },
    ];
  });
  return [needleOf(name, email), ...hashed];
}

/** How often each needle is in some bytes, by its name; those that are not are left out. */
export function countHits(bytes: Buffer, needles: readonly Needle[]): Map<string, number> {
  const hits = new Map<string, number>();
  for (const { name, spellings } of needles) {
    let count = 0;
    for (const spelling of spellings)
      for (let at = bytes.indexOf(spelling); at !== -1; at = bytes.indexOf(spelling, at + 1)) count += 1;
    if (count > 0) hits.set(name, count);
  }
  return hits;
}
