import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ErasureTask } from '../../domain/erasure.ts';
import { EMPTY_PROFILE } from '../../domain/profile.ts';
import { packProfile } from '../../domain/profile-codec.ts';
import type { RequestItem } from '../../domain/rights.ts';
import { lakeTables } from '../../domain/tables.ts';
import { randomId } from '../../lambdas/adapters/hashes.ts';
import { readsWithLedger } from '../../lambdas/adapters/ledger-reads.ts';
import { ledgerStore } from '../../lambdas/adapters/ledger-store.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { toParquet } from '../../lambdas/adapters/parquet.ts';
import { rewriteParquet } from '../../lambdas/adapters/parquet-rewrite.ts';
import { profileStore } from '../../lambdas/adapters/profile-store.ts';
import { receiptStore } from '../../lambdas/adapters/receipt-store.ts';
import { storedObjects } from '../../lambdas/adapters/stored-objects.ts';
import { subjectItems } from '../../lambdas/adapters/subject-items.ts';
import type { EraseDeps } from '../../lambdas/erase/deps.ts';
import { eraseTask } from '../../lambdas/erase.ts';
import { land } from '../../lambdas/land.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import type { Engine } from '../../local/loopback.ts';
import { startS3 } from '../../local/s3-server.ts';
import config from '../../paula.config.ts';
import { consent, event, link, serverEvent } from '../sql/fixture-lake.ts';

const REGION = 'eu-central-1';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const HOUR_MS = 3_600_000;
const ERASED = Date.parse('2026-11-24T12:00:00Z');
const TTL = 4_000_000_000;
const tables = lakeTables(config);

let folder: string;
let engines: Engine[];
let client: DynamoDBClient;
let s3: S3Client;
let deps: EraseDeps;
let counted: string[];
let elapsed = 0;
let receipts: ReturnType<typeof receiptStore>;
let links: ReturnType<typeof linkStore>;
let ledger: ReturnType<typeof ledgerStore>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'paula-erase-'));
  const dynamo = await startDynamo(join(folder, 'dynamo'), REGION, [
    { name: 'profiles', sk: true },
    { name: 'consents', sk: true },
  ]);
  const objects = await startS3(join(folder, 's3'), REGION, 'lake');
  engines = [dynamo, objects];
  client = new DynamoDBClient({ endpoint: dynamo.endpoint, region: REGION, credentials });
  s3 = new S3Client({ endpoint: objects.endpoint, region: REGION, credentials, forcePathStyle: true });
  receipts = receiptStore(client, 'consents');
  links = linkStore(client, 'profiles');
  ledger = ledgerStore(client, 'consents', randomId);
  deps = {
    config,
    tables,
    ledger,
    items: subjectItems(client, { profiles: 'profiles', consents: 'consents' }),
    links,
    read: profileStore(client, 'profiles').read,
    objects: storedObjects(s3, 'lake'),
    rewriteParquet,
    gzip: (text) => gzipSync(text),
    elapsed: () => elapsed,
    count: (metric, dimension) => counted.push(`${metric} ${dimension}`),
  };
});
beforeEach(async () => {
  counted = [];
  for await (const { key } of deps.objects.list('')) await deps.objects.remove(key);
  for (const request of await deps.ledger.openRequests()) await deps.ledger.save({ ...request, state: 'done' }, false);
  await deps.ledger.noteMaintenance(ERASED);
});
afterAll(async () => {
  client.destroy();
  s3.destroy();
  for (const engine of engines) await engine.stop();
  rmSync(folder, { recursive: true });
});

const run = (task: ErasureTask, hours = 1, more: object = {}) =>
  eraseTask({ task, as_of: new Date(ERASED + hours * HOUR_MS).toISOString(), run: 'run-1', ...more }, deps);

const hashOf = async (id: string): Promise<string> => deps.ledger.hashOf(await deps.ledger.salt(), id);

