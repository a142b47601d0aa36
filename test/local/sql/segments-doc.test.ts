import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stageOf } from '../../../domain/config.ts';
import { MINIMUM_SEGMENT_SIZE } from '../../../domain/minimum-size.ts';
import { bindPlaceholders } from '../../../domain/placeholders.ts';
import { buildPlan, literalsOf } from '../../../domain/plan.ts';
import { outsideSubset } from '../../../domain/sql-subset.ts';
import { planDefinition } from '../../../lib/plan-definition.ts';
import config from '../../../paula.config.ts';
import { readSqlTexts } from '../../../sql/sql-texts.ts';
import { AS_OF, event, FEATURES, type FixtureLake, INGEST, openFixtureLake } from '../../sql/fixture-lake.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const DOC = readFileSync(join(REPOSITORY, 'docs/segments.md'), 'utf8');

/** The code below a heading of the page. */
const code = (heading: string): string => {
  const section = DOC.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return /^```\w*\n([\s\S]*?)^```$/m.exec(section)?.[1] ?? '';
};
const PATH = /^`(sql\/segments\/\w+\.sql)`:$/m.exec(DOC)?.[1] ?? '';
const ID = PATH.replace(/^.*\/|\.sql$/g, '');

const DAY_MS = 86_400_000;
const MEMBERS = MINIMUM_SEGMENT_SIZE + 4;
const LONG_MS = 60_000;

/** A checkout of one's own, in which the page is followed. */
let checkout: string;
let lake: FixtureLake;
beforeAll(async () => {
  checkout = mkdtempSync(join(tmpdir(), 'paula-checkout-'));
  for (const part of ['bench', 'domain', 'lambdas', 'local', 'sql', 'paula.config.ts', 'package.json'])
    cpSync(join(REPOSITORY, part), join(checkout, part), { recursive: true });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(checkout, 'node_modules'));
  lake = await openFixtureLake();
  const view = (n: number, days: number, name = 'Product Viewed') => {
    const at = AS_OF.getTime() - days * DAY_MS - 60_000;
    return event({
      event_id: `${name}-${n}-${days}`,
      event: name,
      device_id: `d.${n}`,
      product_id: 'serum-30',
      occurred_at: at,
      received_at: at,
    });
  };
  const viewers = Array.from({ length: MEMBERS }, (_, n) => [1, 3, 5].map((days) => view(n, days)));
  const buyer = [...[1, 3, 5].map((days) => view(900, days)), view(900, 0, 'Order Completed')];
  await lake.land([...viewers.flat(), ...buyer, view(901, 1), view(901, 3)]);
  await lake.run([...INGEST, ...FEATURES]);
  // The state folder of a platform that ran until now.
  await lake.rows('CHECKPOINT');
  mkdirSync(join(checkout, '.paula'));
  cpSync(lake.folder, join(checkout, '.paula/lake'), { recursive: true });
}, LONG_MS);
afterAll(() => {
  lake.close();
  rmSync(checkout, { recursive: true });
});

/** Runs `npm run sql -- …` of the page as the script does. */
function run(line: string, ...more: string[]) {
  const args = line.replace(/^npm run sql -- /, '').split(' ');
  expect(line).toBe(`npm run sql -- ${args.join(' ')}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['local/sql.ts', ...args, ...more], {
    cwd: checkout,
    encoding: 'utf8',
  });
  return { status, text: `${stdout}${stderr}` };
}

describe('docs/segments.md, followed by a newcomer', () => {
  const [check = '', look = ''] = code('3.').trim().split('\n');

  it('asks a question in the console that the lake answers', async () => {
    const question = code('1.').trim();
    expect(outsideSubset(question, 1)).toEqual([]);
    expect(await lake.rows(question)).toEqual([{ profiles: String(MEMBERS) }]);
  });

  it(
    'adds one file and changes nothing else, and the segment is there: checked, shown, in the plan and with its members',
    async () => {
      expect(ID).not.toBe('');
      expect(readSqlTexts(join(checkout, 'sql')).segments.map(({ id }) => id)).not.toContain(ID);
      writeFileSync(join(checkout, PATH), code('2.'));

      expect(run(check)).toEqual({ status: 0, text: expect.stringMatching(/^\d+ segments are fine\n$/) });
      const shown = run(look, '--as-of', AS_OF.toISOString());
      expect(shown.text).toMatch(new RegExp(`^${ID}: Kommt auf ein Produkt zurück / Returning viewers\nsize +50\n`));
      expect(shown.text.match(/^ {2}[0-9a-f]{6}$/gm)).toHaveLength(10);
      expect(shown.text).toMatch(/^ {4}5 days ago {4}Product Viewed {2}\(serum-30\)$/m);
      expect(shown).toMatchObject({ status: 0 });

      const stage = stageOf(config, 'prod');
      const plan = buildPlan({ config, stage, bucket: 'b', ...readSqlTexts(join(checkout, 'sql')) });
      const machine = JSON.stringify(
        planDefinition(plan, {
          ...{ partition: 'aws', workGroup: 'w', database: 'd', bucket: 'b', controlTable: 'c' },
          ...{ publishFunctionArn: 'p', metricsNamespace: 'n', leaseWaitSeconds: 60 },
        }),
      );
      const own = plan.filter(({ branch }) => branch === ID);
      expect(own.map(({ kind }) => kind)).toEqual(['statement', 'unload', 'publish', 'statement']);
      for (const { id } of own) expect(machine).toContain(`"${id}":`);
      for (const step of own)
        if (step.kind === 'statement') await lake.rows(bindPlaceholders(step.sql, literalsOf(step.parameters, AS_OF)));
      const members = `SELECT count(*) AS n FROM segment_members WHERE segment_id = '${ID}' AND left_at IS NULL`;
      expect(await lake.rows(members)).toEqual([{ n: String(MEMBERS) }]);
      expect(await lake.rows(code('4.').trim())).toEqual([
        { as_of: '2026-11-24 12:00:00', size: String(MEMBERS), entered: String(MEMBERS), left_count: '0' },
      ]);
    },
    LONG_MS,
  );

  it(
    'is told what is wrong with the file in the words of the page',
    () => {
      const [, table = '', refresh = ''] = /^```\n(sql\/segments\/.*)\n(sql\/segments\/.*)\n```$/m.exec(DOC) ?? [];
      const broken = (from: string, to: string) => {
        writeFileSync(join(checkout, PATH), code('2.').replace(from, to));
        return run(check);
      };
      expect(broken('FROM profile_history', 'FROM profile_historie')).toEqual({ status: 1, text: `${table}\n` });
      expect(broken('refresh: 1 hour', 'refresh: often')).toEqual({ status: 1, text: `${refresh}\n` });
    },
    LONG_MS,
  );

  it('lists the library as it is', () => {
    const rows = [...DOC.matchAll(/^\| `(\w+)` +\| `(\w+)` +\| [a-zA-Z]/gm)].map(
      ([, id, purpose]) => `${id} ${purpose}`,
    );
    const own = readSqlTexts().segments.map(({ id, purpose }) => `${id} ${purpose}`);
    expect(rows.sort()).toEqual(own.sort());
  });
});
