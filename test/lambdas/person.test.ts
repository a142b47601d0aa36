import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rotateKey } from '../../domain/key-rotation.ts';
import { completeKeys, KEY_LEAD_MS, type Keys, keysInForce } from '../../domain/keys.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import { verifyIdentityToken } from '../../lambdas/adapters/identity-token.ts';
import { randomKey } from '../../lambdas/adapters/keys-document.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { receiptStore } from '../../lambdas/adapters/receipt-store.ts';
import { userAgentReader } from '../../lambdas/adapters/user-agent.ts';
import { admissionDeps } from '../../lambdas/collect/admit-request.ts';
import type { CollectDeps } from '../../lambdas/collect/deps.ts';
import { newPersonId, personIdOf, personIds } from '../../lambdas/collect/person.ts';
import { receiptTerms } from '../../lambdas/collect/receipt-terms.ts';
import { collect } from '../../lambdas/collect.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import type { Engine } from '../../local/loopback.ts';
import config from '../../paula.config.ts';

const REGION = 'eu-central-1';
const NOW = Date.UTC(2026, 10, 24, 12);
const plan = compileTrackingPlan(config);

/** The keys before a rotation of the person key, while the new one waits, and from when it is in force. */
const old = completeKeys({}, config, randomKey);
const { keys: rotated } = rotateKey(old, 'person', NOW, randomKey);
const waiting = keysInForce(rotated, NOW).keys;
const switched = keysInForce(rotated, NOW + KEY_LEAD_MS).keys;

let folder: string;
let engine: Engine;
let client: DynamoDBClient;
let told: StreamRecord[] = [];
let clock = NOW;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paula-person-'));
  engine = await startDynamo(folder, REGION, [
    { name: 'profiles', sk: true },
    { name: 'consents', sk: true },
  ]);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new DynamoDBClient({ endpoint: engine.endpoint, region: REGION, credentials });
});

afterAll(async () => {
  client.destroy();
  await engine.stop();
  await rm(folder, { recursive: true });
});

const depsUnder = (keys: Keys): CollectDeps => ({
  ...hashes,
  plan,
  admission: admissionDeps(plan, keys, hashes.hmac, userAgentReader()),
  keys,
  links: linkStore(client, 'profiles'),
  receipts: receiptStore(client, 'consents'),
  terms: receiptTerms(config, REGION, hashes.sha256),
  put: async (records) => {
    told.push(...records.map(({ record }) => record));
    return [];
  },
  randomId,
  country: () => undefined,
  verifyIdentity: (token, site, now) => verifyIdentityToken(token, site, now, keys),
  count: () => undefined,
});

/** Sends a message of the shop's server and returns what reached the stream. */
async function server(keys: Keys, path: string, body: object): Promise<StreamRecord[]> {
  told = [];
  clock += 1000;
  const writeKey = keys.writeKeys.shop_backend?.[0] ?? '';
  await collect(
    {
      method: 'POST',
      path,
      query: '',
      headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}` },
      cookies: [],
      body: JSON.stringify(body),
      sourceIp: '203.0.113.9',
      userAgent: undefined,
      requestId: randomId(),
      receivedAt: clock,
    },
    depsUnder(keys),
  );
  return told;
}

const consent = (userId: string, choices: Record<string, boolean>) => ({
  userId,
  context: { consent: { categoryPreferences: choices } },
});

const fold = (pk: string) =>
  client.send(new PutItemCommand({ TableName: 'profiles', Item: { pk: { S: pk }, sk: { S: 'profile' } } }));

const link = (device: string, person: string) =>
  linkStore(client, 'profiles').link({ device, person, since: NOW, receipt: 'r', ttl: 1, personTtl: 1 });

describe('with one person key', () => {
  it('reads nothing', async () => {
    const refuse = () => Promise.reject(new Error('no read is due'));
    const deps = { ...depsUnder(old), links: { ...depsUnder(old).links, read: refuse }, receipts: { latest: refuse } };
    const ids = await personIds(['a', 'b', 'a'], deps as unknown as CollectDeps);
    expect([...ids.keys()]).toEqual(['a', 'b']);
    expect(ids.get('a')).toBe(`p.k1.${hashes.hmac('a', old.person[0]?.key ?? '')}`);
  });
});

describe('after a rotation of the person key', () => {
  const oldId = (user: string) => newPersonId(user, depsUnder(old));
  const newId = (user: string) => newPersonId(user, depsUnder(switched));
  const found = (user: string, keys = switched) => personIdOf(user, depsUnder(keys));

  it('names a new person under the new key, and while that waits under the old one', async () => {
    expect(await found('new')).toBe(newId('new'));
    expect(newId('new')).toMatch(/^p\.k2\./);
    expect(await found('new', waiting)).toBe(oldId('new'));
    expect(oldId('new')).toMatch(/^p\.k1\./);
  });

  it('keeps a person who has a device, a receipt or a profile', async () => {
    await link('d.1', oldId('with a device'));
    await server(old, '/v1/identify', consent('with a receipt', { email: true }));
    await fold(oldId('with a profile'));
    for (const user of ['with a device', 'with a receipt', 'with a profile'])
      expect(await found(user)).toBe(oldId(user));
  });

  it('heeds a withdrawal from before it', async () => {
    await server(old, '/v1/identify', consent('withdrawn', { measurement: true, profile: true }));
    await server(old, '/v1/identify', consent('withdrawn', { measurement: true }));
    const event = { event: 'Order Completed', properties: { order_id: 'o-1', value: 10, currency: 'EUR' } };
    const both = { ...event, ...consent('withdrawn', { measurement: true, profile: true }) };
    expect(await server(switched, '/v1/track', both)).toMatchObject([
      { kind: 'event', person_id: oldId('withdrawn'), purposes: ['measurement'] },
    ]);
    expect(
      await server(switched, '/v1/identify', consent('withdrawn', { measurement: true, profile: true })),
    ).toMatchObject([{ kind: 'consent', subject: oldId('withdrawn') }, { kind: 'event' }]);
    expect(await server(switched, '/v1/track', both)).toMatchObject([
      { person_id: oldId('withdrawn'), purposes: ['measurement', 'profile'] },
    ]);
  });

  it('stays with the new id of a person whose old profile is folded late', async () => {
    await server(switched, '/v1/identify', consent('late', { measurement: true, profile: true }));
    await fold(oldId('late'));
    expect(await found('late')).toBe(newId('late'));
  });

  it('agrees with a door that has changed to the new key a moment sooner', async () => {
    await server(switched, '/v1/identify', consent('soon', { measurement: true }));
    expect(await found('soon', waiting)).toBe(newId('soon'));
  });

  it('keeps everybody through a second rotation', async () => {
    await link('d.2', oldId('first'));
    await link('d.3', newId('second'));
    const twice = keysInForce(rotateKey(rotated, 'person', NOW, randomKey).keys, NOW + KEY_LEAD_MS).keys;
    expect(await found('first', twice)).toBe(oldId('first'));
    expect(await found('second', twice)).toBe(newId('second'));
    expect(await found('third', twice)).toMatch(/^p\.k3\./);
  });
});
