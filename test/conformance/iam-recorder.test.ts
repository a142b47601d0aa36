import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callOf, type RecordedCall, readCalls } from '../../conformance/iam/recorded-call.ts';
import { recordingNode } from '../../conformance/iam/recording-node.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import { startKinesis } from '../../local/kinesis-server.ts';
import { startS3 } from '../../local/s3-server.ts';

const ROOT = join(import.meta.dirname, '../..');
const REGION = 'eu-central-1';
const SECRET_TEXT = 'nothing-of-an-item-is-recorded';

/** Every kind of call that the functions make, by their own adapters. */
const CALLER = `
  import { dynamo, kinesis, s3 } from '${ROOT}/lambdas/adapters/clients.ts';
  import { batchGet } from '${ROOT}/lambdas/adapters/batch-get.ts';
  import { audienceStore } from '${ROOT}/lambdas/adapters/audience-store.ts';
  import { eventStream } from '${ROOT}/lambdas/adapters/event-stream.ts';
  import { objectStore } from '${ROOT}/lambdas/adapters/object-store.ts';
  const objects = objectStore(s3(), 'lake');
  await objects.put('exports/a b.ndjson', '${SECRET_TEXT}');
  await objects.list('exports/');
  for await (const line of objects.lines('exports/a b.ndjson')) if (line !== '${SECRET_TEXT}') throw new Error(line);
  const audiences = audienceStore(dynamo(), { profiles: 'profiles', control: 'control' });
  await audiences.enter('${SECRET_TEXT}', 'segment');
  await audiences.enter('${SECRET_TEXT}', 'segment');
  await audiences.leave('${SECRET_TEXT}', 'segment');
  await batchGet(dynamo(), 'control', [{ pk: { S: '${SECRET_TEXT}' } }], 'strong');
  const failed = await eventStream(kinesis(), 'events')([{ key: '${SECRET_TEXT}', record: {} }]);
  if (failed.length > 0) throw new Error('the stream takes nothing');
  process.exit(0);
`;

describe('the recorder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'paula-recorder-'));
  const script = join(folder, 'caller.mjs');
  const engines: { stop(): unknown }[] = [];
  let endpoints: Record<string, string>;

  beforeAll(async () => {
    const dynamo = await startDynamo(join(folder, 'dynamo'), REGION, [
      { name: 'profiles', sk: true },
      { name: 'control', sk: false },
    ]);
    const kinesis = await startKinesis(join(folder, 'kinesis'), REGION, { name: 'events', shards: 1 });
    const s3 = await startS3(join(folder, 's3'), REGION, 'lake');
    engines.push(dynamo, kinesis, s3);
    endpoints = {
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint,
      AWS_ENDPOINT_URL_S3: s3.endpoint,
    };
    writeFileSync(script, CALLER);
  });
  afterAll(async () => {
    for (const engine of engines) await engine.stop();
    rmSync(folder, { recursive: true });
  });

  /** Runs the caller and answers with what was recorded. */
  async function recorded(name: string, env: Record<string, string>): Promise<string> {
    const callsFile = join(folder, `calls of ${name}'s.ndjson`);
    const node = join(recordingNode(join(folder, name), callsFile), 'node');
    const given = {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      ...endpoints,
      ...env,
    };
    await promisify(execFile)(node, [script], { cwd: ROOT, env: { PATH: process.env.PATH, ...given } });
    return existsSync(callsFile) ? readFileSync(callsFile, 'utf8') : '';
  }

  it('writes each kind of call of a function once, with names and nothing else', async () => {
    const text = await recorded('Paula', { AWS_LAMBDA_FUNCTION_NAME: 'publish' });
    expect(text).not.toContain(SECRET_TEXT);
    const call = (service: string, operation: string, resource: string, more: Partial<RecordedCall> = {}) => ({
      function: 'publish',
      service,
      region: REGION,
      operation,
      resources: [resource],
      ...more,
    });
    expect(readCalls(text)).toEqual([
      call('s3', 'PutObject', 'lake', { key: 'exports/a b.ndjson' }),
      call('s3', 'ListObjectsV2', 'lake', { prefix: 'exports/' }),
      call('s3', 'GetObject', 'lake', { key: 'exports/a b.ndjson' }),
      call('dynamodb', 'UpdateItem', 'profiles'),
      call('dynamodb', 'DeleteItem', 'profiles'),
      call('dynamodb', 'BatchGetItem', 'control'),
      call('kinesis', 'PutRecords', 'events'),
    ]);
  });

  it('leaves out what no function calls', async () => {
    expect(await recorded('nobody', {})).toBe('');
  });
});

describe('a sent request', () => {
  const authorization =
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/eu-west-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0';

  it('is signed for a service and a region, and says what it is about', () => {
    const headers = { authorization, 'x-amz-target': 'secretsmanager.GetSecretValue' };
    expect(callOf({ path: '/', headers, body: '{"SecretId":"arn:of:the:secret"}' })).toEqual({
      service: 'secretsmanager',
      region: 'eu-west-1',
      operation: 'GetSecretValue',
      resources: ['arn:of:the:secret'],
    });
  });

  it('is no call where it is not signed, and a call of no known kind where it does not say', () => {
    expect(callOf({ path: '/', headers: {}, body: '' })).toBeUndefined();
    expect(callOf({ path: '/', headers: { authorization }, body: 'Action=AssumeRole' })).toMatchObject({
      operation: '',
      resources: [],
    });
  });
});
