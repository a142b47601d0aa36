import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startDynamo } from '../../local/dynamo-server.ts';
import { startKinesis } from '../../local/kinesis-server.ts';
import { LOOPBACK } from '../../local/loopback.ts';
import { startS3 } from '../../local/s3-server.ts';

const REGION = 'eu-central-1';
const BUCKET = 'paula-lake';
const STREAM = { name: 'events', shards: 1 };
const TABLES = [{ name: 'items', sk: false }];
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paula-engines-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a program of this repository in a process of its own. */
const ARGS = (program: string) => ['--no-warnings', '--input-type=module', '-e', program];
const root = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);

/** Starts the engines on the folder and writes number after number into each; a line says that all three have taken it. */
const writer = (from: number) => `
  import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
  import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
  import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
  import { NodeHttpHandler } from '@smithy/node-http-handler';
  const { startDynamo } = await import(${root('local/dynamo-server.ts')});
  const { startKinesis } = await import(${root('local/kinesis-server.ts')});
  const { startS3 } = await import(${root('local/s3-server.ts')});
  const at = (name) => ${JSON.stringify(folder)} + '/' + name;
  const dynamo = await startDynamo(at('dynamo'), '${REGION}', ${JSON.stringify(TABLES)});
  const kinesis = await startKinesis(at('kinesis'), '${REGION}', ${JSON.stringify(STREAM)});
  const s3 = await startS3(at('s3'), '${REGION}', '${BUCKET}');
  const options = { region: '${REGION}', credentials: ${JSON.stringify(credentials)} };
  const clients = {
    dynamo: new DynamoDBClient({ ...options, endpoint: dynamo.endpoint }),
    kinesis: new KinesisClient({ ...options, endpoint: kinesis.endpoint, requestHandler: new NodeHttpHandler() }),
    s3: new S3Client({ ...options, endpoint: s3.endpoint }),
  };
  for (let n = ${from}; ; n++) {
    const text = 'number ' + n + ' ' + 'x'.repeat(2000);
    await Promise.all([
      clients.dynamo.send(new PutItemCommand({ TableName: 'items', Item: { pk: { S: String(n) }, text: { S: text } } })),
      clients.kinesis.send(new PutRecordsCommand({ StreamName: 'events', Records: [{ PartitionKey: 'k', Data: Buffer.from(text) }] })),
      clients.s3.send(new PutObjectCommand({ Bucket: '${BUCKET}', Key: 'n/' + n, Body: text })),
    ]);
    console.log(n);
  }`;