async function ask(subjects: string[], over: Partial<RequestItem> = {}): Promise<RequestItem> {
  const hashes = await Promise.all(subjects.map(hashOf));
  const request: RequestItem = {
    id: randomId(),
    right: 'erasure',
    channel: 'person',
    received_at: ERASED,
    state: 'open',
    since: ERASED,
    hashes,
    subjects,
    ttl: TTL,
    ...over,
  };
  await deps.ledger.save(request, true);
  if (request.right === 'erasure') for (const hash of hashes) await deps.ledger.noteErasure(hash, request.id, ERASED);
  return request;
}

/** Everything that both tables hold of some ids, as text. */
async function itemsOf(...ids: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const TableName of ['profiles', 'consents']) {
    const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
    for (const item of Items)
      if (ids.some((id) => JSON.stringify(item).includes(`"${id}"`))) found.push(`${item.pk?.S} ${item.sk?.S}`);
  }
  return found.sort();
}

const unload = async (folderName: string, rows: object[]): Promise<void> =>
  deps.objects.put(
    `unload/${folderName}/run-1/part-0.gz`,
    gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
  );

const keys = async (prefix: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const { key } of deps.objects.list(prefix)) found.push(key);
  return found;
};

async function profileItem(id: string, firstSeen: number): Promise<void> {
  const b = packProfile({ ...EMPTY_PROFILE, firstSeen, lastSeen: firstSeen }, new Map());
  const { write, read } = profileStore(client, 'profiles');
  const { profile } = (await read([{ pk: id, sk: 'profile' }], 'strong')).get(id) ?? {};
  await write([{ id, items: [{ pk: id, sk: 'profile', b, v: (profile?.v ?? 0) + 1, ttl: TTL }] }]);
}

const receipt = (subject: string, given_at: number) =>
  receipts.append({
    pk: subject,
    sk: `${given_at}#${randomId()}`,
    receipt_id: randomId(),
    site: 'shop',
    granted: ['storage'],
    withdrawn: [],
    method: 'browser',
    notice_version: '1',
    given_at,
    expires_at: given_at + 1,
    controller: 'Lindenblatt Cosmetics',
    notice_digest: '0'.repeat(64),
    region: 'eu-central-1',
    signal_kind: 'own',
  });

describe('open', () => {
  it('is idle while nobody has asked and the day’s work is done', async () => {
    expect(await run('open')).toEqual({ idle: true, requests: "''" });
    expect(await run('open', 24)).toEqual({ idle: false, requests: "''" });
    const { id } = await ask(['d.open']);
    expect(await run('open')).toEqual({ idle: false, requests: `'${id}'` });
  });

  it('works on an erasure again after the stream, and finishes it after the backups', async () => {
    const { id, ...rest } = await ask(['d.windows']);
    await deps.ledger.save({ ...rest, id, state: 'erased' }, true);
    expect(await run('open', 21)).toMatchObject({ idle: true });
    expect(await run('open', 25)).toMatchObject({ requests: `'${id}'` });
    await deps.ledger.save({ ...rest, id, state: 'swept', since: ERASED + 25 * HOUR_MS }, true);
    await deps.ledger.noteMaintenance(ERASED + 200 * HOUR_MS);
    expect(await run('open', 25 + 7 * 24 - 1)).toMatchObject({ idle: true });
    expect((await deps.ledger.request(id))?.state).toBe('swept');
    await run('open', 25 + 7 * 24);
    expect((await deps.ledger.request(id))?.state).toBe('done');
    expect(await deps.ledger.openRequests()).toEqual([]);
  });
});

