import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { avroBlocks, isAvro } from '../../../local/erasure-proof/avro-file.ts';
import { isPuffin, puffinBlobs } from '../../../local/erasure-proof/puffin-file.ts';

const SECRET = Buffer.from('canary-5f1d7a60c2 and canary-5f1d7a60c2 again');

/** Avro's `long`: zigzag, then seven bits a byte. */
function long(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const text = (bytes: string | Buffer): Buffer => Buffer.concat([long(Buffer.byteLength(bytes)), Buffer.from(bytes)]);
const SYNC = Buffer.alloc(16, 7);

/** An object container file with each block twice; `sized` writes its header as a block that tells its size. */
function avro(codec: string | undefined, block: Buffer, sized = false): Buffer {
  const entries = [
    text('avro.schema'),
    text('"string"'),
    ...(codec === undefined ? [] : [text('avro.codec'), text(codec)]),
  ];
  const count = entries.length / 2;
  const map = Buffer.concat(entries);
  const header = sized ? [long(-count), long(map.length), map] : [long(count), map];
  const stored = Buffer.concat([long(1), text(block), SYNC]);
  return Buffer.concat([Buffer.from('Obj\x01'), ...header, long(0), SYNC, stored, stored]);
}

/** Snappy's form of a text without a repetition that it points back to: one literal of up to 60 bytes. */
const snappy = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([bytes.length, (bytes.length - 1) << 2]), bytes, Buffer.alloc(4)]);

describe('Avro', () => {
  it.each([
    ['no codec', avro(undefined, SECRET)],
    ['null', avro('null', SECRET)],
    ['a header that tells its size', avro('null', SECRET, true)],
    ['deflate', avro('deflate', deflateRawSync(SECRET))],
    ['zstandard', avro('zstandard', zstdCompressSync(SECRET))],
    ['snappy', avro('snappy', snappy(SECRET))],
  ])('shows what is in its blocks: %s', (_, file) => {
    expect(isAvro(file)).toBe(true);
    expect([...avroBlocks(file)].map(String)).toEqual([SECRET, SECRET].map(String));
  });

  it('throws for a codec that it does not know and for a file that is cut off', () => {
    expect(() => [...avroBlocks(avro('bzip2', SECRET))]).toThrow('Avro of codec bzip2');
    const file = avro('null', SECRET);
    for (const length of [5, 30, file.length - 20, file.length - 1])
      expect(() => [...avroBlocks(file.subarray(0, length))]).toThrow(/an Avro file/);
  });
});

describe('Puffin', () => {
  function puffin(blobs: readonly Buffer[], codec?: string, flags = 0): Buffer {
    let offset = 4;
    const told = blobs.map(({ length }) => {
      offset += length;
      return { offset: offset - length, length, ...(codec && { 'compression-codec': codec }) };
    });
    const footer = Buffer.from(JSON.stringify({ blobs: told }));
    const tail = Buffer.alloc(8);
    tail.writeInt32LE(footer.length);
    tail[4] = flags;
    const magic = Buffer.from('PFA1');
    return Buffer.concat([magic, ...blobs, magic, footer, tail, magic]);
  }

  it('shows what is in its blobs', () => {
    expect(isPuffin(puffin([]))).toBe(true);
    expect([...puffinBlobs(puffin([]))]).toEqual([]);
    expect([...puffinBlobs(puffin([SECRET, SECRET]))].map(String)).toEqual([SECRET, SECRET].map(String));
    expect([...puffinBlobs(puffin([zstdCompressSync(SECRET)], 'zstd'))].map(String)).toEqual([String(SECRET)]);
  });

  it('throws for what it cannot decompress', () => {
    expect(() => [...puffinBlobs(puffin([SECRET], 'lz4'))]).toThrow('Puffin of codec lz4');
    expect(() => [...puffinBlobs(puffin([SECRET], undefined, 1))]).toThrow('footer is compressed');
  });
});
