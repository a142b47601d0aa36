import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stageOf } from '../../../domain/config.ts';
import { MINIMUM_SEGMENT_SIZE, shownSize } from '../../../domain/minimum-size.ts';
import type { EventRecord } from '../../../domain/stream-record.ts';
import { checkSegments } from '../../../local/sql/check-segments.ts';
import { reportLines } from '../../../local/sql/report-text.ts';
import { ATHENA_LEAST_BYTES, athenaPrice } from '../../../local/sql/scan-cost.ts';
import { reportSegment, type SegmentReport } from '../../../local/sql/segment-report.ts';
import config from '../../../paula.config.ts';
import { AS_OF, event, FEATURES, type FixtureLake, INGEST, openFixtureLake } from '../../sql/fixture-lake.ts';

const SQL = join(import.meta.dirname, '../../../sql');
const stage = stageOf(config, 'local');
const MEMBERS = MINIMUM_SEGMENT_SIZE + 13;

let lake: FixtureLake;
let folder: string;
beforeAll(async () => {
  lake = await openFixtureLake();
  folder = mkdtempSync(join(tmpdir(), 'paula-sql-'));
  const ago = (seconds: number) => AS_OF.getTime() - seconds * 1000;
  const did = (n: number, name: string, seconds: number, over: Partial<EventRecord> = {}) =>
    event({
      event_id: `${name}-${n}-${seconds}`,
      device_id: `d.${n}`,
      event: name,
      occurred_at: ago(seconds),
      received_at: ago(seconds),
      ...over,
    });
  await lake.land(
    Array.from({ length: MEMBERS }, (_, n) => [
      did(n, 'Product Viewed', 3 * 86_400 + 60, { product_id: 'serum-30', category: 'face' }),
      did(n, 'Product Added', 60, { product_id: 'serum-30' }),
      ...(n < 10 ? [did(n, 'Ad Clicked', 60, { campaign: 'c1' })] : []),
    ]).flat(),
  );
  const steps = [
    ...INGEST,
    ...FEATURES,
    'frequency_capped-members',
    'campaign_responders-members',
    'cart_abandoners-members',
  ];
  await lake.run(steps);
});
afterAll(() => {
  lake.close();
  rmSync(folder, { recursive: true });
});

const report = (id: string, sqlFolder?: string): Promise<SegmentReport> =>
  reportSegment(id, AS_OF, {
    config,
    stage,
    lake: { run: async (sql) => void (await lake.rows(sql)), rows: lake.rows },
    scratch: join(folder, 'sample.parquet'),
    sqlFolder,
  });

