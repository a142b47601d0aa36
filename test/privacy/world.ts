import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { decisionRules } from '../../domain/decision-rules.ts';
import { completeKeys } from '../../domain/keys.ts';
import type { Profile } from '../../domain/profile.ts';
import { unpackProfile } from '../../domain/profile-codec.ts';
import { withheldFields } from '../../domain/profile-fields.ts';
import type { Purpose } from '../../domain/purposes.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { audienceExpiries } from '../../lambdas/adapters/audience-expiries.ts';
import { audienceStore } from '../../lambdas/adapters/audience-store.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import { randomKey } from '../../lambdas/adapters/keys-document.ts';
import { readsWithLedger } from '../../lambdas/adapters/ledger-reads.ts';
import { ledgerStore } from '../../lambdas/adapters/ledger-store.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { profileStore } from '../../lambdas/adapters/profile-store.ts';
import { receiptStore } from '../../lambdas/adapters/receipt-store.ts';
import { subjectItems } from '../../lambdas/adapters/subject-items.ts';
import { userAgentReader } from '../../lambdas/adapters/user-agent.ts';
import { deviceIdOf, readBrowser } from '../../lambdas/browser.ts';
import { admissionDeps } from '../../lambdas/collect/admit-request.ts';
import type { CollectDeps } from '../../lambdas/collect/deps.ts';
import { newPersonId } from '../../lambdas/collect/person.ts';
import { receiptTerms } from '../../lambdas/collect/receipt-terms.ts';
import { collect } from '../../lambdas/collect.ts';
import { type DecideDeps, decide } from '../../lambdas/decide.ts';
import type { Request, Response } from '../../lambdas/http.ts';
import { readBatch } from '../../lambdas/kinesis-batch.ts';
import { type ProfileDeps, profile } from '../../lambdas/profile.ts';
import { rights } from '../../lambdas/rights.ts';
import type { StoredItems } from '../../lambdas/stored-items.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import config from '../../paula.config.ts';
import { SHARD, sequenceOf } from '../domain/sample-events.ts';

const REGION = 'eu-central-1';
const ORIGIN = 'https://www.lindenblatt.example';
const SIGNED_BY = 'arn:aws:iam::111122223333:role/shop';

/** A record on its way, with its place in the stream. */
export type Streamed = { key: string; record: StreamRecord; at: number };

/** What a door call may say beside its path. */
type Call = { method?: string; query?: string; body?: unknown; cookies?: ReadonlyMap<string, string> };

/**
 * The door, the consumer `profile`, decisions and rights over one DynamoDB, with a clock that the test moves and a stream
 * that it delivers when it wants. Identity tokens are the customer's id: their signature is tested with the door.
 */
