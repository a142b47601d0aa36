import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClassicLevel } from 'classic-level';
import { type CompressionCodec, snappyUncompress } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { emailNeedles, needleOf } from '../../../local/erasure-proof/needles.ts';
import { scan } from '../../../local/erasure-proof/scan.ts';
import { compactStores } from '../../../local/rights/compact-stores.ts';

const SECRET = 'canary-5f1d7a60c2';
const NEEDLES = [needleOf('secret', SECRET)];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paula-scan-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: string | Uint8Array): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

const hits = async (needles = NEEDLES): Promise<Record<string, number>> =>
  Object.fromEntries(
    [...(await scan(folder, needles))].map(([store, found]) => [
      store,
      [...found.hits.values()].reduce((a, b) => a + b, 0),
    ]),
  );

const parquet = (codec: CompressionCodec, compress?: (bytes: Uint8Array) => Uint8Array): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      codec,
      ...(compress && { compressors: { [codec]: compress } }),
      columnData: [{ name: 'id', data: Array.from({ length: 200 }, (_, i) => `${SECRET}-${i}-${'x'.repeat(50)}`) }],
    }),
  );

describe('the search finds a text', () => {
  it.each([
    ['as it stands', SECRET],
    ['in the middle of base64, at any place', Buffer.from(`a${SECRET}b`).toString('base64')],
    ['in base64 two further', Buffer.from(`abc4${SECRET}`).toString('base64url')],
    ['in hexadecimal', Buffer.from(SECRET).toString('hex').toUpperCase()],
    ['in UTF-16', Buffer.from(SECRET, 'utf16le').toString('latin1')],
  ])('%s', async (_, text) => {
    put('country.bin', Buffer.from(text, 'latin1'));
    expect((await hits())['file country.bin']).toBeGreaterThan(0);
  });

  it('in the name of a file, in gzip within gzip, and in every codec of Parquet', async () => {
    put(`s3/buckets/b/objects/unload/${SECRET}.data`, '');
    put('s3/buckets/b/objects/exports/a.gz.data', gzipSync(gzipSync(SECRET)));
    const zstd = (bytes: Uint8Array) => zstdCompressSync(bytes);
    put('s3/buckets/b/objects/landing/a.data', parquet('ZSTD', zstd));
    put('s3/buckets/b/objects/landing-links/a.data', parquet('SNAPPY'));
    put(
      's3/buckets/b/objects/landing-consents/a.data',
      parquet('GZIP', (bytes) => gzipSync(bytes)),
    );
    put(
      's3/buckets/b/objects/rejected/a.data',
      parquet('BROTLI', (bytes) => brotliCompressSync(bytes)),
    );
    const found = await hits();
    for (const store of ['unload', 'exports', 'landing', 'landing-links', 'landing-consents', 'rejected'])
      expect([store, (found[`s3 ${store}`] ?? 0) > 0]).toEqual([store, true]);
  });

  it('by the hashes of an e-mail address', async () => {
    const email = 'someone@mail.example';
    put('a.txt', createHash('sha256').update(email).digest('hex'));
    expect(await hits(emailNeedles('e-mail', email))).toEqual({ 'file a.txt': 1 });
  });
});

