import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { discardHalfWritten, startS3 } from '../../local/s3-server.ts';

const REGION = 'eu-central-1';
const BUCKET = 'paula-lake';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paula-s3-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function running<T>(use: (client: S3Client, objects: string, discarded: number) => Promise<T>): Promise<T> {
  const engine = await startS3(folder, REGION, BUCKET);
  const client = new S3Client({
    region: REGION,
    endpoint: engine.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  try {
    return await use(client, engine.objectsFolder, engine.discarded);
  } finally {
    client.destroy();
    await engine.stop();
  }
}

const put = (client: S3Client, Key: string, Body: string) =>
  client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
const keys = async (client: S3Client): Promise<(string | undefined)[]> =>
  ((await client.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents ?? []).map(({ Key }) => Key);

it('keeps objects over a restart', async () => {
  await running((client) => put(client, 'landing/dt=2026-11-24/a.parquet', 'bytes'));
  await running(async (client, _objects, discarded) => {
    expect(discarded).toBe(0);
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket: BUCKET, Key: 'landing/dt=2026-11-24/a.parquet' }),
    );
    expect(await Body?.transformToString()).toBe('bytes');
  });
});

it('listens on the loopback alone', async () => {
  const engine = await startS3(folder, REGION, BUCKET);
  try {
    expect((await fetch(`${engine.endpoint}/health`)).status).toBe(200);
    const others = Object.values(networkInterfaces()).flatMap((all = []) =>
      all.filter(({ family, internal }) => family === 'IPv4' && !internal),
    );
    for (const { address } of others) await expect(fetch(`http://${address}:${engine.port}/health`)).rejects.toThrow();
  } finally {
    await engine.stop();
  }
});

it('discards what a kill has left half written, keeps the rest, and starts', async () => {
  const objects = await running(async (client, path) => {
    for (const name of ['whole', 'no-meta', 'no-data', 'cut-meta', 'cut-data', 'overwritten', 'rewritten'])
      await put(client, `a/${name}`, `the bytes of ${name}`);
    return path;
  });
  const data = (name: string) => join(objects, 'a', `${name}.data`);
  const meta = (name: string) => join(objects, 'a', `${name}.meta.json`);
  const later = new Date(Date.now() + 60_000);
  rmSync(meta('no-meta'));
  rmSync(data('no-data'));
  truncateSync(meta('cut-meta'), 20);
  truncateSync(data('cut-data'), 5);
  // The same number of other bytes, whose description has not been written any more.
  writeFileSync(data('overwritten'), readFileSync(data('overwritten')).reverse());
  utimesSync(data('overwritten'), later, later);
  // The same bytes again, as a retry writes them.
  utimesSync(data('rewritten'), later, later);

  await running(async (client, _objects, discarded) => {
    expect(discarded).toBe(5);
    expect(await keys(client)).toEqual(['a/rewritten', 'a/whole']);
    for (const name of ['no-meta', 'no-data', 'cut-meta', 'cut-data', 'overwritten'])
      expect([existsSync(data(name)), existsSync(meta(name))]).toEqual([false, false]);
  });
});

it('makes the bucket again where its description was cut off', async () => {
  await running(async () => undefined);
  truncateSync(join(folder, 'buckets', BUCKET, '.bucket.json'), 3);
  await running(async (client) => {
    await put(client, 'b', 'x');
    expect(await keys(client)).toEqual(['b']);
  });
});

it('has nothing to discard in a new folder', () => expect(discardHalfWritten(folder)).toBe(0));
