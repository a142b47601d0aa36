import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { PublishInput } from '../../domain/plan.ts';
import { audienceStore } from '../../lambdas/adapters/audience-store.ts';
import { objectStore } from '../../lambdas/adapters/object-store.ts';
import { PublishRequest, publish } from '../../lambdas/publish.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import type { Engine } from '../../local/loopback.ts';
import { startS3 } from '../../local/s3-server.ts';

const REGION = 'eu-central-1';
const BUCKET = 'lake';
const AS_OF = '2026-11-24T12:00:00.000Z';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

const folder = mkdtempSync(join(tmpdir(), 'paula-publish-'));
let s3Server: Engine;
let dynamoServer: Engine;
let s3: S3Client;
let dynamo: DynamoDBClient;
beforeAll(async () => {
  s3Server = await startS3(join(folder, 's3'), REGION, BUCKET);
  dynamoServer = await startDynamo(join(folder, 'dynamo'), REGION, [
    { name: 'profiles', sk: true },
    { name: 'control', sk: false },
  ]);
  s3 = new S3Client({ region: REGION, endpoint: s3Server.endpoint, forcePathStyle: true, credentials });
  dynamo = new DynamoDBClient({ region: REGION, endpoint: dynamoServer.endpoint, credentials });
});
afterAll(async () => {
  s3.destroy();
  dynamo.destroy();
  await s3Server.stop();
  await dynamoServer.stop();
  rmSync(folder, { recursive: true });
});

/** Every test has profiles and a segment of its own. */
let segment: string;
let tests = 0;
beforeEach(() => {
  segment = `s${++tests}`;
});

const change = (profile: string, entered: boolean, activation = true) => ({
  profile_id: `d.${segment}-${profile}`,
  entered,
  activation,
});
const ndjson = (rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const depsOf = () => ({
  ...objectStore(s3, BUCKET),
  ...audienceStore(dynamo, { profiles: 'profiles', control: 'control' }),
});
const input = (run: string, over: Partial<PublishInput> = {}): PublishInput => ({
  segment,
  as_of: AS_OF,
  prefix: `unload/${segment}/${run}/`,
  lifetime_days: 7,
  ...over,
});
const unload = (run: string, rows: object[], name = 'part-0.gz') =>
  depsOf().put(`unload/${segment}/${run}/${name}`, name.endsWith('.gz') ? gzipSync(ndjson(rows)) : ndjson(rows));

async function audiences(): Promise<Record<string, string[]>> {
  const { Items = [] } = await dynamo.send(new ScanCommand({ TableName: 'profiles' }));
  const own = Items.filter((item) => item.pk?.S?.startsWith(`d.${segment}-`));
  return Object.fromEntries(own.map((item) => [item.pk?.S?.split('-')[1] ?? '', [...(item.ids?.SS ?? [])].sort()]));
}

async function exported(asOf = AS_OF): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: `exports/${segment}/${asOf}.ndjson` }));
  return (await Body?.transformToString()) ?? '';
}

