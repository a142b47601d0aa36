import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseConfig, stageOf } from '../../domain/config.ts';
import { LEASE_PK } from '../../domain/items.ts';
import { buildPlan } from '../../domain/plan.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { lakeTables } from '../../domain/tables.ts';
import { audienceStore } from '../../lambdas/adapters/audience-store.ts';
import { objectStore } from '../../lambdas/adapters/object-store.ts';
import { toParquet } from '../../lambdas/adapters/parquet.ts';
import { land } from '../../lambdas/land.ts';
import { publish } from '../../lambdas/publish.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import { openLake } from '../../local/lake.ts';
import { createPlanRunner } from '../../local/plan-runner.ts';
import { startS3 } from '../../local/s3-server.ts';
import demo from '../../paula.config.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';
import { AS_OF, at, consent, event } from '../sql/fixture-lake.ts';

const REGION = 'eu-central-1';
const BUCKET = 'lake';
const PROFILES = 'profiles';
const CONTROL = 'control';
/** One member is enough to leave the house. */
const config = parseConfig({ ...demo, minimumSegmentSize: 1 });
const stage = stageOf(config, 'local');
const tables = lakeTables(config);
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** The plan's queries, and the two segments that these tests are about. */
const sqlFolder = mkdtempSync(join(tmpdir(), 'paula-sql-'));
cpSync(join(import.meta.dirname, '../../sql'), sqlFolder, {
  recursive: true,
  filter: (path) => !/segments\/(?!cart_abandoners|buyers_30d)/.test(path),
});
afterAll(() => rmSync(sqlFolder, { recursive: true }));
const plan = buildPlan({ config, stage, bucket: BUCKET, ...readSqlTexts(sqlFolder) });

