import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as pause } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';

/** A dropped connection is taken up again this often: a file of 800 MB over a poor line breaks off now and then. */
const ATTEMPTS = 5;
/** Before the next attempt; a server that is busy gets a moment. */
const PAUSE_MS = 2000;
/** Between two lines of the progress bar where the output is a file. */
const LINE_EVERY_MS = 5000;
const MEGABYTE = 1_000_000;

export type Download = {
  url: string;
  /** Where the file ends up; `<file>.part` holds what has come so far. */
  file: string;
  bytes: number;
  /** Lower-case hexadecimal. */
  sha256: string;
};

/**
 * Fetches a file, going on where an earlier attempt stopped, with a progress bar. The file has its name only once its
 * checksum is right; one that came whole and is wrong is thrown away. Throws when the last attempt fails, and keeps what
 * has come.
 */
export async function download(wanted: Download, pauseMs = PAUSE_MS): Promise<void> {
  const part = `${wanted.file}.part`;
  for (let attempt = 1; sizeOf(part) < wanted.bytes; attempt++) {
    try {
      await fetchRest(wanted, part);
      if (sizeOf(part) < wanted.bytes) throw new Error('the connection ended early');
    } catch (error) {
      if (attempt === ATTEMPTS)
        throw new Error(
          `${wanted.url}: ${(error as Error).message}; ${sizeOf(part)} of ${wanted.bytes} bytes are kept`,
        );
      await pause(pauseMs);
    }
  }
  const found = await sha256Of(part);
  if (found !== wanted.sha256) {
    rmSync(part);
    throw new Error(`${wanted.url}: its SHA-256 is ${found} and has to be ${wanted.sha256}`);
  }
  renameSync(part, wanted.file);
}

async function fetchRest({ url, bytes }: Download, part: string): Promise<void> {
  const from = sizeOf(part);
  const response = await fetch(url, from > 0 ? { headers: { range: `bytes=${from}-` } } : {});
  if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
  // A server that does not know ranges sends all of it.
  const resumed = response.status === 206;
  let come = resumed ? from : 0;
  const bar = new SingleBar({
    format: 'download [{bar}] {percentage}% of {megabytes} MB, {eta_formatted} left',
    noTTYOutput: true,
    notTTYSchedule: LINE_EVERY_MS,
  });
  bar.start(bytes, come, { megabytes: Math.round(bytes / MEGABYTE) });
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      come += chunk.length;
      bar.update(come);
      done(come > bytes ? new Error(`has more than ${bytes} bytes`) : null, chunk);
    },
  });
  try {
    await pipeline(
      Readable.fromWeb(response.body as ReadableStream),
      counted,
      createWriteStream(part, { flags: resumed ? 'a' : 'w' }),
    );
  } finally {
    bar.stop();
  }
}

const sizeOf = (file: string): number => (existsSync(file) ? statSync(file).size : 0);

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
