import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { snappyUncompress } from 'hyparquet';

/**
 * The object container files of Avro, in which Iceberg keeps its manifests: with the lowest and highest value of each column
 * of a data file, cut to 16 characters. Source: Apache Avro 1.12 specification, "Object Container Files".
 */

const MAGIC = 'Obj\x01';
const SYNC_BYTES = 16;
/** Snappy's blocks end with a checksum. */
const CHECKSUM_BYTES = 4;

export const isAvro = (file: Buffer): boolean => file.subarray(0, MAGIC.length).toString('latin1') === MAGIC;

/** The blocks of a file, decompressed. Throws where a block is cut off or of a codec that is not known. */
export function* avroBlocks(file: Buffer): Generator<Buffer> {
  let at = MAGIC.length;

  /** Avro's `long`: seven bits a byte from the lowest on, its sign in the lowest of all. */
  const long = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = file[at++];
      if (byte === undefined) throw new Error('an Avro file ends in the middle of a number');
      value += (byte & 0x7f) * factor;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  };
  const bytes = (length: number): Buffer => {
    if (length < 0 || at + length > file.length) throw new Error('an Avro file is cut off');
    at += length;
    return file.subarray(at - length, at);
  };

  let codec = 'null';
  for (let count = long(); count !== 0; count = long()) {
    // A negative count is followed by the size of the block.
    if (count < 0) long();
    for (let i = Math.abs(count); i > 0; i--) {
      const name = bytes(long()).toString();
      const value = bytes(long()).toString();
      if (name === 'avro.codec') codec = value;
    }
  }
  bytes(SYNC_BYTES);
  while (at < file.length) {
    long();
    yield decompressed(bytes(long()), codec);
    bytes(SYNC_BYTES);
  }
}

function decompressed(block: Buffer, codec: string): Buffer {
  switch (codec) {
    case 'null':
      return block;
    case 'deflate':
      return inflateRawSync(block);
    case 'zstandard':
      return zstdDecompressSync(block);
    case 'snappy': {
      const stored = block.subarray(0, -CHECKSUM_BYTES);
      const output = Buffer.alloc(snappyLength(stored));
      snappyUncompress(stored, output);
      return output;
    }
    default:
      throw new Error(`Avro of codec ${codec}`);
  }
}

/** Snappy's own beginning: how long the text is, seven bits a byte from the lowest on. */
function snappyLength(stored: Buffer): number {
  let length = 0;
  for (const [i, byte] of stored.entries()) {
    length += (byte & 0x7f) * 128 ** i;
    if (byte < 128) return length;
  }
  throw new Error('a Snappy block has no length');
}
