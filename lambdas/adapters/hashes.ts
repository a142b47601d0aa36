import { hash, randomBytes } from 'node:crypto';
import type { Hashes } from '../browser.ts';

/** SHA-256 works on blocks of 64 bytes; HMAC pads the key to one (RFC 2104). */
const BLOCK_BYTES = 64;

/** Texts up to this many bytes are hashed in a buffer that is kept; ids and cookies are far shorter. */
const SCRATCH_BYTES = 1024;

/** The padded keys, each at the head of a buffer that has room for what follows it; `upTo` are its first bytes by their number. */
type Pads = { inner: Buffer; upTo: Buffer[]; outer: Buffer };

/** Keys made ready once: reading base64url on every call costs more than the hash. */
const prepared = new Map<string, Pads>();

function padsOf(base64url: string): Pads {
  let pads = prepared.get(base64url);
  if (!pads) {
    const raw = Buffer.from(base64url, 'base64url');
    const key = raw.length > BLOCK_BYTES ? hash('sha256', raw, 'buffer') : raw;
    const padded = (pad: number, room: number) =>
      Buffer.concat([
        Buffer.from(Array.from({ length: BLOCK_BYTES }, (_, i) => (key[i] ?? 0) ^ pad)),
        Buffer.alloc(room),
      ]);
    pads = { inner: padded(0x36, SCRATCH_BYTES), upTo: [], outer: padded(0x5c, 32) };
    prepared.set(base64url, pads);
  }
  return pads;
}

/** HMAC-SHA-256, put together from two one-shot hashes as RFC 2104 defines it: `createHmac` costs twice as much. */
function hmac(text: string, key: string): string {
  const pads = padsOf(key);
  const { outer } = pads;
  const message = text.length * 3 > SCRATCH_BYTES ? longMessage(text, pads) : shortMessage(text, pads);
  // A digest as latin1 text and back is far cheaper than a Buffer of its own.
  outer.write(hash('sha256', message, 'binary'), BLOCK_BYTES, 'latin1');
  return hash('sha256', outer, 'base64url');
}

const longMessage = (text: string, { inner }: Pads): Buffer =>
  Buffer.concat([inner.subarray(0, BLOCK_BYTES), Buffer.from(text)]);

/** Writes into the kept buffer; the view of its first bytes is kept too, since most texts have one of a few lengths. */
function shortMessage(text: string, { inner, upTo }: Pads): Buffer {
  const end = BLOCK_BYTES + inner.write(text, BLOCK_BYTES, 'utf8');
  upTo[end] ??= inner.subarray(0, end);
  return upTo[end];
}

/** SHA-256 and HMAC-SHA-256 of UTF-8 texts, base64url. */
export const hashes: Hashes = { sha256: (text) => hash('sha256', text, 'base64url'), hmac };

/** 128 random bits, base64url. */
export const randomId = (): string => randomBytes(16).toString('base64url');
