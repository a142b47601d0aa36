import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { decodeJwt, jwtVerify } from 'jose';
import type { RejectionRecord } from '../../domain/stream-record.ts';
import { FailureRecord } from '../../local/on-failure.ts';
import type { PlatformStatus } from '../../local/platform.ts';
import { readControl, readSecrets } from '../../local/secrets.ts';

// Starts of whole platforms, on a machine that may be busy.
jest.setTimeout(120_000);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const REGION = 'eu-central-1';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

type Output = { code: number; stdout: string; stderr: string };

/** Runs one of the local tools to its end. */
const tool = (name: string, ...args: string[]): Promise<Output> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['--no-warnings', `local/${name}.ts`, ...args], { cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

/** Starts a platform on a free port and waits until it has printed its doors. */
async function start(state: string, env: Record<string, string> = {}): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(
    process.execPath,
    ['--no-warnings', 'local/start.ts', '--port', '0', '--state', state, '--plan-every', 'off'],
    {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let printed = '';
  for await (const data of child.stdout.iterator({ destroyOnReturn: false })) {
    printed += data;
    if (printed.includes('Ctrl-C')) break;
  }
  child.stdout.resume();
  const url = /door\s+(\S+)/.exec(printed)?.[1];
  if (!url) throw new Error(`the platform did not come up: ${printed}`);
  return { process: child, url };
}

async function end(
  child: ChildProcess,
  signal: NodeJS.Signals,
): Promise<{ code: number | null; signal: string | null }> {
  const exit = once(child, 'exit');
  child.kill(signal);
  const [code, by] = (await exit) as [number | null, string | null];
  return { code, signal: by };
}

const statusOf = async (url: string): Promise<PlatformStatus> =>
  (await (await fetch(`${url}/local/status`)).json()) as PlatformStatus;

async function until<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    await sleep(50);
  }
}

const caughtUp = (url: string) =>
  until(async () => ((await statusOf(url)).consumers.every(({ behind }) => behind === 0) ? true : undefined));