/** Lets the writer run until it has written some more, kills it and returns the last number that all had taken. */
async function writeAndKill(from: number, some: number): Promise<number> {
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, ARGS(writer(from)), {
    cwd: new URL('../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  let last = from - 1;
  for await (const line of createInterface(child.stdout)) {
    last = Number(line);
    if (last >= from + some) child.kill('SIGKILL');
  }
  const [, signal] = await exit;
  expect(signal).toBe('SIGKILL');
  return last;
}

it('keep all that they have confirmed over kill -9 and start again', async () => {
  let last = 0;
  for (const some of [10, 37, 5]) last = await writeAndKill(last + 1, some);

  const dynamo = await startDynamo(join(folder, 'dynamo'), REGION, TABLES);
  const kinesis = await startKinesis(join(folder, 'kinesis'), REGION, STREAM);
  const s3 = await startS3(join(folder, 's3'), REGION, BUCKET);
  const items = new DynamoDBClient({ region: REGION, credentials, endpoint: dynamo.endpoint });
  const stream = new KinesisClient({
    region: REGION,
    credentials,
    endpoint: kinesis.endpoint,
    requestHandler: new NodeHttpHandler(),
  });
  const objects = new S3Client({ region: REGION, credentials, endpoint: s3.endpoint });
  try {
    const numbers = Array.from({ length: last }, (_, index) => index + 1);
    const Keys = numbers.map((n) => ({ pk: { S: String(n) } }));
    const { Responses } = await items.send(new BatchGetItemCommand({ RequestItems: { items: { Keys } } }));
    expect(Responses?.items).toHaveLength(last);

    const { ShardIterator } = await stream.send(
      new GetShardIteratorCommand({
        StreamName: STREAM.name,
        ShardId: 'shardId-000000000000',
        ShardIteratorType: 'TRIM_HORIZON',
      }),
    );
    const { Records = [] } = await stream.send(new GetRecordsCommand({ ShardIterator }));
    const streamed = Records.map(({ Data }) =>
      Number(
        Buffer.from(Data ?? [])
          .toString()
          .split(' ')[1],
      ),
    );
    expect(streamed.filter((n) => n <= last)).toEqual(expect.arrayContaining(numbers));
    expect(streamed).toEqual(streamed.toSorted((a, b) => a - b));

    for (const n of numbers) {
      const { Body } = await objects.send(new GetObjectCommand({ Bucket: BUCKET, Key: `n/${n}` }));
      expect(await Body?.transformToString()).toBe(`number ${n} ${'x'.repeat(2000)}`);
    }
  } finally {
    for (const client of [items, stream, objects]) client.destroy();
    await Promise.all([dynamo.stop(), kinesis.stop(), s3.stop()]);
  }
}, 60_000);

describe('a kill while something is being made', () => {
  /** Has an engine make its first thing so slowly that the process ends before that. */
  const leaveHalfMade = (engine: 'dynalite' | 'kinesalite', target: string, body: unknown) => {
    const program = `
      import engine from '${engine}';
      import { mkdirSync } from 'node:fs';
      const path = ${JSON.stringify(join(folder, 'half'))};
      mkdirSync(path);
      const server = engine({ path, createTableMs: 1e6, createStreamMs: 1e6, shardLimit: 9 }).listen(0, '${LOOPBACK}', async () => {
        const response = await fetch('http://${LOOPBACK}:' + server.address().port, {
          method: 'POST',
          headers: {
            'content-type': 'application/x-amz-json-1.${engine === 'dynalite' ? 0 : 1}',
            'x-amz-target': '${target}',
            'x-amz-date': '20261124T000000Z',
            authorization: 'AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=s, SignedHeaders=h',
          },
          body: ${JSON.stringify(JSON.stringify(body))},
        });
        console.log(response.status);
        process.kill(process.pid, 'SIGKILL');
      });`;
    const { stdout } = spawnSync(process.execPath, ARGS(program), {
      cwd: new URL('../..', import.meta.url),
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe('200');
  };

  it('leaves no table that never becomes active', async () => {
    leaveHalfMade('dynalite', 'DynamoDB_20120810.CreateTable', {
      TableName: 'items',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    });
    const engine = await startDynamo(join(folder, 'half'), REGION, TABLES);
    const client = new DynamoDBClient({ region: REGION, credentials, endpoint: engine.endpoint });
    const read = new BatchGetItemCommand({ RequestItems: { items: { Keys: [{ pk: { S: '1' } }] } } });
    expect((await client.send(read)).Responses?.items).toEqual([]);
    client.destroy();
    await engine.stop();
  });

  it('leaves no stream that never becomes active', async () => {
    leaveHalfMade('kinesalite', 'Kinesis_20131202.CreateStream', { StreamName: 'events', ShardCount: 1 });
    const engine = await startKinesis(join(folder, 'half'), REGION, STREAM);
    expect(engine.streamArn).toMatch(/:stream\/events$/);
    await engine.stop();
  });
});

it.each([
  ['Dynamo', 'dynamo', TABLES],
  ['Kinesis', 'kinesis', STREAM],
])('%s survives a client that hangs up in the middle of a request', (name, file, content) => {
  const program = `
    import { connect } from 'node:net';
    const { start${name} } = await import(${root(`local/${file}-server.ts`)});
    const engine = await start${name}(${JSON.stringify(join(folder, file))}, '${REGION}', ${JSON.stringify(content)});
    const socket = connect(engine.port, '${LOOPBACK}', () => {
      socket.write('POST / HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 1000\\r\\n\\r\\nhalf', () => socket.destroy());
    });
    await new Promise((resolve) => socket.on('close', resolve));
    const after = await fetch(engine.endpoint, { method: 'POST', body: 'x' });
    console.log(after.status);
    await engine.stop();`;
  const { stdout, status } = spawnSync(process.execPath, ARGS(program), {
    encoding: 'utf8',
    cwd: new URL('../..', import.meta.url),
  });
  expect([status, Number(stdout) >= 400]).toEqual([0, true]);
});

it('Kinesis ends the requests under way before its database', () => {
  const program = `
    import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
    import { NodeHttpHandler } from '@smithy/node-http-handler';
    const { startKinesis } = await import(${root('local/kinesis-server.ts')});
    for (let round = 0; round < 5; round++) {
      const engine = await startKinesis(${JSON.stringify(join(folder, 'kinesis'))}, '${REGION}', ${JSON.stringify(STREAM)});
      const client = new KinesisClient({
        region: '${REGION}',
        credentials: ${JSON.stringify(credentials)},
        endpoint: engine.endpoint,
        requestHandler: new NodeHttpHandler(),
        maxAttempts: 1,
      });
      const Records = Array.from({ length: 100 }, (_, n) => ({ PartitionKey: 'k' + n, Data: Buffer.alloc(5000) }));
      const put = () => client.send(new PutRecordsCommand({ StreamName: 'events', Records }));
      await put();
      const puts = Array.from({ length: 20 }, put);
      await Promise.race(puts);
      await engine.stop();
      await Promise.allSettled(puts);
      client.destroy();
    }
    console.log('ended');`;
  const { stdout, signal } = spawnSync(process.execPath, ARGS(program), {
    encoding: 'utf8',
    cwd: new URL('../..', import.meta.url),
  });
  expect([signal, stdout]).toEqual([null, 'ended\n']);
}, 30_000);
