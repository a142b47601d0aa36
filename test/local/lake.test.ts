import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openLake } from '../../local/lake.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paula-lake-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LAKE = new URL('../../local/lake.ts', import.meta.url).href;

/** Merges one number after the other and says each when it is committed, until it is killed. */
const WRITER = `
  import { openLake } from ${JSON.stringify(LAKE)};
  const lake = await openLake({ folder: process.argv[2], objects: process.argv[2], tables: [] });
  await lake.run('CREATE TABLE IF NOT EXISTS t (i BIGINT, text VARCHAR)');
  let i = Number((await lake.rows('SELECT coalesce(max(i), 0) AS i FROM t'))[0].i);
  for (;;) {
    i += 1;
    await lake.run('CREATE OR REPLACE VIEW v AS SELECT greatest(i, 0) AS i FROM t');
    await lake.run(\`MERGE INTO t USING (SELECT \${i} AS i, repeat('x', 500) AS text FROM range(100)) AS s
      ON t.i = s.i WHEN NOT MATCHED THEN INSERT (i, text) VALUES (s.i, s.text)\`);
    process.stdout.write(i + '\\n');
  }
`;

/** Starts the writer, kills it once it has said `count` numbers more, and returns the last one that it said. */
async function writeAndKill(count: number): Promise<number> {
  const script = join(folder, 'writer.mjs');
  writeFileSync(script, WRITER);
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  let said = 0;
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (++said === count) child.kill('SIGKILL');
  }
  expect(await ended).toBe('SIGKILL');
  return last;
}

describe('the local lake', () => {
  it('keeps every committed statement, whole, when its process is killed', async () => {
    for (const count of [1, 7, 20]) {
      const last = await writeAndKill(count);
      const lake = await openLake({ folder, objects: folder, tables: [] });
      const [found] = await lake.rows('SELECT max(i) AS last, count(*) AS n, count(DISTINCT i) AS distinct_i FROM v');
      lake.close();
      const kept = Number(found?.last);
      // The one that was under way may be there, but then it is there as a whole.
      expect([last, last + 1]).toContain(kept);
      expect(found).toEqual({ last: String(kept), n: String(100 * kept), distinct_i: String(kept) });
    }
  }, 60_000);

  it('belongs to one process at a time', async () => {
    const script = join(folder, 'second.mjs');
    writeFileSync(
      script,
      `import { openLake } from ${JSON.stringify(LAKE)};
       await openLake({ folder: process.argv[2], objects: process.argv[2], tables: [] }).then(
         () => process.exit(0), (error) => { process.stdout.write(error.message); process.exit(7); });`,
    );
    const lake = await openLake({ folder, objects: folder, tables: [] });
    const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const code = await new Promise((resolve) => child.on('exit', resolve));
    lake.close();
    expect(code).toBe(7);
  }, 30_000);
});