export async function openWorld(startsAt: number) {
  const folder = mkdtempSync(join(tmpdir(), 'paula-privacy-'));
  const engine = await startDynamo(folder, REGION, [
    { name: 'profiles', sk: true },
    { name: 'consents', sk: true },
    { name: 'control', sk: false },
  ]);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: engine.endpoint, region: REGION, credentials });
  const keys = completeKeys({}, config, randomKey);
  const plan = compileTrackingPlan(config);
  const tables = { profiles: 'profiles', consents: 'consents', control: 'control' };
  const store = profileStore(client, tables.profiles);
  const reads = readsWithLedger(client, tables);
  const stream: Streamed[] = [];
  let clock = startsAt;
  let sequence = 0;

  const services = {
    ...hashes,
    plan,
    keys,
    randomId,
    links: linkStore(client, tables.profiles),
    put: async (records: readonly { key: string; record: StreamRecord }[]) => {
      for (const { key, record } of records) stream.push({ key, record, at: sequence++ });
      return [];
    },
    count: () => undefined,
  };
  const door: CollectDeps = {
    ...services,
    admission: admissionDeps(plan, keys, hashes.hmac, userAgentReader()),
    receipts: receiptStore(client, tables.consents),
    terms: receiptTerms(config, REGION, hashes.sha256),
    country: () => 'DE',
    verifyIdentity: async (token) => token,
  };
  const rightsDeps = {
    ...services,
    ledger: ledgerStore(client, tables.consents, randomId),
    items: subjectItems(client, tables),
    bundle: async () => undefined,
  };
  const decisions: DecideDeps = {
    ...services,
    rules: decisionRules(config),
    identify: (sent, now) => readBrowser(sent, keys, hashes, now),
    read: reads,
    audienceExpiries: audienceExpiries(client, tables.control),
  };
  const consumer: ProfileDeps = {
    read: reads,
    write: store.write,
    withdraw: store.withdraw,
    count: () => undefined,
    now: () => clock,
    retentionDays: config.purposes.profile.retentionDays,
    withheld: withheldFields(config),
  };

  const request = (path: string, headers: Record<string, string>, call: Call): Request => {
    clock += 1000;
    return {
      method: call.method ?? 'POST',
      path,
      query: call.query ?? '',
      headers,
      cookies: [...(call.cookies ?? [])].map(([name, value]) => `${name}=${value}`),
      body: call.body === undefined ? '' : JSON.stringify(call.body),
      sourceIp: '203.0.113.9',
      userAgent: undefined,
      requestId: randomId(),
      receivedAt: clock,
    };
  };
  const basic = (source: string) => ({
    authorization: `Basic ${Buffer.from(`${keys.writeKeys[source]?.[0] ?? ''}:`).toString('base64')}`,
  });

  /** A browser with its cookies. */
  const browser = () => {
    let cookies = new Map<string, string>();
    const send = async (path: string, call: Call): Promise<Response> => {
      const headers = { ...basic('web'), origin: ORIGIN };
      const answer = await collect(request(path, headers, { cookies, ...call }), door);
      keepCookies(cookies, answer);
      return answer;
    };
    return {
      /** The device that the id cookie stands for. */
      device: () => {
        const id = cookies.get('paula_id');
        return id === undefined ? undefined : deviceIdOf(id, hashes);
      },
      /** The cookies as they are now, for a tab that shows them later. */
      jar: () => new Map(cookies),
      /** Takes other cookies. */
      use: (other: ReadonlyMap<string, string>) => {
        cookies = new Map(other);
      },
      choose: (purposes: readonly Purpose[]) =>
        send('/v1/consent', { method: 'PUT', body: { purposes: Object.fromEntries(purposes.map((p) => [p, true])) } }),
      pixel: (query: string, jar?: ReadonlyMap<string, string>) =>
        send(config.pixelPath, { method: 'GET', query: `site=shop&${query}`, ...(jar && { cookies: jar }) }),
      identify: (user: string) => send('/v1/identify', { body: { userId: user, context: { identityToken: user } } }),
      decision: async (product: string): Promise<Record<string, unknown>> => {
        const call = { method: 'GET', query: `product=${product}`, cookies };
        const { body = '' } = await decide(request('/v1/decision', { origin: ORIGIN }, call), decisions);
        return JSON.parse(body) as Record<string, unknown>;
      },
      rights: (route: 'GET /v1/me' | 'POST /v1/me/objection' | 'POST /v1/me/erasure') => {
        const [method = '', path = ''] = route.split(' ');
        return rights({ ...request(path, { origin: ORIGIN }, { method, cookies }), route }, rightsDeps);
      },
    };
  };

  /** How many records of the stream have been delivered in their turn. */
  let taken = 0;
  return {
    browser,
    now: () => clock,
    advance: (ms: number) => {
      clock += ms;
    },
    /** A message of the brand's server. */
    server: (path: '/v1/track' | '/v1/identify', body: object, source = 'shop_backend') =>
      collect(request(path, basic(source), { body }), door),
    /** What the brand's server is told of a customer and a product. */
    async decisionFor(customer: string, product: string): Promise<unknown> {
      const body = { personId: customer, placements: [{ product }] };
      const answer = await decide(request('/v1/decision', basic('shop_backend'), { body }), decisions);
      return (JSON.parse(answer.body ?? '') as { decisions: unknown[] }).decisions[0];
    },
    /** A signed call for a customer. */
    brand: (right: 'export' | 'objection' | 'erasure', customer: string) => {
      const path = `/v1/persons/{id}/${right}`;
      return rights(
        { ...request(path, {}, { method: 'POST' }), route: `POST ${path}`, id: customer, caller: SIGNED_BY },
        rightsDeps,
      );
    },
    person: (user: string) => newPersonId(user, { keys, hmac: hashes.hmac }),
    stream,
    ledger: rightsDeps.ledger,
    door,
    links: services.links,
    items: rightsDeps.items,
    receipts: door.receipts,
    audiences: audienceStore(client, tables),
    /**
     * Hands records to the consumer as one batch, what has come since the last call where none are given; `meanwhile` runs
     * between its reads and its writes.
     */
    async deliver(given?: readonly Streamed[], meanwhile?: () => Promise<void>): Promise<void> {
      const records = given ?? stream.slice(taken);
      if (!given) taken = stream.length;
      let waiting = meanwhile;
      const write: ProfileDeps['write'] = async (writes) => {
        const run = waiting;
        waiting = undefined;
        await run?.();
        return store.write(writes);
      };
      const failed = await profile(batchOf(records), { ...consumer, write });
      if (failed !== undefined) throw new Error('the consumer has failed');
      await waiting?.();
    },
    async stored(id: string): Promise<StoredItems> {
      const keysOf = (['profile', 'bought', 'link', 'audiences'] as const).map((sk) => ({ pk: id, sk }));
      return (await store.read(keysOf, 'strong')).get(id) ?? {};
    },
    /** The receipts of a subject, the oldest first. */
    receiptsOf: (id: string) => rightsDeps.items.receipts(id),
    async profile(id: string): Promise<Profile | undefined> {
      const { profile: item } = (await store.read([{ pk: id, sk: 'profile' }], 'strong')).get(id) ?? {};
      return item && unpackProfile(item.b);
    },
    async close(): Promise<void> {
      client.destroy();
      await engine.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

export type World = Awaited<ReturnType<typeof openWorld>>;

function keepCookies(cookies: Map<string, string>, { cookies: set = [] }: Response): void {
  for (const cookie of set) {
    const [pair = ''] = cookie.split(';');
    const name = pair.slice(0, pair.indexOf('='));
    if (cookie.includes('Max-Age=0')) cookies.delete(name);
    else cookies.set(name, pair.slice(name.length + 1));
  }
}

function batchOf(records: readonly Streamed[]) {
  return readBatch({
    Records: records.map(({ key, record, at }) => ({
      eventID: `${SHARD}:${sequenceOf(at)}`,
      kinesis: {
        data: Buffer.from(JSON.stringify(record)).toString('base64'),
        sequenceNumber: sequenceOf(at),
        approximateArrivalTimestamp: 0,
        partitionKey: key,
        kinesisSchemaVersion: '1.0',
      },
      awsRegion: REGION,
      eventName: 'aws:kinesis:record',
      eventSource: 'aws:kinesis',
      eventSourceARN: `arn:aws:kinesis:${REGION}:000000000000:stream/events`,
      eventVersion: '1.0',
      invokeIdentityArn: 'arn:aws:iam::000000000000:role/profile',
    })),
  });
}
