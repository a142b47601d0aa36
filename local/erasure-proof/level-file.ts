import { snappyUncompress } from 'hyparquet';

/**
 * The files of a LevelDB folder, as bytes in which a text can be found: tables hold compressed blocks whose keys share their
 * beginnings, logs cut their records at the ends of blocks. What was deleted or overwritten is in them like all else.
 * Source: "LevelDB implementation notes", table_format.md and log_format.md of the LevelDB repository.
 */

/** "leveldb" spelt as a number, at the end of every table. */
const TABLE_MAGIC = Buffer.from('57fb808b247547db', 'hex');
const FOOTER_BYTES = 48;

/** After each block of a table: how it is compressed, and a checksum. */
const BLOCK_TRAILER_BYTES = 5;

/** A log is made of blocks of this size, and each piece of a record has a header in front: checksum, length, type. */
const LOG_BLOCK_BYTES = 32_768;
const LOG_HEADER_BYTES = 7;
const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4];

/** Every key and value of a table, deleted and overwritten ones too. Throws for what is no table. */
export function* tableEntries(file: Buffer): Generator<Buffer> {
  if (!file.subarray(-TABLE_MAGIC.length).equals(TABLE_MAGIC)) throw new Error('no LevelDB table: its end is another');
  const footer = new Reader(file.subarray(-FOOTER_BYTES));
  footer.handle();
  const index = footer.handle();
  for (const { value } of entriesOf(blockAt(file, index)))
    for (const entry of entriesOf(blockAt(file, new Reader(value).handle())))
      yield Buffer.concat([entry.key, Buffer.from(' '), entry.value]);
}

/** The records of a log, whole. A last record that a kill has cut off counts as far as it goes. */
export function* logRecords(file: Buffer): Generator<Buffer> {
  let pieces: Buffer[] = [];
  let at = 0;
  while (at + LOG_HEADER_BYTES <= file.length) {
    const left = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES);
    if (left < LOG_HEADER_BYTES) {
      at += left;
      continue;
    }
    const length = file.readUInt16LE(at + 4);
    const type = file[at + 6];
    const piece = file.subarray(at + LOG_HEADER_BYTES, at + LOG_HEADER_BYTES + length);
    at += LOG_HEADER_BYTES + length;
    if (type === 0 && length === 0) {
      at += LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES);
      continue;
    }
    if (type !== FULL && type !== FIRST && type !== MIDDLE && type !== LAST)
      throw new Error(`no LevelDB log: a record is of type ${type}`);
    pieces = type === FULL || type === FIRST ? [piece] : [...pieces, piece];
    if (type === FULL || type === LAST) {
      yield Buffer.concat(pieces);
      pieces = [];
    }
  }
  if (pieces.length > 0) yield Buffer.concat(pieces);
}

type Handle = { offset: number; size: number };

function blockAt(file: Buffer, { offset, size }: Handle): Buffer {
  const stored = file.subarray(offset, offset + size);
  const compression = file[offset + size];
  if (file.length < offset + size + BLOCK_TRAILER_BYTES) throw new Error('a LevelDB block is cut off');
  if (compression === 0) return stored;
  if (compression !== 1) throw new Error(`a LevelDB block is compressed in way ${compression}`);
  const output = Buffer.alloc(new Reader(stored).varint());
  snappyUncompress(stored, output);
  return output;
}

function* entriesOf(block: Buffer): Generator<{ key: Buffer; value: Buffer }> {
  const restarts = block.readUInt32LE(block.length - 4);
  const reader = new Reader(block.subarray(0, block.length - 4 - 4 * restarts));
  let key = Buffer.alloc(0);
  while (!reader.done) {
    const [shared, own, length] = [reader.varint(), reader.varint(), reader.varint()];
    key = Buffer.concat([key.subarray(0, shared), reader.bytes(own)]);
    yield { key, value: reader.bytes(length) };
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('a LevelDB block ends in the middle of a number');
      value += (byte & 0x7f) * factor;
      if (byte < 128) return value;
    }
  }

  handle(): Handle {
    return { offset: this.varint(), size: this.varint() };
  }

  bytes(length: number): Buffer {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
