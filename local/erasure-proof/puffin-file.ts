import { zstdDecompressSync } from 'node:zlib';

/**
 * The statistics files that stand beside an Iceberg table. Source: Apache Iceberg, "Puffin file format".
 */

const MAGIC = 'PFA1';
/** Behind the footer's text: its length, flags, and the magic again. */
const TAIL_BYTES = 12;
const FOOTER_IS_COMPRESSED = 1;

type Blob = { offset: number; length: number; 'compression-codec'?: string };

export const isPuffin = (file: Buffer): boolean =>
  [0, file.length - MAGIC.length].every((at) => file.subarray(at, at + MAGIC.length).toString('latin1') === MAGIC);

/** The blobs of a file, decompressed. Throws for a compression that is not known. */
export function* puffinBlobs(file: Buffer): Generator<Buffer> {
  const tail = file.subarray(-TAIL_BYTES);
  if (((tail[4] ?? 0) & FOOTER_IS_COMPRESSED) !== 0) throw new Error('a Puffin footer is compressed');
  const end = file.length - TAIL_BYTES;
  const footer = file.subarray(end - tail.readInt32LE(0), end).toString('utf8');
  for (const blob of (JSON.parse(footer) as { blobs: readonly Blob[] }).blobs) {
    const stored = file.subarray(blob.offset, blob.offset + blob.length);
    const codec = blob['compression-codec'];
    if (codec === undefined) yield stored;
    else if (codec === 'zstd') yield zstdDecompressSync(stored);
    else throw new Error(`Puffin of codec ${codec}`);
  }
}
