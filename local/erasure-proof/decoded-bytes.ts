import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { type CompressionCodec, type Compressors, parquetMetadata, parquetReadObjects } from 'hyparquet';
import { avroBlocks, isAvro } from './avro-file.ts';
import { logRecords, tableEntries } from './level-file.ts';
import { isPuffin, puffinBlobs } from './puffin-file.ts';

/** The codecs of Parquet beside Snappy, which the reader knows itself. */
const COMPRESSORS: Compressors = {
  ZSTD: (input) => new Uint8Array(zstdDecompressSync(input)),
  GZIP: (input) => new Uint8Array(gunzipSync(input)),
  BROTLI: (input) => new Uint8Array(brotliDecompressSync(input)),
};
const READABLE: ReadonlySet<CompressionCodec> = new Set(['UNCOMPRESSED', 'SNAPPY', 'ZSTD', 'GZIP', 'BROTLI']);

/**
 * Everything in which a text of a file can be found: its bytes as they are, and what they decode to, whatever is inside of
 * what. Throws for a file of a form that is not known: what cannot be read cannot be proven clean.
 */
export async function* decodedBytes(path: string): AsyncGenerator<Buffer> {
  const file = readFileSync(path);
  yield file;
  const level = levelPart(path);
  if (level) {
    for (const piece of level(file)) yield piece;
  } else if (isDuckDb(file)) yield* duckDbRows(path);
  else yield* inner(file, path);
}

async function* inner(file: Buffer, path: string): AsyncGenerator<Buffer> {
  if (file.length === 0) return;
  if (file.subarray(0, 4).toString('latin1') === 'PAR1') yield* parquetRows(file);
  else if (isAvro(file)) yield* avroBlocks(file);
  else if (isPuffin(file)) yield* puffinBlobs(file);
  else if (file[0] === 0x1f && file[1] === 0x8b) {
    const unzipped = gunzipSync(file);
    yield unzipped;
    yield* inner(unzipped, path);
  } else if (!isText(file) && !isCountryTable(path)) throw new Error(`${path}: a file of a form that is not known`);
}

function isText(file: Buffer): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(file).includes('\0');
  } catch {
    return false;
  }
}

/** Packed public data, the same on every machine: two-letter codes and numbers. Its bytes are searched as they are. */
const isCountryTable = (path: string): boolean => basename(path) === 'country.bin';

/** How a file of a LevelDB folder is read, by its name; undefined for a file of any other folder. */
function levelPart(path: string): ((file: Buffer) => Iterable<Buffer>) | undefined {
  const name = basename(path);
  if (/\/(dynamo|kinesis)\/[^/]+$/.test(path)) {
    if (/^\d+\.(ldb|sst)$/.test(name)) return tableEntries;
    if (/^(\d+\.log|MANIFEST-\d+)$/.test(name)) return logRecords;
  }
  return undefined;
}

const isDuckDb = (file: Buffer): boolean => file.subarray(8, 12).toString('latin1') === 'DUCK';

/** Its own compressions hide texts from a search in the bytes, so the rows are read. */
async function* duckDbRows(path: string): AsyncGenerator<Buffer> {
  const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  try {
    const tables = await connection.runAndReadAll('SELECT table_name FROM duckdb_tables() WHERE NOT internal');
    for (const { table_name } of tables.getRowObjectsJson()) {
      const rows = await connection.runAndReadAll(`SELECT * FROM "${table_name}"`);
      yield Buffer.from(JSON.stringify(rows.getRowObjectsJson()));
    }
    const sql = await connection.runAndReadAll('SELECT sql FROM duckdb_views() WHERE NOT internal');
    yield Buffer.from(JSON.stringify(sql.getRowObjectsJson()));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function* parquetRows(file: Buffer): AsyncGenerator<Buffer> {
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
  const metadata = parquetMetadata(buffer);
  for (const { columns } of metadata.row_groups)
    for (const { meta_data } of columns)
      if (meta_data && !READABLE.has(meta_data.codec)) throw new Error(`Parquet of codec ${meta_data.codec}`);
  const rows = await parquetReadObjects({ file: buffer, metadata, compressors: COMPRESSORS });
  yield Buffer.from(JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
}