describe('items', () => {
  it('deletes a person with all devices, those that only the lake knows included, and reduces receipts to proof', async () => {
    const [person, device, old] = ['p.k1.i1', 'd.i1', 'd.i1-old'];
    const at = ERASED - HOUR_MS;
    await links.link({ device, person, since: at, receipt: 'r', ttl: TTL, personTtl: TTL });
    for (const id of [person, device, old]) await profileItem(id, at);
    await receipt(device, at);
    const { id } = await ask([person, device]);
    await unload('rights-linked-devices', [{ request_id: id, device_id: old }]);
    for (let twice = 0; twice < 2; twice++) await run('items');
    const request = await deps.ledger.request(id);
    expect(request?.subjects).toEqual([person, device, old]);
    expect(request?.hashes).toHaveLength(3);
    // Its own request alone still names them, until the stream has forgotten.
    expect(await itemsOf(person, device, old)).toEqual([`r.${id} request`]);
    const proof = await deps.items.receipts(`t.${await hashOf(device)}`);
    expect(proof.filter(({ receipt_id }) => receipt_id)).toMatchObject([{ granted: ['storage'], given_at: at }]);
  });

  it('takes an erased device off its person’s list, and leaves the person', async () => {
    const [person, device, other] = ['p.k1.i2', 'd.i2', 'd.i2-other'];
    const at = ERASED - HOUR_MS;
    for (const one of [device, other])
      await links.link({ device: one, person, since: at, receipt: 'r', ttl: TTL, personTtl: TTL });
    await profileItem(person, at);
    const { id } = await ask([device], { channel: 'device' });
    await run('items');
    expect(await itemsOf(device)).toEqual([`r.${id} request`]);
    expect((await links.read([person])).get(person)?.siblings).toEqual([other]);
    expect((await links.read([other])).get(other)?.siblings).toEqual([other]);
    expect(await itemsOf(person)).toEqual([`${other} link`, `${person} link`, `${person} profile`]);
  });

  it('leaves a life that began after the erasure', async () => {
    const [person, device] = ['p.k1.i3', 'd.i3'];
    await ask([person, device]);
    await links.link({ device, person, since: ERASED + 1, receipt: 'r', ttl: TTL, personTtl: TTL });
    await profileItem(person, ERASED + 1);
    await receipt(device, ERASED + 1);
    await run('items');
    expect(await deps.items.receipts(device)).toHaveLength(1);
    expect((await deps.read([{ pk: person, sk: 'profile' }], 'strong')).get(person)?.profile).toBeDefined();
    expect((await links.read([device])).get(device)?.person).toBe(person);
  });
});