describe('a running platform', () => {
  let state: string;
  let child: ChildProcess;
  let url: string;
  let s3: S3Client;
  let kinesis: KinesisClient;

  beforeAll(async () => {
    state = mkdtempSync(join(tmpdir(), 'paula-platform-'));
    ({ process: child, url } = await start(state));
    const { engines } = await statusOf(url);
    s3 = new S3Client({ region: REGION, credentials, endpoint: engines.s3 });
    kinesis = new KinesisClient({
      region: REGION,
      credentials,
      endpoint: engines.kinesis,
      requestHandler: new NodeHttpHandler(),
    });
  });
  afterAll(async () => {
    s3.destroy();
    kinesis.destroy();
    expect(await end(child, 'SIGINT')).toEqual({ code: 0, signal: null });
    await expect(fetch(url)).rejects.toThrow();
    rmSync(state, { recursive: true });
  });

  it('keeps what its consumers give up, goes on, and replays it into the consumer that failed', async () => {
    const put = (text: string) =>
      kinesis.send(
        new PutRecordsCommand({
          StreamName: 'paula-events',
          Records: [{ PartitionKey: 'k', Data: Buffer.from(text) }],
        }),
      );
    await put('no record at all');
    const failed = await until(async () => {
      const { stdout } = await tool('failed', 'list', '--state', state);
      const keys = [...stdout.matchAll(/aws\/lambda\/\S+/g)].map(([key]) => key);
      return keys.length === 2 ? keys : undefined;
    });
    // The stream has not stopped: what comes after it is taken.
    expect((await fetch(`${url}/p.gif?e=view&site=shop`)).status).toBe(200);
    await caughtUp(url);

    const read = async (Key: string): Promise<FailureRecord> => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'paula-lake', Key }));
      return FailureRecord.parse(JSON.parse((await Body?.transformToString()) ?? ''));
    };
    const records = new Map<string, FailureRecord>();
    for (const key of failed) records.set(key, await read(key));
    const consumers = [...records.values()].map(({ requestContext }) => requestContext.functionArn.split(':').at(-1));
    expect(consumers.toSorted()).toEqual(['land', 'profile']);

    const [landKey = '', landRecord] =
      [...records].find(([, { requestContext }]) => requestContext.functionArn.endsWith(':land')) ?? [];
    const again = await tool('failed', 'replay', landKey, '--state', state);
    expect([again.code, again.stdout]).toEqual([
      1,
      'land: 1 records sent, 1 failed again and are kept as new failed batches\n',
    ]);

    // The same batch as it would be had the fault been in the function: a record that it takes now.
    const rejection: RejectionRecord = { kind: 'rejected', received_at: Date.now(), reason: 'replayed', site: 'shop' };
    const event = JSON.parse(landRecord?.payload ?? '');
    event.Records[0].kinesis.data = Buffer.from(JSON.stringify(rejection)).toString('base64');
    const Body = JSON.stringify({ ...landRecord, payload: JSON.stringify(event) });
    await s3.send(new PutObjectCommand({ Bucket: 'paula-lake', Key: landKey, Body }));
    const taken = await tool('failed', 'replay', landKey, '--state', state);
    expect([taken.code, taken.stdout]).toEqual([
      0,
      'land: 1 records sent, 0 failed again and are kept as new failed batches\n',
    ]);
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: 'paula-lake', Prefix: 'rejected/' }));
    expect((listed.Contents ?? []).filter(({ Key }) => Key?.includes('replayed-shardId-'))).toHaveLength(1);
    expect((await tool('failed', 'list', '--state', state)).stdout).not.toContain(landKey);
  });

  it('runs the plan on demand, for whoever holds the token', async () => {
    const { token } = readControl(state);
    const ask = (header: Record<string, string>, query = '') =>
      fetch(`${url}/local/plan${query}`, { method: 'POST', headers: header });
    expect((await ask({})).status).toBe(401);
    expect((await ask({ 'x-paula-control': 'x'.repeat(token.length) })).status).toBe(401);
    expect((await ask({ 'x-paula-control': token }, '?as_of=yesterday')).status).toBe(400);
    const asOf = '2026-11-24T12:00:00.000Z';
    const run = await ask({ 'x-paula-control': token }, `?as_of=${asOf}`);
    expect([run.status, await run.json()]).toEqual([200, { asOf, ms: expect.any(Number) }]);
    expect(await statusOf(url)).toMatchObject({ planRuns: 1, lastPlan: { asOf } });
  });

  it('refuses a second platform on its port or its state folder, in a line each', async () => {
    const port = new URL(url).port;
    const other = join(state, 'other');
    expect(await tool('start', '--port', port, '--state', other)).toEqual({
      code: 1,
      stdout: '',
      stderr: `port ${port} is occupied: stop what listens there, or choose another with --port\n`,
    });
    const locked = await tool('start', '--port', '0', '--state', state);
    expect([locked.code, locked.stderr]).toEqual([1, `the state folder ${state} is in use by process ${child.pid}\n`]);
  });

  it('prints keys, and identity tokens as the brand’s server signs them', async () => {
    const keys = readSecrets(state);
    const { stdout } = await tool('keys', 'show', '--state', state);
    expect(stdout).toContain(`shop_backend ${keys.writeKeys.shop_backend?.[0]}\n`);
    const token = (await tool('keys', 'token', 'customer-1', 'shop', '--state', state)).stdout.trim();
    const key = keys.identity.shop?.[0];
    const verified = await jwtVerify(token, Buffer.from(key?.key ?? '', 'base64url'), {
      audience: 'shop',
      subject: 'customer-1',
    });
    expect(verified.protectedHeader).toEqual({ alg: 'HS256', kid: key?.id });
    const { exp = 0, iat = 0 } = decodeJwt(token);
    expect(exp - iat).toBe(600);
    expect((await tool('keys', 'token', 'customer-1', 'nowhere', '--state', state)).code).toBe(1);
  });
});

it('comes up again on what a kill at any of its points has left, and goes on from there', async () => {
  const state = mkdtempSync(join(tmpdir(), 'paula-killed-'));
  try {
    for (const point of ['door.answer', 'profile.checkpoint', 'land.checkpoint']) {
      const { process: child, url } = await start(state, { PAULA_FAULT: `${point}:1` });
      const exit = once(child, 'exit');
      const answered = await fetch(`${url}/p.gif?e=view&site=shop`).then(
        ({ status }) => status,
        () => 'killed',
      );
      expect(answered).toBe(point === 'door.answer' ? 'killed' : 200);
      expect(await exit).toEqual([null, 'SIGKILL']);
    }
    const log = readFileSync(join(state, 'faults.log'), 'utf8').trim().split('\n');
    expect(log.map((line) => line.split(' ')[1])).toEqual([
      'door.answer:1',
      'profile.checkpoint:1',
      'land.checkpoint:1',
    ]);

    const keys = readSecrets(state);
    const { process: child, url } = await start(state);
    await caughtUp(url);
    expect(readSecrets(state)).toEqual(keys);
    expect((await statusOf(url)).rss).toBeGreaterThan(0);
    const checkpoints = (await statusOf(url)).consumers.map(({ name, shard }) =>
      join(state, 'checkpoints', `${name}.${shard}`),
    );
    expect(checkpoints.filter((path) => statSync(path, { throwIfNoEntry: false })).length).toBeGreaterThanOrEqual(2);
    expect(await end(child, 'SIGTERM')).toEqual({ code: 0, signal: null });
  } finally {
    rmSync(state, { recursive: true });
  }
});
