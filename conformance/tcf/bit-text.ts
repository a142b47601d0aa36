const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const CHARACTER_BITS = 6;

/** Writes numbers of a few bits as base64url, most significant bit first: what `BitCursor` reads. */
export class BitText {
  #bits = '';

  /** A whole number from 0 on, which has to fit. */
  write(value: number, width: number): this {
    const bits = value.toString(2).padStart(width, '0');
    if (bits.length > width) throw new Error(`${value} does not fit ${width} bits`);
    this.#bits += width === 0 ? '' : bits;
    return this;
  }

  /** Bits as they stand, `0` and `1`. */
  bits(bits: string): this {
    this.#bits += bits;
    return this;
  }

  /** The text, filled up with zeros to whole characters after `padding` further ones. */
  text(padding = 0): string {
    const bits = this.#bits + '0'.repeat(padding);
    const filled = bits.padEnd(Math.ceil(bits.length / CHARACTER_BITS) * CHARACTER_BITS, '0');
    return filled.replace(/.{6}/g, (six) => DIGITS.charAt(Number.parseInt(six, 2)));
  }
}
