import { mkdirSync, rmSync } from 'node:fs';
import { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import kinesalite from 'kinesalite';
import { close, type Engine, LOOPBACK, listen, surviveAbortedRequests } from './loopback.ts';

/** The most shards that a stage may have; kinesalite's own default of ten is an account limit of the past. */
const SHARD_LIMIT = 200;

export type KinesisEngine = Engine & { streamArn: string };

/**
 * Starts Kinesis (kinesalite) on a folder and makes the stream where it is missing; returns once it is active. A stream
 * that exists keeps its shards: a state folder is not resharded when the configuration changes.
 */
export async function startKinesis(
  folder: string,
  region: string,
  stream: { name: string; shards: number },
): Promise<KinesisEngine> {
  const engine = await open(folder);
  const streamArn = await makeStream(engine.endpoint, region, stream);
  if (streamArn) return { ...engine, streamArn };
  // A kill between "creating" and "active" leaves a stream that stays so; no record was ever accepted into it.
  await engine.stop();
  rmSync(folder, { recursive: true });
  const again = await open(folder);
  const arn = await makeStream(again.endpoint, region, stream);
  if (!arn) throw new Error('Kinesis (kinesalite) makes no stream');
  return { ...again, streamArn: arn };
}

async function open(folder: string): Promise<Engine> {
  mkdirSync(folder, { recursive: true });
  const server = kinesalite({ path: folder, createStreamMs: 0, deleteStreamMs: 0, shardLimit: SHARD_LIMIT });
  surviveAbortedRequests(server);
  const port = await listen(server, 0);
  return { port, endpoint: `http://${LOOPBACK}:${port}`, stop: () => stop(server) };
}

/**
 * kinesalite's own `close` closes the database first, and a request that is writing to it then ends the process with a
 * segmentation fault. So the requests end first, as in any HTTP server, and what `close` says of it after that is no news.
 */
async function stop(server: Server): Promise<void> {
  await close(server, Server.prototype.close);
  await new Promise((resolve) => server.close(resolve));
}

/** Returns the stream's ARN, or undefined where it is stuck in the making. */
async function makeStream(
  endpoint: string,
  region: string,
  { name, shards }: { name: string; shards: number },
): Promise<string | undefined> {
  const client = new KinesisClient({
    endpoint,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    // The SDK's own choice for Kinesis is HTTP/2, which kinesalite does not speak.
    requestHandler: new NodeHttpHandler(),
  });
  const describe = async () => {
    try {
      const command = new DescribeStreamSummaryCommand({ StreamName: name });
      return (await client.send(command)).StreamDescriptionSummary;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };
  try {
    const found = await describe();
    if (found) return found.StreamStatus === 'ACTIVE' ? found.StreamARN : undefined;
    await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
    for (;;) {
      const made = await describe();
      if (made?.StreamStatus === 'ACTIVE') return made.StreamARN;
      await sleep(5);
    }
  } finally {
    client.destroy();
  }
}
