const FIRST_CAPACITY = 4096;

/** Appends numbers and texts to one growing buffer, least significant byte first. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 on, seven bits to the byte (LEB128). Exact for every double that is a whole number. */
  varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    const bytes = this.#bytes;
    let rest = value;
    while (rest >= 2 ** 31) {
      const next = Math.floor(rest / 128);
      bytes[this.#length++] = (rest - next * 128) | 128;
      rest = next;
    }
    while (rest > 127) {
      bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[this.#length++] = rest;
  }

  /** A whole number of either sign: zigzag, then `varint`. */
  signed(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** A whole number of any size and either sign. */
  bigint(value: bigint): void {
    let rest = value < 0n ? -2n * value - 1n : 2n * value;
    while (rest > 127n) {
      this.byte(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  /** 48 bits. */
  uint48(value: number): void {
    this.#reserve(6);
    const bytes = this.#bytes;
    const high = Math.floor(value / 2 ** 32);
    bytes[this.#length++] = value;
    bytes[this.#length++] = value >>> 8;
    bytes[this.#length++] = value >>> 16;
    bytes[this.#length++] = value >>> 24;
    bytes[this.#length++] = high;
    bytes[this.#length++] = high >>> 8;
  }

  /** The length in bytes, then the text. */
  utf8(text: string): void {
    const bytes = ENCODER.encode(text);
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.#copyInto(new Uint8Array(this.#length), 0);
  }

  /** A copy of what was written, with what another one has written behind it. */
  takeWith(behind: ByteWriter): Uint8Array {
    const bytes = new Uint8Array(this.#length + behind.#length);
    behind.#copyInto(bytes, this.#length);
    return this.#copyInto(bytes, 0);
  }

  #copyInto(bytes: Uint8Array, at: number): Uint8Array {
    bytes.set(this.#bytes.subarray(0, this.#length), at);
    return bytes;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** A double's largest power of two, seven bits to the byte. */
const MAX_VARINT_BYTES = 147;

const ENCODER = new TextEncoder();