describe('publish', () => {
  it('writes who came and who went, out of every object of the run, and nothing of another run', async () => {
    await dynamo.send(
      new PutItemCommand({
        TableName: 'profiles',
        Item: { pk: { S: `d.${segment}-both` }, sk: { S: 'audiences' }, ids: { SS: ['other', segment] } },
      }),
    );
    await dynamo.send(
      new PutItemCommand({
        TableName: 'profiles',
        Item: { pk: { S: `d.${segment}-last` }, sk: { S: 'audiences' }, ids: { SS: [segment] } },
      }),
    );
    await unload('run1', [change('new', true), change('both', false)]);
    await unload('run1', [change('last', false), change('stranger', false)], 'part-1');
    await unload('run2', [change('later', true)]);
    expect(await publish(input('run1'), depsOf())).toEqual({ entered: 1, left: 3, exported: 4 });
    // An item that lost its last audience is gone, and none was made for who had none.
    expect(await audiences()).toEqual({ new: [segment], both: ['other'] });
  });

  it('exports departures and the entries with activation consent, in an order that a second run repeats', async () => {
    await unload('run', [
      change('b', true),
      change('a', true),
      change('secret', true, false),
      change('gone', false, false),
    ]);
    await publish(input('run'), depsOf());
    const first = await exported();
    expect(first).toBe(
      ndjson(['a', 'b'].map((name) => ({ profile_id: `d.${segment}-${name}`, entered: true }))) +
        ndjson([{ profile_id: `d.${segment}-gone`, entered: false }]),
    );
    await publish(input('run'), depsOf());
    expect(await exported()).toBe(first);
  });

  it('keeps the expiry once per audience, and renews it without a difference and without a file', async () => {
    const expires = async () => {
      const { Items = [] } = await dynamo.send(new ScanCommand({ TableName: 'control' }));
      return Items.find((item) => item.pk?.S === `audience#${segment}`);
    };
    expect(await publish(input('none'), depsOf())).toEqual({ entered: 0, left: 0, exported: 0 });
    expect(await expires()).toMatchObject({
      published_until: { S: AS_OF },
      expires: { N: String(Date.parse(AS_OF) / 1000 + 7 * 86_400) },
    });
    await publish(input('none', { as_of: '2026-11-25T12:00:00.000Z' }), depsOf());
    expect(await expires()).toMatchObject({ expires: { N: String(Date.parse(AS_OF) / 1000 + 8 * 86_400) } });
    expect(await depsOf().list(`exports/${segment}/`)).toEqual([]);
  });

  it('ends in the same state when it was stopped at any write and runs again', async () => {
    const rows = [...Array(20)].map((_, i) => change(`p${i}`, i % 3 !== 0));
    for (const { profile_id, entered } of rows) if (!entered) await depsOf().enter(profile_id, segment);
    await unload('run', rows);
    for (const stop of [0, 1, 7, 19, 20]) {
      let writes = 0;
      const stopping = async (write: () => Promise<void>): Promise<void> => {
        if (writes++ >= stop) throw new Error('stopped');
        return write();
      };
      const deps = depsOf();
      const faulty = {
        ...deps,
        enter: (profile: string, id: string) => stopping(() => deps.enter(profile, id)),
        leave: (profile: string, id: string) => stopping(() => deps.leave(profile, id)),
        put: (key: string, body: string) => stopping(() => deps.put(key, body)),
      };
      await expect(publish(input('run'), faulty)).rejects.toThrow('stopped');
    }
    expect(await publish(input('run'), depsOf())).toEqual({ entered: 13, left: 7, exported: 20 });
    const expected = rows
      .filter(({ entered }) => entered)
      .map(({ profile_id }) => [profile_id.split('-')[1], [segment]]);
    expect(await audiences()).toEqual(Object.fromEntries(expected));
  });

  it('passes on thousands of lines with a bounded number of writes at once', async () => {
    const rows = [...Array(3000)].map((_, i) => change(`p${i}`, true));
    await unload('run', rows);
    let inFlight = 0;
    let most = 0;
    const seen = new Set<string>();
    const enter = async (profile: string): Promise<void> => {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      seen.add(profile);
      inFlight -= 1;
    };
    expect(await publish(input('run'), { ...depsOf(), enter })).toMatchObject({ entered: 3000 });
    expect(seen.size).toBe(3000);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(32);
  });

  it('throws on a line that is no difference', async () => {
    await unload('run', [{ profile_id: '', entered: true, activation: true }]);
    await expect(publish(input('run'), depsOf())).rejects.toThrow();
  });

  it.each([
    { as_of: 'now' },
    { as_of: '2026-11-24T12:00:00Z' },
    { prefix: 'landing/' },
    { prefix: 'unload/' },
    { lifetime_days: 0 },
    { extra: 1 },
  ])('is not called with %j', (over) => {
    expect(PublishRequest.safeParse(input('run')).success).toBe(true);
    expect(PublishRequest.safeParse({ ...input('run'), ...over }).success).toBe(false);
  });
});