/** A platform of its own: S3 and DynamoDB that speak their protocols, the lake, and the runner that joins them. */
async function platform(options: { sqlFolder?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'paula-plan-'));
  const s3Server = await startS3(join(folder, 's3'), REGION, BUCKET);
  const dynamoServer = await startDynamo(join(folder, 'dynamo'), REGION, [
    { name: PROFILES, sk: true },
    { name: CONTROL, sk: false },
  ]);
  const s3 = new S3Client({ region: REGION, endpoint: s3Server.endpoint, forcePathStyle: true, credentials });
  const dynamo = new DynamoDBClient({ region: REGION, endpoint: dynamoServer.endpoint, credentials });
  const store = objectStore(s3, BUCKET);
  const lake = await openLake({ folder, objects: s3Server.objectsFolder, tables });
  const deps = { ...store, ...audienceStore(dynamo, { profiles: PROFILES, control: CONTROL }) };
  const steps: string[] = [];
  const said: string[] = [];
  let stopAfter: string | undefined;
  const runner = createPlanRunner({
    config,
    stage,
    lake,
    s3,
    dynamo,
    bucket: BUCKET,
    controlTable: CONTROL,
    publish: (input) => publish(input, deps),
    sqlFolder: options.sqlFolder ?? sqlFolder,
    say: (line) => said.push(line),
    onStep({ step, phase }) {
      steps.push(`${step} ${phase}`);
      if (step === stopAfter && phase === 'done') throw new Error('stopped');
    },
  });
  let sequence = 0;
  const scan = async (table: string) =>
    ((await dynamo.send(new ScanCommand({ TableName: table }))).Items ?? []).sort((a, b) =>
      (a.pk?.S ?? '') < (b.pk?.S ?? '') ? -1 : 1,
    );
  return {
    runner,
    lake,
    dynamo,
    steps,
    said,
    scan,
    stopAfter(step: string | undefined) {
      stopAfter = step;
    },
    async land(records: StreamRecord[]) {
      const batch = records.map((record, i) => ({
        shard: 'shardId-000000000000',
        sequenceNumber: String(sequence + i).padStart(56, '0'),
        arrivedAt: AS_OF.getTime() - 1000,
        text: JSON.stringify(record),
      }));
      sequence += records.length;
      await land(batch, { tables, parquet: toParquet, put: store.put });
    },
    exports: () => store.list('exports/'),
    async read(key: string) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      return (await Body?.transformToString()) ?? '';
    },
    async stop() {
      await runner.close();
      s3.destroy();
      dynamo.destroy();
      await s3Server.stop();
      await dynamoServer.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

type Platform = Awaited<ReturnType<typeof platform>>;

const purposes = ['storage', 'measurement', 'profile', 'activation'] as const;
const added = (device: string, over = {}) =>
  event({ event_id: `add-${device}`, event: 'Product Added', device_id: device, product_id: 'p1', ...over });
const ordered = (device: string, over = {}) =>
  event({
    event_id: `order-${device}`,
    event: 'Order Completed',
    device_id: device,
    value: '10',
    currency: 'EUR',
    occurred_at: at('2026-11-24T11:00:00'),
    received_at: at('2026-11-24T11:00:00'),
    ...over,
  });

const later = (minutes: number): Date => new Date(AS_OF.getTime() + minutes * 60_000);

let paula: Platform;
beforeEach(async () => {
  paula = await platform();
});
afterEach(() => paula.stop());

/** Two runs for each of the plan's steps, on engines that write to disk. */
const LONG_TEST_MS = 60_000;

const audiences = async (): Promise<Record<string, string[]>> =>
  Object.fromEntries((await paula.scan(PROFILES)).map((item) => [item.pk?.S ?? '', [...(item.ids?.SS ?? [])].sort()]));

describe('a run of the plan', () => {
  it('takes landed events to audience items, exports and the history, and only differences after that', async () => {
    await paula.land([added('d.cart', { purposes }), added('d.quiet'), ordered('d.buyer')]);
    expect(await paula.runner.run(AS_OF)).toMatchObject({ steps: plan.length });
    expect(await audiences()).toEqual({
      'd.cart': ['cart_abandoners'],
      'd.quiet': ['cart_abandoners'],
      'd.buyer': ['buyers_30d'],
    });
    expect((await paula.scan(CONTROL)).filter((item) => item.pk?.S?.startsWith('audience#'))).toEqual([
      {
        pk: { S: 'audience#buyers_30d' },
        published_until: { S: AS_OF.toISOString() },
        expires: { N: String(AS_OF.getTime() / 1000 + 30 * 86_400) },
      },
      {
        pk: { S: 'audience#cart_abandoners' },
        published_until: { S: AS_OF.toISOString() },
        expires: { N: String(AS_OF.getTime() / 1000 + 7 * 86_400) },
      },
    ]);
    // Only the entry with activation consent leaves the house.
    expect(await paula.exports()).toEqual([`exports/cart_abandoners/${AS_OF.toISOString()}.ndjson`]);
    expect(await paula.read((await paula.exports())[0] ?? '')).toBe('{"profile_id":"d.cart","entered":true}\n');

    await paula.land([ordered('d.cart', { purposes })]);
    await paula.runner.run(later(1));
    await paula.runner.run(later(2));
    expect(await audiences()).toEqual({
      'd.cart': ['buyers_30d'],
      'd.quiet': ['cart_abandoners'],
      'd.buyer': ['buyers_30d'],
    });
    expect(await paula.exports()).toHaveLength(3);
    expect(await paula.read(`exports/cart_abandoners/${later(1).toISOString()}.ndjson`)).toBe(
      '{"profile_id":"d.cart","entered":false}\n',
    );
    expect(
      await paula.lake.rows('SELECT as_of, segment_id, size, entered, left_count FROM audience_history ORDER BY 2, 1'),
    ).toEqual([
      { as_of: '2026-11-24 12:00:00', segment_id: 'buyers_30d', size: '1', entered: '1', left_count: '0' },
      { as_of: '2026-11-24 12:01:00', segment_id: 'buyers_30d', size: '2', entered: '1', left_count: '0' },
      { as_of: '2026-11-24 12:00:00', segment_id: 'cart_abandoners', size: '2', entered: '2', left_count: '0' },
      { as_of: '2026-11-24 12:01:00', segment_id: 'cart_abandoners', size: '1', entered: '0', left_count: '1' },
    ]);
  });

  it('runs on a lake without a single object', async () => {
    expect(await paula.runner.run(AS_OF)).toMatchObject({ steps: plan.length });
    expect(await audiences()).toEqual({});
  });

  it(
    'ends in the same state wherever it was stopped, whether the same run or a later one makes up for it',
    async () => {
      await paula.runner.run(later(-10));
      const own = plan
        .map(({ id }) => id)
        .filter((id) => id === 'ingest-events' || /^(buyers_30d|cart_abandoners)-/.test(id));
      const expected: Record<string, string[]> = {};
      for (const [i, step] of own.entries()) {
        const [cart, buyer] = [`d.cart${i}`, `d.buyer${i}`];
        await paula.land([added(cart), ordered(buyer)]);
        paula.stopAfter(step);
        await expect(paula.runner.run(later(2 * i))).rejects.toThrow('stopped');
        paula.stopAfter(undefined);
        await paula.runner.run(later(i % 2 === 0 ? 2 * i : 2 * i + 1));
        expected[cart] = ['cart_abandoners'];
        expected[buyer] = ['buyers_30d'];
        expect(await audiences()).toEqual(expected);
      }
      const history =
        'SELECT segment_id, sum(entered) AS entered, max(size) AS size FROM audience_history GROUP BY 1 ORDER BY 1';
      const count = String(own.length);
      expect(await paula.lake.rows(history)).toEqual([
        { segment_id: 'buyers_30d', entered: count, size: count },
        { segment_id: 'cart_abandoners', entered: count, size: count },
      ]);
    },
    LONG_TEST_MS,
  );

  it('changes nothing as of a time before what is published', async () => {
    await paula.land([added('d.cart')]);
    await paula.runner.run(AS_OF);
    await paula.land([added('d.late')]);
    await paula.runner.run(later(-1));
    expect(await audiences()).toEqual({ 'd.cart': ['cart_abandoners'] });
    await paula.runner.run(later(1));
    expect(await audiences()).toEqual({ 'd.cart': ['cart_abandoners'], 'd.late': ['cart_abandoners'] });
  });
});

describe('a broken segment', () => {
  const HEADER = [
    ...['name.de: Kaputt', 'name.en: Broken', 'description.de: Kaputt.', 'description.en: Broken.'],
    ...['purpose: profile', 'lifetime: 1 day'],
  ];
  const segment = (...lines: string[]) => [...HEADER.map((line) => `-- ${line}`), ...lines, ''].join('\n');

  /** A platform with one segment more; the folder's files may change between two runners. */
  async function withSegment(text: string, work: (own: Platform, folder: string) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'paula-sql-'));
    cpSync(sqlFolder, folder, { recursive: true });
    writeFileSync(join(folder, 'segments', 'a_broken.sql'), text);
    const own = await platform({ sqlFolder: folder });
    try {
      await work(own, folder);
    } finally {
      await own.stop();
      rmSync(folder, { recursive: true });
    }
  }
  const members = 'SELECT segment_id, profile_id FROM segment_members WHERE left_at IS NULL ORDER BY 1';

  it('that cannot be read is left out, with file, line and what to do', () =>
    withSegment(segment('SELECT device_id FROM events'), async (own) => {
      await own.land([added('d.cart')]);
      expect(await own.runner.run(AS_OF)).toMatchObject({ failed: [] });
      expect(own.said).toEqual([
        'left out: sql/segments/a_broken.sql:7: a segment selects one column, profile_id; ' +
          'profile_events, profile_features have it',
      ]);
      expect(await own.lake.rows(members)).toEqual([{ segment_id: 'cart_abandoners', profile_id: 'd.cart' }]);
    }));

  it('that fails when it runs stops no other, and is counted', () =>
    withSegment(segment('SELECT profile_id FROM no_such_table'), async (own) => {
      await own.land([added('d.cart')]);
      expect(await own.runner.run(AS_OF)).toMatchObject({ failed: ['a_broken'] });
      expect(own.said.join()).toMatch(/^segment a_broken: a_broken-members: .*no_such_table/);
      expect(await own.lake.rows(members)).toEqual([{ segment_id: 'cart_abandoners', profile_id: 'd.cart' }]);
      const audiences = (await own.scan(CONTROL)).flatMap((item) => (item.expires ? [item.pk?.S] : []));
      expect(audiences).toEqual(['audience#buyers_30d', 'audience#cart_abandoners']);
    }));

  it('keeps its last good audience, which ages out and still loses who withdraws', () =>
    withSegment(
      segment('SELECT profile_id FROM profile_features WHERE CAST(top_product AS bigint) > 0'),
      async (own) => {
        await own.land([added('d.stays', { product_id: '1' }), added('d.leaves', { product_id: '2' })]);
        expect(await own.runner.run(AS_OF)).toMatchObject({ failed: [] });
        await own.land([
          // Is no number.
          added('d.breaks', { product_id: 'p1' }),
          consent({ receipt_id: 'r1', subject: 'd.leaves', withdrawn: ['profile'], given_at: AS_OF.getTime() }),
        ]);
        expect(await own.runner.run(later(1))).toMatchObject({ failed: ['a_broken'] });
        const left = "SELECT profile_id FROM segment_members WHERE segment_id = 'a_broken' AND left_at IS NULL";
        expect(await own.lake.rows(left)).toEqual([{ profile_id: 'd.stays' }]);
        const items = await own.scan(PROFILES);
        expect(items.flatMap((item) => (item.ids?.SS?.includes('a_broken') ? [item.pk?.S] : []))).toEqual(['d.stays']);
        const [audience] = (await own.scan(CONTROL)).filter((item) => item.pk?.S === 'audience#a_broken');
        expect(audience?.expires?.N).toBe(String(AS_OF.getTime() / 1000 + 86_400));
      },
    ));
});

