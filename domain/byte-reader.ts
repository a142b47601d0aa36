/** Reads what `ByteWriter` wrote, in the same order. Throws where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new Error('packed bytes end too early');
    return value;
  }

  varint(): number {
    let byte = this.byte();
    if (byte < 128) return byte;
    let value = byte & 127;
    let unit = 128;
    do {
      byte = this.byte();
      value += (byte & 127) * unit;
      unit *= 128;
    } while (byte > 127);
    return value;
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bigint(): bigint {
    let value = 0n;
    let shift = 0n;
    let byte: number;
    do {
      byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
    } while (byte > 127);
    return value & 1n ? -(value + 1n) / 2n : value / 2n;
  }

  uint48(): number {
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at += 6;
    const high = bytes[at + 5];
    if (high === undefined) throw new Error('packed bytes end too early');
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    return low + (bytes[at + 3] as number) * 2 ** 24 + ((bytes[at + 4] as number) | (high << 8)) * 2 ** 32;
  }

  utf8(): string {
    const end = this.varint() + this.#at;
    if (end > this.#bytes.length) throw new Error('packed bytes end too early');
    const text = DECODER.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text;
  }
}

const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });
