import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ClassicLevel } from 'classic-level';
import { STREAM_HOURS } from '../../domain/stores.ts';
import { lockState } from '../state-lock.ts';

const HOUR_MS = 3_600_000;

/** Entries that are copied in one write of the new store. */
const BATCH = 1_000;

/**
 * Writes the embedded stores of a state folder anew, from what they hold: LevelDB and DuckDB keep the bytes of deleted items
 * and rows in their files until something else needs the room. The stream's store loses what is older than its retention at
 * a time (milliseconds), which Kinesis does by itself. No platform may run on the folder: throws where one does.
 */
export async function compactStores(stateDir: string, now: number): Promise<void> {
  const unlock = lockState(stateDir);
  try {
    await rewriteLevel(join(stateDir, 'dynamo'), () => true);
    await rewriteLevel(join(stateDir, 'kinesis'), (key, value) => !hasExpired(key, value, now));
    await rewriteDuckDb(join(stateDir, 'lake', 'lake.duckdb'));
  } finally {
    unlock();
  }
}

/** kinesalite keeps a stream's records below this, as JSON with the time of their arrival in seconds. */
const RECORD_KEY = '!stream-';

function hasExpired(key: Buffer, value: Buffer, now: number): boolean {
  if (!key.toString('latin1').startsWith(RECORD_KEY)) return false;
  const { ApproximateArrivalTimestamp } = JSON.parse(value.toString('utf8')) as {
    ApproximateArrivalTimestamp?: number;
  };
  return ApproximateArrivalTimestamp !== undefined && ApproximateArrivalTimestamp * 1000 < now - STREAM_HOURS * HOUR_MS;
}

async function rewriteLevel(folder: string, keep: (key: Buffer, value: Buffer) => boolean): Promise<void> {
  if (!existsSync(folder)) return;
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
  const from = new ClassicLevel<Buffer, Buffer>(folder, encodings);
  const to = new ClassicLevel<Buffer, Buffer>(fresh, encodings);
  await Promise.all([from.open(), to.open()]);
  let batch: { type: 'put'; key: Buffer; value: Buffer }[] = [];
  for await (const [key, value] of from.iterator()) {
    if (keep(key, value)) batch.push({ type: 'put', key, value });
    if (batch.length < BATCH) continue;
    await to.batch(batch);
    batch = [];
  }
  await to.batch(batch);
  await Promise.all([from.close(), to.close()]);
  replace(folder, fresh);
}

async function rewriteDuckDb(file: string): Promise<void> {
  if (!existsSync(file)) return;
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const statement of [
    `ATTACH ${quote(file)} AS old`,
    `ATTACH ${quote(fresh)} AS fresh`,
    'COPY FROM DATABASE old TO fresh',
    'DETACH old',
    'DETACH fresh',
  ])
    await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
  rmSync(`${file}.wal`, { force: true });
  replace(file, fresh);
}

/** The old one goes last, so that a kill leaves one of the two under its name or beside it. */
function replace(path: string, fresh: string): void {
  const old = `${path}.old`;
  rmSync(old, { recursive: true, force: true });
  renameSync(path, old);
  renameSync(fresh, path);
  rmSync(old, { recursive: true });
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
