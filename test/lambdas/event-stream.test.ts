import { createServer, type Server } from 'node:http';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { eventStream } from '../../lambdas/adapters/event-stream.ts';
import { LOOPBACK, listen } from '../../local/loopback.ts';

/** How the endpoint treats the records of each call, by partition key; kinesalite never fails a part of a call. */
type Answer = (keys: string[], call: number) => { status: number; failed: (key: string) => boolean };

let server: Server;
let client: KinesisClient;
let calls: string[][] = [];
let answer: Answer;

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { Records } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { Records: { PartitionKey: string }[] };
      const keys = Records.map(({ PartitionKey }) => PartitionKey);
      calls.push(keys);
      const { status, failed } = answer(keys, calls.length);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      if (status !== 200) return response.end(JSON.stringify({ __type: 'InternalFailure' }));
      const records = keys.map((key, i) =>
        failed(key)
          ? { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'slow down' }
          : { ShardId: 'shardId-000000000000', SequenceNumber: String(i) },
      );
      return response.end(JSON.stringify({ FailedRecordCount: keys.filter(failed).length, Records: records }));
    });
  });
  const port = await listen(server, 0);
  client = new KinesisClient({
    endpoint: `http://${LOOPBACK}:${port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  });
});

afterAll(() => {
  client.destroy();
  server.close();
});

beforeEach(() => {
  calls = [];
});

const record: StreamRecord = { kind: 'rejected', received_at: 0, reason: 'field_invalid' };
const batch = (...keys: string[]) => keys.map((key) => ({ key, record }));

describe('eventStream', () => {
  it('retries only what a partial failure leaves', async () => {
    answer = (_, call) => ({ status: 200, failed: (key) => call < 3 && key !== 'a' });
    expect(await eventStream(client, 'events')(batch('a', 'b', 'c'))).toEqual([]);
    expect(calls).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
      ['b', 'c'],
    ]);
  });

  it('returns the indices that still fail after its attempts', async () => {
    answer = () => ({ status: 200, failed: (key) => key === 'b' });
    expect(await eventStream(client, 'events')(batch('a', 'b', 'c'))).toEqual([1]);
    expect(calls).toHaveLength(4);
  });

  it('does not throw for a service that fails as a whole', async () => {
    answer = () => ({ status: 500, failed: () => false });
    expect(await eventStream(client, 'events')(batch('a', 'b'))).toEqual([0, 1]);
    expect(calls).toHaveLength(4);
  });

  it('cuts what is more than 500 records into several calls', async () => {
    answer = () => ({ status: 200, failed: () => false });
    expect(await eventStream(client, 'events')(batch(...Array.from({ length: 1201 }, (_, i) => `k${i}`)))).toEqual([]);
    expect(calls.map((keys) => keys.length)).toEqual([500, 500, 201]);
  });
});