describe('objects', () => {
  const failed = (...texts: string[]): string =>
    JSON.stringify({
      version: '1.0',
      payload: JSON.stringify({
        Records: texts.map((text, i) => ({
          eventID: `s:${i}`,
          kinesis: { data: Buffer.from(text).toString('base64'), partitionKey: 'd.o1', sequenceNumber: String(i) },
        })),
      }),
    });

  it('rewrites landing, failed batches and exports without the erased, and discards what is scratch', async () => {
    const mine = { device_id: 'd.o1' };
    const records = [
      event({ event_id: 'mine', ...mine }),
      event({ event_id: 'other', device_id: 'd.other' }),
      event({ event_id: 'new-life', ...mine, occurred_at: ERASED + 1, received_at: ERASED + 1 }),
      link({ ...mine, person_id: 'p.k1.o9' }),
      consent({ receipt_id: 'r1', subject: 'd.o1' }),
      serverEvent({ event_id: 'person', person_id: 'p.k1.o1' }),
    ];
    await land(
      records.map((record, i) => {
        return { shard: 's', sequenceNumber: String(i), arrivedAt: ERASED, text: JSON.stringify(record) };
      }),
      { tables, parquet: toParquet, put: deps.objects.put },
    );
    const broken = '{"kind":"event","device_id":"d.o1"';
    await deps.objects.put('aws/lambda/a', failed(JSON.stringify(records[0]), JSON.stringify(records[1]), broken));
    await deps.objects.put('aws/lambda/b', failed(JSON.stringify(records[0])));
    const entry = (profile_id: string, entered: boolean) => `${JSON.stringify({ profile_id, entered })}\n`;
    await deps.objects.put('exports/s/1.ndjson', entry('d.o1', true) + entry('d.other', true));
    await deps.objects.put('exports/s/2.ndjson', entry('d.o1', false));
    await deps.objects.put('unload/s/other-run/part-0.gz', gzipSync(entry('d.o1', true)));
    await deps.objects.put('athena/1.csv', 'd.o1');
    await ask(['d.o1', 'p.k1.o1']);

    for (let twice = 0; twice < 2; twice++) expect(await run('objects')).toEqual({});
    const seen: string[] = [];
    for (const key of await keys('landing/'))
      await rewriteParquet(tables[0] as (typeof tables)[number], (await deps.objects.get(key)) as Uint8Array, (row) =>
        Boolean(seen.push(String(row.event_id))),
      );
    expect(seen).toEqual(['other', 'new-life']);
    expect([
      await keys('landing-links/'),
      await keys('landing-consents/'),
      await keys('athena/'),
      await keys('unload/'),
    ]).toEqual([[], [], [], []]);
    expect(await keys('aws/lambda/')).toEqual(['aws/lambda/a']);
    const kept = JSON.parse(Buffer.from((await deps.objects.get('aws/lambda/a')) as Uint8Array).toString('utf8'));
    expect(JSON.parse(kept.payload).Records.map(({ eventID }: { eventID: string }) => eventID)).toEqual(['s:1']);
    const text = async (key: string) => Buffer.from((await deps.objects.get(key)) ?? []).toString('utf8');
    expect(await text('exports/s/1.ndjson')).toBe(entry('d.other', true));
    // Destinations are still to hear of the departure.
    expect(await text('exports/s/2.ndjson')).toBe(entry('d.o1', false));
    const [request] = await deps.ledger.openRequests();
    await deps.ledger.save({ ...(request as RequestItem), state: 'erased' }, true);
    await run('objects', 25);
    expect(await keys('exports/')).toEqual(['exports/s/1.ndjson']);
  });

  it('leaves other people’s scratch where nobody is erased, and drops what the run itself has unloaded', async () => {
    await deps.objects.put('athena/1.csv', 'a result');
    await deps.objects.put('unload/s/other-run/part-0.gz', gzipSync(''));
    await unload('rights-events', [{ request_id: 'x' }]);
    await run('objects');
    expect(await keys('')).toEqual(['athena/1.csv', 'unload/s/other-run/part-0.gz']);
  });

  it('stops when its time is up, and goes on from there', async () => {
    for (let i = 0; i < 20; i++) await deps.objects.put(`athena/${String(i).padStart(2, '0')}`, 'x');
    await ask(['d.o2']);
    let calls = 0;
    let cursor: string | undefined;
    do {
      elapsed += 1;
      const clock = deps.elapsed;
      let looks = 0;
      deps.elapsed = () => (looks++ === 0 ? 0 : 601_000);
      ({ cursor } = await run('objects', 1, cursor === undefined ? {} : { cursor }));
      deps.elapsed = clock;
      calls += 1;
    } while (cursor !== undefined);
    expect([calls, await keys('athena/')]).toEqual([3, []]);
  });

  it('takes bundles away that have expired, and those of the erased', async () => {
    const mine = await ask(['d.o3'], { right: 'access', state: 'ready' });
    const others = await ask(['d.o4'], { right: 'access', state: 'ready' });
    for (const { id } of [mine, others]) await deps.objects.put(`exports/access-bundles/${id}/data.json.gz`, 'x');
    await deps.ledger.save(mine, false);
    await deps.ledger.save(others, false);
    await ask(['d.o3']);
    await run('objects');
    expect(await keys('exports/')).toEqual([`exports/access-bundles/${others.id}/data.json.gz`]);
    const inAWeek = Math.ceil((Date.now() - ERASED) / HOUR_MS) + 7 * 24;
    await run('objects', inAWeek);
    expect(await keys('exports/')).toEqual([]);
  });
});

