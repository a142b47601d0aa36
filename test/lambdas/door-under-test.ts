import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignJWT } from 'jose';
import type { PaulaConfig } from '../../domain/config.ts';
import { completeKeys, type Keys } from '../../domain/keys.ts';
import { decodeStreamRecord, type StreamRecord } from '../../domain/stream-record.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { eventStream } from '../../lambdas/adapters/event-stream.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import { verifyIdentityToken } from '../../lambdas/adapters/identity-token.ts';
import { randomKey } from '../../lambdas/adapters/keys-document.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { receiptStore } from '../../lambdas/adapters/receipt-store.ts';
import { userAgentReader } from '../../lambdas/adapters/user-agent.ts';
import { admissionDeps } from '../../lambdas/collect/admit-request.ts';
import type { CollectDeps } from '../../lambdas/collect/deps.ts';
import { receiptTerms } from '../../lambdas/collect/receipt-terms.ts';
import { collect } from '../../lambdas/collect.ts';
import type { Response } from '../../lambdas/http.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import { startKinesis } from '../../local/kinesis-server.ts';
import type { Engine } from '../../local/loopback.ts';

export const REGION = 'eu-central-1';
/** A page of the demo's shop. */
export const ORIGIN = 'https://www.lindenblatt.example';

const STREAM = 'events';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** The use case `collect` over tables and a stream of its own, which a test file starts before its tests and ends after them. */
export type DoorUnderTest = {
  keys: Keys;
  dynamo: DynamoDBClient;
  /** What the use case reaches; a test may put another one here for a while. */
  deps: CollectDeps;
  /** What the last request was counted as: metric and dimension. */
  counted: string[];
  /** How often the last request asked for links. */
  linkReads: number;
  /** What reached the stream since the last call. */
  streamed: () => Promise<StreamRecord[]>;
  browser: () => Browser;
};

/** Starts the door of a configuration for the tests of a file. */
export function doorUnderTest(config: PaulaConfig): DoorUnderTest {
  const keys = completeKeys({}, config, randomKey);
  const plan = compileTrackingPlan(config);
  const folder = mkdtempSync(join(tmpdir(), 'paula-door-'));
  const engines: Engine[] = [];
  let kinesis: KinesisClient;
  let iterator: string | undefined;
  const door = {
    keys,
    counted: [],
    linkReads: 0,
    streamed,
    browser: () => new Browser(door),
  } as unknown as DoorUnderTest;

  beforeAll(async () => {
    const tables = ['profiles', 'consents'].map((name) => ({ name, sk: true }));
    const [tableEngine, streamEngine] = await Promise.all([
      startDynamo(join(folder, 'dynamo'), REGION, tables),
      startKinesis(join(folder, 'kinesis'), REGION, { name: STREAM, shards: 1 }),
    ]);
    engines.push(tableEngine, streamEngine);
    door.dynamo = new DynamoDBClient({ endpoint: tableEngine.endpoint, region: REGION, credentials });
    kinesis = new KinesisClient({
      endpoint: streamEngine.endpoint,
      region: REGION,
      credentials,
      requestHandler: new NodeHttpHandler(),
    });
    const links = linkStore(door.dynamo, 'profiles');
    door.deps = {
      ...hashes,
      plan,
      admission: admissionDeps(plan, keys, hashes.hmac, userAgentReader()),
      keys,
      links: {
        ...links,
        read: (ids) => {
          door.linkReads++;
          return links.read(ids);
        },
      },
      receipts: receiptStore(door.dynamo, 'consents'),
      terms: receiptTerms(config, REGION, hashes.sha256),
      put: eventStream(kinesis, STREAM),
      randomId,
      country: () => 'DE',
      verifyIdentity: (token, site, now) => verifyIdentityToken(token, site, now, keys),
      count: (metric, dimension) => door.counted.push(`${metric} ${dimension}`),
    };
    const start = { StreamName: STREAM, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' as const };
    iterator = (await kinesis.send(new GetShardIteratorCommand(start))).ShardIterator;
  });

  beforeEach(async () => {
    await streamed();
  });

  afterAll(async () => {
    door.dynamo.destroy();
    kinesis.destroy();
    for (const engine of engines) await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function streamed(): Promise<StreamRecord[]> {
    const { Records, NextShardIterator } = await kinesis.send(new GetRecordsCommand({ ShardIterator: iterator }));
    iterator = NextShardIterator;
    return (Records ?? []).map(({ Data }) => decodeStreamRecord(Buffer.from(Data ?? []).toString('utf8')));
  }

  return door;
}

export type Sent = { query?: string; body?: unknown; headers?: Record<string, string>; at?: number };

let requests = 0;

/** A browser with a jar for its cookies, as far as the door's cookies need one. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #door: DoorUnderTest;

  constructor(door: DoorUnderTest) {
    this.#door = door;
  }

  /** The id of the device whose cookie it holds. */
  get device(): string {
    return `d.${hashes.sha256(this.cookies.get('paula_id') ?? '')}`;
  }

  async send(method: string, path: string, { query = '', body = '', headers = {}, at }: Sent = {}): Promise<Response> {
    const door = this.#door;
    door.counted = [];
    door.linkReads = 0;
    const response = await collect(
      {
        method,
        path,
        query,
        headers: {
          'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0.0.0 Safari/537.36',
          ...headers,
        },
        cookies: [...this.cookies].map(([name, value]) => `${name}=${value}`),
        body: typeof body === 'string' ? body : JSON.stringify(body),
        sourceIp: '203.0.113.9',
        userAgent: headers['user-agent'],
        requestId: `request-${requests++}`,
        receivedAt: at ?? Date.now(),
      },
      door.deps,
    );
    for (const cookie of response.cookies ?? []) {
      const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split('=');
      if (cookie.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  consent(purposes: Record<string, boolean>, at?: number): Promise<Response> {
    return this.send('PUT', '/v1/consent', { body: { purposes }, headers: { origin: ORIGIN }, ...(at && { at }) });
  }

  pixel(query: string): Promise<Response> {
    return this.send('GET', '/p.gif', { query });
  }
}

/** All that a browser of the story grants where nothing else is said. */
export const ALL = { storage: true, measurement: true, profile: true, personalisation: true, identity_merge: true };

export const basic = (key: string | undefined) => ({
  authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
});
export const serverKey = ({ keys }: DoorUnderTest) => basic(keys.writeKeys.shop_backend?.[0]);
export const browserKey = ({ keys }: DoorUnderTest) => ({ ...basic(keys.writeKeys.web?.[0]), origin: ORIGIN });

/** An identity token as the brand's server signs it. */
export async function identityToken(
  { keys }: DoorUnderTest,
  user: string,
  site = 'shop',
  minutes = 10,
  keyId = 'k1',
): Promise<string> {
  const key = Buffer.from(keys.identity[site]?.[0]?.key ?? '', 'base64url');
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256', kid: keyId })
    .setSubject(user)
    .setAudience(site)
    .setIssuedAt()
    .setExpirationTime(`${minutes}m`)
    .sign(key);
}

export const identify = async (door: DoorUnderTest, browser: Browser, user: string): Promise<Response> =>
  browser.send('POST', '/v1/identify', {
    body: { userId: user, context: { identityToken: await identityToken(door, user) } },
    headers: browserKey(door),
  });
