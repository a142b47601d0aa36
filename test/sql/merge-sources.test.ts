import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stageOf } from '../../domain/config.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { buildPlan, literalsOf } from '../../domain/plan.ts';
import demo from '../../paula.config.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';
import { AS_OF, consent, erasure, event, type FixtureLake, INGEST, link, openFixtureLake } from './fixture-lake.ts';

const plan = buildPlan({ config: demo, stage: stageOf(demo, 'local'), bucket: 'lake', ...readSqlTexts() });
const merges = plan.flatMap((step) => (step.kind === 'statement' && step.sql.startsWith('MERGE') ? [step] : []));

/** The source of a MERGE, and the columns by which its rows find theirs in the target. */
function sourceOf(sql: string): { source: string; keys: string[] } {
  const [, source = '', on = ''] = /\nUSING \(\n([\s\S]+?)\n\) AS s\nON ([^\n]+)/.exec(sql) ?? [];
  return { source, keys: [...on.matchAll(/= (s\.\w+)/g)].map(([, key]) => key ?? '') };
}

let lake: FixtureLake;

beforeAll(async () => {
  lake = await openFixtureLake();
  const records = [
    event({ event_id: 'e1', purposes: ['storage', 'measurement', 'profile'] }),
    event({ event_id: 'e2', event: 'Order Completed', value: '5' }),
    consent({ receipt_id: 'r1' }),
    link(),
    erasure('00', AS_OF.getTime()),
  ];
  // The stream delivers again, and a batch that is cut otherwise has another name.
  await lake.land(records, 1);
  await lake.land(records.slice(2), 3);
  await lake.land(records, 11);
});
afterAll(() => lake.close());

describe('the source of every MERGE', () => {
  it('is there to be looked at', () => expect(merges.length).toBeGreaterThan(6));

  // DuckDB takes the first of two rows that match one; Athena breaks the statement off.
  it.each(merges.map((step) => [step.id, step] as const))(
    '%s has at most one row for a row of the target',
    async (_, step) => {
      await lake.run([...INGEST, 'features', 'buyers_30d-members']);
      const { source, keys } = sourceOf(bindPlaceholders(step.sql, literalsOf(step.parameters, AS_OF)));
      expect(keys.length).toBeGreaterThan(0);
      const list = keys.join(', ');
      expect(await lake.rows(`SELECT ${list} FROM (\n${source}\n) AS s GROUP BY ${list} HAVING count(*) > 1`)).toEqual(
        [],
      );
    },
  );
});