describe('a segment that is not due', () => {
  it('is not built, but loses who withdraws; its audience lives from when it was built', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'paula-sql-'));
    cpSync(sqlFolder, folder, { recursive: true });
    const text = readFileSync(join(folder, 'segments', 'cart_abandoners.sql'), 'utf8');
    writeFileSync(
      join(folder, 'segments', 'cart_abandoners.sql'),
      text.replace('refresh: every run', 'refresh: 1 hour'),
    );
    const own = await platform({ sqlFolder: folder });
    const now = async () =>
      (await own.lake.rows('SELECT profile_id FROM segment_members WHERE left_at IS NULL ORDER BY 1')).map(
        (row) => row.profile_id,
      );
    try {
      await own.land([added('d.a'), added('d.b')]);
      await own.runner.run(AS_OF);
      expect(await now()).toEqual(['d.a', 'd.b']);
      await own.land([
        added('d.c'),
        consent({ receipt_id: 'r1', subject: 'd.b', withdrawn: ['profile'], given_at: AS_OF.getTime() }),
      ]);
      await own.runner.run(later(59));
      expect(await now()).toEqual(['d.a']);
      const [audience] = (await own.scan(CONTROL)).filter((item) => item.pk?.S === 'audience#cart_abandoners');
      expect(audience?.expires?.N).toBe(String(AS_OF.getTime() / 1000 + 7 * 86_400));
      await own.runner.run(later(60));
      expect(await now()).toEqual(['d.a', 'd.c']);
    } finally {
      await own.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the lake's lease", () => {
  const holdLease = (owner: string, expires: number) =>
    paula.dynamo.send(
      new PutItemCommand({
        TableName: CONTROL,
        Item: { pk: { S: LEASE_PK }, owner: { S: owner }, expires: { N: String(Math.floor(expires / 1000)) } },
      }),
    );

  it('is given back after the last step and after a failure', async () => {
    await paula.runner.run(AS_OF);
    expect(paula.steps.slice(-2)).toEqual(['cart_abandoners-history done', 'lease released']);
    paula.stopAfter('ingest-events');
    await expect(paula.runner.run(AS_OF)).rejects.toThrow('stopped');
    expect(paula.steps.slice(-2)).toEqual(['ingest-events done', 'lease released']);
    expect((await paula.scan(CONTROL)).map((item) => item.pk?.S)).not.toContain(LEASE_PK);
  });

  it('keeps a run out while another writer holds it, and lets it in when it has expired', async () => {
    await holdLease('erasure', Date.now() + 60_000);
    expect(await paula.runner.run(AS_OF)).toMatchObject({ steps: 0 });
    expect(paula.steps).toEqual([]);
    await holdLease('erasure', Date.now() - 60_000);
    expect(await paula.runner.run(AS_OF)).toMatchObject({ steps: plan.length });
  });

  it("takes over from a killed process's run at once", async () => {
    await holdLease('local-plan-runner', Date.now() + 60_000);
    expect(await paula.runner.run(AS_OF)).toMatchObject({ steps: plan.length });
  });

  it('lets two runs of one process follow each other', async () => {
    const runs = await Promise.all([paula.runner.run(AS_OF), paula.runner.run(later(1))]);
    expect(runs.map(({ steps }) => steps)).toEqual([plan.length, plan.length]);
    expect(paula.steps.filter((step) => step === 'lease released')).toHaveLength(2);
  });
});
