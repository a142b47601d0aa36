/**
 * A 48-bit hash of a text as a whole number, for membership by bounded lists (products bought, order ids, event ids).
 * Two independent 32-bit multiplicative lanes with an avalanche at the end; no protection against a sender who looks for
 * collisions on purpose, who could only spoil its own profile.
 *
 * False positives: one probe of a list of n hashes is wrong with n / 2^48, that is 4e-12 for 1,064 products and 1e-13 for
 * a ring of 32.
 */
export function shortHash(text: string): number {
  let a = 0x9e3779b9;
  let b = 0x7f4a7c15;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) + i;
  }
  a = avalanche(a ^ text.length);
  b = avalanche(b ^ a);
  return (a >>> 0) + (b & 0xffff) * 2 ** 32;
}

function avalanche(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}

/** Base64url digits that make 48 bits. */
const DIGITS = 8;

/** By character code. */
const VALUE_OF_DIGIT: readonly (number | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const value = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(String.fromCharCode(code));
  return value === -1 ? undefined : value;
});

/** The first 48 bits of a text that is a hash already (base64url, as event ids are); any other text is hashed. */
export function cutHash(hash: string): number {
  if (hash.length < DIGITS) return shortHash(hash);
  let bits = 0;
  for (let i = 0; i < DIGITS; i++) {
    const value = VALUE_OF_DIGIT[hash.charCodeAt(i)];
    if (value === undefined) return shortHash(hash);
    bits = bits * 64 + value;
  }
  return bits;
}
