import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lakeTables } from '../../domain/tables.ts';
import { toParquet } from '../../lambdas/adapters/parquet.ts';
import { land } from '../../lambdas/land.ts';
import { type Lake, openLake } from '../../local/lake.ts';
import demo from '../../paula.config.ts';
import { at, event } from '../sql/fixture-lake.ts';

const tables = lakeTables(demo);
const SINCE = '2026-11-20';

let folder: string;
let lake: Lake;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'paula-mirror-'));
  lake = await openLake({ folder, objects: join(folder, 'objects'), tables });
});
afterEach(() => {
  lake.close();
  rmSync(folder, { recursive: true });
});

/** Lands events as one object and returns its path without the S3 server's suffixes. */
async function object(ids: string[], first: number, arrivedAt = at('2026-11-24T10:00:00')): Promise<string> {
  let path = '';
  const batch = ids.map((event_id, i) => ({
    shard: 's1',
    sequenceNumber: String(first + i),
    arrivedAt,
    text: JSON.stringify(event({ event_id })),
  }));
  const put = async (key: string, body: Uint8Array): Promise<void> => {
    path = join(folder, 'objects', key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.data`, body);
    writeFileSync(`${path}.meta.json`, '{}');
  };
  await land(batch, { tables, parquet: toParquet, put });
  return path;
}

const mirrored = async (since = SINCE): Promise<string> => {
  await lake.refreshLanding(since);
  const rows = await lake.rows('SELECT event_id, dt, hour FROM landing_events ORDER BY event_id');
  return rows.map((row) => `${row.event_id}@${row.dt}T${row.hour}`).join(' ');
};

describe('the mirror of landing', () => {
  it('is empty without objects, takes each object once and knows its partition', async () => {
    expect(await mirrored()).toBe('');
    await object(['a', 'b'], 1);
    expect(await mirrored()).toBe('a@2026-11-24T10 b@2026-11-24T10');
    await object(['c'], 3, at('2026-11-25T00:59:59'));
    expect(await mirrored()).toBe('a@2026-11-24T10 b@2026-11-24T10 c@2026-11-25T00');
    expect(await mirrored()).toBe('a@2026-11-24T10 b@2026-11-24T10 c@2026-11-25T00');
  });

  it('waits for an object that is not whole', async () => {
    const path = await object(['a'], 1);
    rmSync(`${path}.meta.json`);
    writeFileSync(`${path}.data`, 'PAR1');
    expect(await mirrored()).toBe('');
    await object(['a'], 1);
    expect(await mirrored()).toBe('a@2026-11-24T10');
  });

  it('reads an overwritten object anew and forgets one that is gone or has left the window', async () => {
    await object(['a'], 1);
    await object(['b'], 2);
    await object(['old'], 3, at('2026-11-20T10:00:00'));
    expect(await mirrored()).toBe('a@2026-11-24T10 b@2026-11-24T10 old@2026-11-20T10');
    const path = await object(['A'], 1);
    utimesSync(`${path}.meta.json`, 5, 5);
    expect(await mirrored('2026-11-21')).toBe('A@2026-11-24T10 b@2026-11-24T10');
    rmSync(`${path}.data`);
    rmSync(`${path}.meta.json`);
    expect(await mirrored()).toBe('b@2026-11-24T10 old@2026-11-20T10');
  });

  it('takes in more objects than one statement reads', async () => {
    for (let i = 0; i < 230; i++) await object([`e${i}`], i);
    await lake.refreshLanding(SINCE);
    expect(await lake.rows('SELECT count(*) AS n, count(DISTINCT event_id) AS ids FROM landing_events')).toEqual([
      { n: '230', ids: '230' },
    ]);
  });

  it('leaves nothing half done where an object cannot be read', async () => {
    await object(['a'], 1);
    const path = await object(['b'], 2);
    writeFileSync(`${path}.data`, 'torn');
    await expect(lake.refreshLanding(SINCE)).rejects.toThrow();
    await object(['b'], 2);
    expect(await mirrored()).toBe('a@2026-11-24T10 b@2026-11-24T10');
  });
});
