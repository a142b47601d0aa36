import { createHash } from 'node:crypto';
import { type Dirent, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Server } from 'node:net';
import { join } from 'node:path';
import { startFauxqs } from 'fauxqs';
import * as z from 'zod';
import { type Engine, LOOPBACK } from './loopback.ts';

const DATA = '.data';
const META = '.meta.json';

/** What fauxqs writes beside an object's bytes, as far as it says whether they are whole. */
const ObjectMeta = z.looseObject({ key: z.string(), contentLength: z.number(), etag: z.string() });

/**
 * Starts S3 (fauxqs) on a folder and makes the bucket. Objects are files `buckets/BUCKET/objects/KEY.data` beside their
 * `.meta.json`. Returns how many half-written objects a killed predecessor had left; they are gone.
 */
export async function startS3(
  folder: string,
  region: string,
  bucket: string,
): Promise<Engine & { objectsFolder: string; discarded: number }> {
  mkdirSync(folder, { recursive: true });
  const discarded = discardHalfWritten(folder);
  const server = await onLoopback(() =>
    startFauxqs({ port: 0, host: LOOPBACK, logger: false, defaultRegion: region, s3StorageDir: folder }),
  );
  if (new URL(server.address).hostname !== LOOPBACK) {
    await server.stop();
    throw new Error(`S3 (fauxqs) listens on ${server.address} and not on ${LOOPBACK} alone`);
  }
  if (!existsSync(join(folder, 'buckets', bucket, '.bucket.json'))) server.createBucket(bucket);
  return {
    port: server.port,
    endpoint: `http://${LOOPBACK}:${server.port}`,
    objectsFolder: join(folder, 'buckets', bucket, 'objects'),
    discarded,
    stop: () => server.stop(),
  };
}

/** fauxqs listens on every interface and has no option for it: while it starts, any listening is on the loopback. */
async function onLoopback<T>(start: () => Promise<T>): Promise<T> {
  const { listen } = Server.prototype;
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const [first, ...rest] = args;
    const moved = typeof first === 'object' && first !== null && 'port' in first ? { ...first, host: LOOPBACK } : first;
    return Reflect.apply(listen, this, [moved, ...rest]);
  } as typeof listen;
  try {
    return await start();
  } finally {
    Server.prototype.listen = listen;
  }
}

/**
 * Removes what a kill has left half written under a fauxqs folder and returns how many objects that were. fauxqs writes
 * the bytes, then their description, neither by way of a rename: so one may lack the other, the description may be cut
 * off (fauxqs would not start), and the bytes may be a beginning or newer than their description.
 */
export function discardHalfWritten(folder: string): number {
  // Uploads in parts that were under way; nobody is left to complete them.
  rmSync(join(folder, '_multipart'), { recursive: true, force: true });
  let discarded = 0;
  for (const bucket of entries(join(folder, 'buckets'))) {
    const bucketFolder = join(folder, 'buckets', bucket.name);
    const description = join(bucketFolder, '.bucket.json');
    // Without its description the bucket was being made: no object has been put into it.
    if (!isJson(description)) rmSync(bucketFolder, { recursive: true });
    else discarded += sweep(join(bucketFolder, 'objects'));
  }
  return discarded;
}

function sweep(folder: string): number {
  let discarded = 0;
  const stems = new Set<string>();
  for (const entry of entries(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) discarded += sweep(path);
    else if (entry.name.endsWith(META)) stems.add(path.slice(0, -META.length));
    else if (entry.name.endsWith(DATA)) stems.add(path.slice(0, -DATA.length));
    else rmSync(path);
  }
  for (const stem of stems) {
    if (isWhole(stem)) continue;
    rmSync(stem + DATA, { force: true });
    rmSync(stem + META, { force: true });
    discarded++;
  }
  return discarded;
}

function isWhole(stem: string): boolean {
  const data = statSync(stem + DATA, { throwIfNoEntry: false });
  const meta = statSync(stem + META, { throwIfNoEntry: false });
  if (!data || !meta) return false;
  const parsed = ObjectMeta.safeParse(parseJson(stem + META));
  if (!parsed.success || parsed.data.contentLength !== data.size) return false;
  // The description comes second. Bytes that are younger than it were being overwritten, perhaps with as many others.
  if (data.mtimeMs <= meta.mtimeMs) return true;
  return (
    parsed.data.etag ===
    `"${createHash('md5')
      .update(readFileSync(stem + DATA))
      .digest('hex')}"`
  );
}

function entries(folder: string): Dirent[] {
  return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
}

const isJson = (path: string): boolean => parseJson(path) !== undefined;

/** Returns the file's content, or undefined where it is absent or cut off. */
function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