describe('bundles and close', () => {
  const segments = { s: { name: { de: 'S', en: 'S' }, description: { de: 'Weil', en: 'Because' } } };

  it('make what was asked for, once the lake knows all of its subjects', async () => {
    await profileItem('d.b1', ERASED - HOUR_MS);
    await receipt('d.b1', ERASED - HOUR_MS);
    const { id } = await ask(['d.b1'], { right: 'access', channel: 'device' });
    await unload('rights-known', []);
    await run('bundles', 1, { segments });
    await run('close');
    expect((await deps.ledger.request(id))?.state).toBe('open');

    await unload('rights-known', [{ request_id: id, subjects: '1' }]);
    await unload('rights-events', [
      { request_id: id, event: 'Page Viewed', occurred_at: ERASED },
      { request_id: 'another', event: 'Order Completed', order_id: 'not-yours' },
    ]);
    await unload('rights-segments', [{ request_id: id, segment_id: 's', entered_at: ERASED, left_at: null }]);
    await unload('rights-features', [{ request_id: id, family: 'category', feature: 'face' }]);
    await run('bundles', 1, { segments });
    await run('close');
    const read = async (format: string) =>
      gunzipSync((await deps.objects.get(`exports/access-bundles/${id}/data.${format}.gz`)) as Uint8Array).toString();
    expect(JSON.parse(await read('json'))).toMatchObject({
      events: [{ event: 'Page Viewed', occurred_at: '2026-11-24T12:00:00.000Z' }],
      segments: [{ segment: 's', reason: { description: { en: 'Because' } } }],
      features: [{ family: 'category', feature: 'face' }],
      receipts: [{ granted: ['storage'] }],
      profile: [{ first_seen: '2026-11-24T11:00:00.000Z' }],
    });
    for (const format of ['json', 'csv']) expect(await read(format)).not.toMatch(/not-yours|d\.b1/);
    const closed = await deps.ledger.request(id);
    expect([closed?.state, closed?.subjects]).toEqual(['ready', undefined]);
    expect(await deps.ledger.openRequests()).toEqual([]);
  });

  it('forget whom an erasure was about as soon as no walk needs it', async () => {
    const { id } = await ask(['d.c1']);
    await unload('rights-known', [{ request_id: id, subjects: 1 }]);
    // The walk before it discards what was unloaded, but not this.
    await run('objects');
    await run('close');
    expect(await deps.ledger.request(id)).toMatchObject({ state: 'erased', subjects: ['d.c1'] });
    await run('close', 25);
    const swept = await deps.ledger.request(id);
    expect([swept?.state, swept?.subjects, await itemsOf('d.c1')]).toEqual(['swept', undefined, []]);
  });
});

describe('leftovers', () => {
  it('finds the file that a VACUUM without the right to delete has left behind', async () => {
    await deps.objects.put('lake/events/data/a.parquet', 'x');
    await deps.objects.put('lake/events/metadata/1.json', 'x');
    await unload('rights-files-events', [{ file_path: 's3://lake/lake/events/data/a.parquet' }]);
    const later = Math.ceil((Date.now() - ERASED) / HOUR_MS) + 1;
    await run('leftovers', later);
    await deps.objects.put('lake/events/data/b.parquet', 'x');
    await expect(run('leftovers', later)).rejects.toThrow('1 files of the lake');
    expect(counted).toEqual(['LeftOver events']);
    // What a statement of this very run may have written is not judged yet.
    await run('leftovers', 0);
  });
});

describe('the fold’s look into the ledger', () => {
  it('finds erasure and objection under the hash, where no item names the id any more', async () => {
    const read = readsWithLedger(client, { profiles: 'profiles', consents: 'consents' });
    await deps.ledger.noteErasure(await hashOf('d.l1'), 'x', ERASED);
    await deps.ledger.noteErasure(await hashOf('d.l1'), 'older', ERASED - 1);
    await ledger.noteObjection(await hashOf('d.l2'), ERASED);
    await ledger.noteObjection(await hashOf('d.l2'), ERASED + 1);
    await links.link({ device: 'd.l2', person: 'p.k1.l2', since: 1, receipt: 'r', ttl: TTL, personTtl: TTL });
    const stored = await read(
      ['d.l1', 'd.l2', 'd.l3'].flatMap((pk) => [
        { pk, sk: 'profile' as const },
        { pk, sk: 'link' as const },
      ]),
      'strong',
    );
    expect(stored.get('d.l1')?.link).toEqual({ pk: 'd.l1', sk: 'link', erased: ERASED, ttl: Number.POSITIVE_INFINITY });
    expect(stored.get('d.l2')?.link).toMatchObject({ person: 'p.k1.l2', objected: ERASED, ttl: TTL });
    expect(stored.get('d.l3')).toBeUndefined();
  });
});