describe('the report of a segment', () => {
  it('has its size rounded down, its overlap, ten journeys without a name, and the cost of a run', async () => {
    const { size, overlap, journeys, cost } = await report('cart_abandoners');
    expect(size).toBe('60');
    expect(overlap).toEqual([{ segment: 'campaign_responders', shared: '<50', size: '<50' }]);
    expect(journeys).toHaveLength(10);
    for (const { label, events } of journeys ?? []) {
      expect(label).toMatch(/^[0-9a-f]{6}$/);
      expect(
        events
          .slice(-2)
          .map(({ event: name }) => name)
          .sort(),
      ).toContain('Product Added');
      expect(events[0]).toEqual({ daysAgo: 3, event: 'Product Viewed', product: 'serum-30', category: 'face' });
    }
    expect(cost.bytes).toBeGreaterThan(100);
    expect(cost.usd).toBe(athenaPrice(ATHENA_LEAST_BYTES));
    expect(cost.tables.map(({ table }) => table)).toEqual(expect.arrayContaining(['events', 'profile_purposes']));
  });

  it('names nobody, and under another label each time', async () => {
    const [first, second] = [await report('cart_abandoners'), await report('cart_abandoners')];
    const texts = JSON.stringify([first, second, reportLines(first)]);
    expect(texts).not.toMatch(/"d\.\d+"|\bd\.\d+\b/);
    const labels = (made: SegmentReport) => made.journeys?.map(({ label }) => label);
    expect(labels(first)).not.toEqual(labels(second));
  });

  it('shows neither size nor journeys below the minimum', async () => {
    const small = await report('campaign_responders');
    expect(small.size).toBe('<50');
    expect(small).not.toHaveProperty('journeys');
    expect(small.overlap).toEqual([{ segment: 'cart_abandoners', shared: '<50', size: '60' }]);
    const lines = reportLines(small);
    expect(lines).toContain('size      <50');
    expect(lines).toContain('journeys  none: a segment of fewer than 50 is not shown by its members');
  });

  it('counts the bytes of the days that a segment looks at and of no other', async () => {
    const before = (await report('cart_abandoners')).cost.bytes;
    await lake.rows(`INSERT INTO events BY NAME
      SELECT * REPLACE ('old' || event_id AS event_id, DATE '2026-10-01' AS received_day) FROM events`);
    const after = await report('cart_abandoners');
    await lake.rows("DELETE FROM events WHERE received_day = DATE '2026-10-01'");
    expect(after.cost.bytes).toBeLessThan(before * 1.2);
    expect(after.cost.bytes).toBeGreaterThan(before * 0.6);
  });

  it('says what is wrong with the file, and which there are where there is none', async () => {
    await expect(report('nobody')).rejects.toThrow(
      /there is no sql\/segments\/nobody\.sql; there are .*cart_abandoners/,
    );
    const own = join(folder, 'sql');
    cpSync(SQL, own, { recursive: true });
    writeFileSync(join(own, 'segments/mine.sql'), '-- purpose: profile\nSELECT profile_id FROM profile_events\n');
    await expect(report('mine', own)).rejects.toThrow('sql/segments/mine.sql:1: name.de: is missing; write it');
  });
});

describe('a size as people may see it', () => {
  it.each([
    [49, '<50'],
    [50, '50'],
    [63, '60'],
    [999, '990'],
    [1999, '1990'],
    [123_456, '123000'],
  ])('%i', (size, shown) => expect(shownSize(size, 50)).toBe(shown));
});

describe('the check of all segments', () => {
  const HEADER = 'name.de: A,name.en: A,description.de: A,description.en: A,purpose: profile,lifetime: 1 day'
    .split(',')
    .map((line) => `-- ${line}\n`)
    .join('');

  it('finds nothing in the repository', async () => {
    const { segments, faults } = await checkSegments(config, stage);
    expect(faults).toEqual([]);
    expect(segments).toBeGreaterThan(9);
  });

  it('tells file, line and what is wrong, as a compiler does, of every broken file', async () => {
    const own = join(folder, 'broken');
    cpSync(SQL, own, { recursive: true });
    const write = (name: string, text: string) => writeFileSync(join(own, 'segments', `${name}.sql`), text);
    write('a_column', `${HEADER}\nSELECT profile_id\nFROM profile_events\nWHERE colour = 'red'\n`);
    write('b_table', `${HEADER}SELECT profile_id FROM visits\n`);
    write('c_two', `${HEADER}SELECT profile_id, event FROM profile_events\n`);
    write('d_function', `${HEADER}SELECT profile_id FROM profile_events\nWHERE now() > occurred_at\n`);
    write('e_crm', `${HEADER}-- destinations: crm\nSELECT profile_id FROM profile_events\n`);
    write('f_typo', `${HEADER}SELECT profile_id FORM profile_events\n`);
    const { faults } = await checkSegments(config, stage, own);
    expect(faults).toEqual([
      'segments/d_function.sql:8: now: SQL never asks for the time: use the parameter as_of',
      expect.stringMatching(/^segments\/d_function\.sql:8: now\(\) is not in the subset: use one of those listed/),
      'segments/e_crm.sql:7: destinations: "crm" is not in paula.config.ts; none is configured: leave the line out',
      expect.stringMatching(/^segments\/a_column\.sql:10: .*"colour" not found/),
      expect.stringMatching(/^segments\/b_table\.sql:7: .*visits/),
      'segments/c_two.sql:7: selects profile_id, event; a segment selects one column, profile_id',
      expect.stringMatching(/^segments\/f_typo\.sql:7: .*syntax error/),
    ]);
  });
});
