import { describe, expect, it } from '@jest/globals';
import { cutHash, shortHash } from '../../domain/short-hash.ts';
import { eventId } from './sample-events.ts';

describe('shortHash', () => {
  it('is a whole number of 48 bits and the same for the same text', () => {
    for (const text of ['', 'a', 'SKU-00001', 'ä€😀', 'x'.repeat(1000)]) {
      const hash = shortHash(text);
      expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 48).toBe(true);
      expect(shortHash(`${text}`)).toBe(hash);
    }
  });

  it('tells a hundred thousand product ids apart: 2e-5 collisions are expected', () => {
    const hashes = new Set(Array.from({ length: 100_000 }, (_, n) => shortHash(`SKU-${n}`)));
    expect(hashes.size).toBe(100_000);
  });

  it('sets every one of its bits for about half of the texts', () => {
    const texts = 20_000;
    const set = new Array<number>(48).fill(0);
    for (let n = 0; n < texts; n++) {
      const hash = shortHash(`p${n}`);
      for (let bit = 0; bit < 48; bit++) if (Math.floor(hash / 2 ** bit) % 2 === 1) set[bit] = (set[bit] as number) + 1;
    }
    // Six standard deviations of a fair coin.
    for (const ones of set) expect(Math.abs(ones - texts / 2)).toBeLessThan(6 * Math.sqrt(texts / 4));
  });
});

describe('cutHash', () => {
  it('is the first 48 bits of a base64url hash', () => {
    for (let n = 0; n < 100; n++) {
      const id = eventId(n);
      expect(cutHash(id)).toBe(Buffer.from(id, 'base64url').readUIntBE(0, 6));
    }
  });

  it('hashes what is no base64url of 48 bits or more', () => {
    expect(cutHash('short')).toBe(shortHash('short'));
    expect(cutHash('has space in it')).toBe(shortHash('has space in it'));
  });
});
