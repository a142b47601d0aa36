import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Context, KinesisStreamEvent } from 'aws-lambda';
import { objectStore } from '../../lambdas/adapters/object-store.ts';
import { startS3 } from '../../local/s3-server.ts';
import { event } from '../sql/fixture-lake.ts';

const REGION = 'eu-central-1';
const folder = mkdtempSync(join(tmpdir(), 'paula-land-'));
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
let server: Awaited<ReturnType<typeof startS3>>;
let s3: S3Client;

beforeAll(async () => {
  server = await startS3(folder, REGION, 'lake');
  s3 = new S3Client({ region: REGION, endpoint: server.endpoint, forcePathStyle: true, credentials });
  Object.assign(process.env, {
    STAGE: 'local',
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_S3: server.endpoint,
    BUCKET_NAME: 'lake',
  });
});
afterAll(async () => {
  s3.destroy();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const record = (text: string, n: number): KinesisStreamEvent['Records'][number] => ({
  awsRegion: REGION,
  eventID: `shardId-000000000003:${n}`,
  eventName: 'aws:kinesis:record',
  eventSource: 'aws:kinesis',
  eventSourceARN: `arn:aws:kinesis:${REGION}:000000000000:stream/events`,
  eventVersion: '1.0',
  invokeIdentityArn: `arn:aws:iam::000000000000:role/land`,
  kinesis: {
    kinesisSchemaVersion: '1.0',
    partitionKey: 'k',
    sequenceNumber: String(n),
    approximateArrivalTimestamp: Date.parse('2026-11-24T10:00:00.250Z') / 1000,
    data: Buffer.from(text).toString('base64'),
  },
});

describe('the entry of land', () => {
  it('puts a Kinesis batch into the bucket and names the record that it cannot read', async () => {
    const { handler } = await import('../../lambdas/land.lambda.ts');
    const good = JSON.stringify(event({ event_id: 'e1', category: 'Größe' }));
    expect(await handler({ Records: [record(good, 41), record(good, 42)] }, {} as Context)).toEqual({
      batchItemFailures: [],
    });
    expect(await handler({ Records: [record(good, 43), record('{', 44), record(good, 45)] }, {} as Context)).toEqual({
      batchItemFailures: [{ itemIdentifier: '44' }],
    });
    expect((await objectStore(s3, 'lake').list('')).sort()).toEqual([
      'landing/dt=2026-11-24/hour=10/shardId-000000000003-41-42.parquet',
      'landing/dt=2026-11-24/hour=10/shardId-000000000003-43-43.parquet',
    ]);
  });
});