describe('embedded stores', () => {
  const open = () => new ClassicLevel(join(folder, 'dynamo'), { keyEncoding: 'utf8', valueEncoding: 'utf8' });

  it('of LevelDB show what was overwritten and deleted, compressed tables and logs alike, until they are written anew', async () => {
    const db = open();
    await db.open();
    await db.put('deleted', JSON.stringify({ pk: SECRET, filler: 'x'.repeat(40_000) }));
    await db.put(`item~${SECRET}`, 'x'.repeat(100));
    await db.put('kept', 'other');
    await db.del('deleted');
    await db.close();
    const inLog = (await hits()).dynamo;
    expect(inLog).toBeGreaterThan(1);
    const again = open();
    await again.open();
    await again.del(`item~${SECRET}`);
    await again.close();
    // Opening it has moved the log into a table, whose blocks are compressed.
    expect((await hits()).dynamo).toBeGreaterThan(1);
    await compactStores(folder, Date.now());
    expect((await hits()).dynamo).toBe(0);
    const after = open();
    await after.open();
    expect(await after.get('kept')).toBe('other');
    await after.close();
  });

  it('of DuckDB show rows, and lose deleted bytes when they are written anew, views and macros kept', async () => {
    mkdirSync(join(folder, 'lake'));
    const file = join(folder, 'lake', 'lake.duckdb');
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    for (const sql of [
      'CREATE MACRO twice(x) AS x * 2',
      'CREATE TABLE t (id VARCHAR, n INTEGER)',
      `INSERT INTO t SELECT '${SECRET}-' || range, range FROM range(5000)`,
      'CREATE VIEW v AS SELECT twice(n) AS n FROM t',
      'CHECKPOINT',
    ])
      await connection.run(sql);
    connection.closeSync();
    instance.closeSync();
    expect((await hits()).lake).toBeGreaterThan(1000);
    const changed = await DuckDBInstance.create(file);
    const changing = await changed.connect();
    await changing.run('DELETE FROM t WHERE n > 0');
    await changing.run("UPDATE t SET id = 'other'");
    changing.closeSync();
    changed.closeSync();
    await compactStores(folder, Date.now());
    expect((await hits()).lake).toBe(0);
    const read = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
    const rows = await (await read.connect()).runAndReadAll('SELECT n FROM v');
    expect(rows.getRowObjectsJson()).toEqual([{ n: 0 }]);
    read.closeSync();
  });

  it('of the stream lose what is older than its retention', async () => {
    const db = new ClassicLevel(join(folder, 'kinesis'), { keyEncoding: 'utf8', valueEncoding: 'utf8' });
    await db.open();
    const now = Date.now();
    const record = (hours: number) =>
      JSON.stringify({
        Data: Buffer.from(SECRET).toString('base64'),
        ApproximateArrivalTimestamp: now / 1000 - hours * 3600,
      });
    await db.put('!stream-events!old', record(25));
    await db.put('!stream-events!young', record(23));
    await db.put('!meta!events', JSON.stringify({ StreamName: 'events' }));
    await db.close();
    await compactStores(folder, now);
    const after = new ClassicLevel(join(folder, 'kinesis'), { keyEncoding: 'utf8', valueEncoding: 'utf8' });
    await after.open();
    expect(await after.keys().all()).toEqual(['!meta!events', '!stream-events!young']);
    await after.close();
    expect((await hits()).kinesis).toBeGreaterThan(0);
  });
});

describe('the search fails', () => {
  it('for a file that it cannot decode', async () => {
    put('s3/buckets/b/objects/exports/a.data', randomBytes(64));
    await expect(scan(folder, NEEDLES)).rejects.toThrow('a file of a form that is not known');
  });

  it('for Parquet whose codec it does not know, a table that is cut off, and a log that is none', async () => {
    put(
      'a.parquet',
      parquet('LZ4_RAW', (bytes) => bytes),
    );
    await expect(scan(folder, NEEDLES)).rejects.toThrow('LZ4');
    rmSync(join(folder, 'a.parquet'));
    put('dynamo/000005.ldb', 'no table');
    await expect(scan(folder, NEEDLES)).rejects.toThrow('no LevelDB table');
    rmSync(join(folder, 'dynamo/000005.ldb'));
    put('dynamo/000005.log', Buffer.from('00000000050009aaaaaaaaaa', 'hex'));
    await expect(scan(folder, NEEDLES)).rejects.toThrow('no LevelDB log');
  });
});

it('the decompressor of LevelDB’s blocks is Snappy’s', () => {
  const output = Buffer.alloc(3);
  snappyUncompress(Buffer.from('0308616263', 'hex'), output);
  expect(output.toString()).toBe('abc');
});
