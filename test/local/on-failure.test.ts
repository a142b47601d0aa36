import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from '@jest/globals';
import type { KinesisStreamRecord } from 'aws-lambda';
import { consumerOf, failureKey, failureRecord, onFailureDestination } from '../../local/on-failure.ts';
import { startS3 } from '../../local/s3-server.ts';

const AT = Date.UTC(2026, 10, 24, 11, 14, 13, 250);
const SOURCE = {
  region: 'eu-central-1',
  consumer: 'land',
  shardId: 'shardId-000000000001',
  streamArn: 'arn:aws:kinesis:eu-central-1:000000000000:stream/s',
};

const records = [1, 2].map(
  (n): KinesisStreamRecord => ({
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: 'k',
      sequenceNumber: `4960118965842235937883629852182763847532018901230970472${n}`,
      data: 'e30=',
      approximateArrivalTimestamp: 1_574_000_000.5 + n,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `shardId-000000000001:${n}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: '',
    awsRegion: 'eu-central-1',
    eventSourceARN: SOURCE.streamArn,
  }),
);

it('has the documented shape of an invocation record for S3, with the whole event', () => {
  const discarded = { records, condition: 'RetryAttemptsExhausted', invokeCount: 4, threw: true } as const;
  const record = failureRecord(discarded, SOURCE, AT);
  expect(record).toEqual({
    requestContext: {
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      functionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:land',
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 4,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: '2026-11-24T11:14:13.250Z',
    KinesisBatchInfo: {
      shardId: 'shardId-000000000001',
      startSequenceNumber: records[0]?.kinesis.sequenceNumber,
      endSequenceNumber: records[1]?.kinesis.sequenceNumber,
      approximateArrivalOfFirstRecord: '2019-11-17T14:13:21.500Z',
      approximateArrivalOfLastRecord: '2019-11-17T14:13:22.500Z',
      batchSize: 2,
      streamArn: SOURCE.streamArn,
    },
    payload: JSON.stringify({ Records: records }),
  });
  expect(consumerOf(record)).toBe('land');
});

it('has no response where the function was not called', () => {
  const discarded = { records, condition: 'RecordAgeExceeded', invokeCount: 0, threw: false } as const;
  expect(failureRecord(discarded, SOURCE, AT)).not.toHaveProperty('responseContext');
});

it('is kept, listed, read and removed under Lambda’s own names', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'paula-failed-'));
  const engine = await startS3(folder, 'eu-central-1', 'paula-lake');
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new S3Client({ region: 'eu-central-1', endpoint: engine.endpoint, credentials });
  try {
    const destination = onFailureDestination(client, 'paula-lake');
    const discarded = { records, condition: 'RetryAttemptsExhausted', invokeCount: 6, threw: false } as const;
    const record = failureRecord(discarded, SOURCE, AT);
    const key = failureKey('land', SOURCE.shardId, AT);
    const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
    expect(key).toMatch(
      new RegExp(`^aws/lambda/${uuid}/shardId-000000000001/2026/11/24/2026-11-24T11\\.14\\.13-${uuid}$`),
    );
    await destination.put(key, record);
    expect(await destination.list()).toEqual([{ key, at: expect.any(String), bytes: JSON.stringify(record).length }]);
    expect(await destination.get(key)).toEqual(record);
    await expect(destination.get('landing/x')).rejects.toThrow('not a key of the on-failure destination');
    await destination.remove(key);
    expect(await destination.list()).toEqual([]);
  } finally {
    client.destroy();
    await engine.stop();
    rmSync(folder, { recursive: true });
  }
});
