import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { audiencePk, SK } from '../../domain/items.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { audienceExpiries } from '../../lambdas/adapters/audience-expiries.ts';
import { audienceStore } from '../../lambdas/adapters/audience-store.ts';
import { profileStore } from '../../lambdas/adapters/profile-store.ts';
import { type DecideDeps, decide } from '../../lambdas/decide.ts';
import type { Request } from '../../lambdas/http.ts';
import { profile } from '../../lambdas/profile.ts';
import config from '../../paula.config.ts';
import { orderOf, SHARD, START, sequenceOf } from '../domain/sample-events.ts';
import { CONTROL, PROFILES, startTables } from './profiles-table.ts';

const NOW = START + 3_600_000;
const GRANTED: readonly Purpose[] = ['storage', 'profile', 'personalisation'];

let client: DynamoDBClient;
let stop: () => Promise<void>;
let deps: DecideDeps;
let granted: readonly Purpose[];
/** Batch reads that the decision has made, by their number of keys. */
let reads: number[];
let test = 0;
const id = (name: string) => `${test}.${name}`;

beforeAll(async () => {
  ({ client, stop } = await startTables());
});
afterAll(() => stop());

beforeEach(() => {
  test++;
  granted = GRANTED;
  reads = [];
  const { read } = profileStore(client, PROFILES);
  deps = {
    siteOfOrigin: compileTrackingPlan(config).siteOfOrigin,
    // The cookies' own rules are tested with the door; here the cookie names its device.
    identify: ([cookie]) => (cookie === undefined ? { granted: [] } : { deviceId: id(cookie), granted }),
    read: (keys, consistency) => {
      reads.push(keys.length);
      return read(keys, consistency);
    },
    audienceExpiries: audienceExpiries(client, CONTROL),
  };
});

const request = (query: string, cookies: string[] = ['me'], origin?: string): Request => ({
  method: 'GET',
  path: '/v1/decision',
  query,
  headers: origin === undefined ? {} : { origin },
  cookies,
  body: '',
  sourceIp: '127.0.0.1',
  userAgent: undefined,
  requestId: 'r',
  receivedAt: NOW,
});

async function ask(query: string, cookies?: string[]): Promise<unknown> {
  const answer = await decide(request(query, cookies), deps);
  expect(answer.statusCode).toBe(200);
  return JSON.parse(answer.body ?? '');
}

/** Orders a product through the consumer itself. */
async function order(name: string, product: string, n = 1): Promise<void> {
  const record = orderOf(n, [{ product_id: product, quantity: 1 }], { device_id: id(name) });
  const delivered = { shard: SHARD, sequenceNumber: sequenceOf(n), arrivedAt: NOW, text: JSON.stringify(record) };
  const store = profileStore(client, PROFILES);
  expect(
    await profile([delivered], { ...store, count: () => undefined, now: () => NOW, retentionDays: 395 }),
  ).toBeUndefined();
}

const putLink = (name: string, attributes: PutItemCommand['input']['Item']) =>
  client.send(
    new PutItemCommand({
      TableName: PROFILES,
      Item: { pk: { S: id(name) }, sk: { S: SK.link }, ttl: { N: String(NOW) }, ...attributes },
    }),
  );

describe('decide', () => {
  it('answers a browser without cookies or consent without reading anything', async () => {
    const unknown = { show: true, reason: 'unknown' };
    expect(await ask('product=SKU-1', [])).toEqual(unknown);
    granted = ['storage', 'measurement'];
    expect(await ask('product=SKU-1')).toEqual(unknown);
    expect(reads).toEqual([]);
  });

  it('suppresses a product as soon as its order is folded', async () => {
    expect(await ask('product=SKU-1&campaign=spring&other=x')).toEqual({
      show: true,
      reason: 'eligible',
      audiences: [],
    });
    await order('me', 'SKU-1');
    expect(await ask('product=SKU-1&campaign=spring')).toEqual({ show: false, reason: 'bought', audiences: [] });
    expect(await ask('product=SKU-2')).toEqual({ show: true, reason: 'eligible', audiences: [] });
    expect(await ask('')).toEqual({ show: true, reason: 'eligible', audiences: [] });
    expect(reads).toEqual([4, 4, 4, 4]);
  });

  it("takes the union of the device, its person and the person's other devices", async () => {
    const listed = (...names: string[]) => ({ L: names.map((name) => ({ S: id(name) })) });
    await putLink('me', { person: { S: id('person') }, siblings: listed('me', 'tablet', 'sold', 'left') });
    await putLink('person', { siblings: listed('me', 'tablet', 'sold') });
    await putLink('tablet', { person: { S: id('person') } });
    await putLink('left', { person: { S: id('person') } });
    await order('left', 'SKU-4');
    await putLink('sold', { person: { S: id('another') } });
    await order('person', 'SKU-1');
    await order('tablet', 'SKU-2');
    await order('sold', 'SKU-3');
    expect(await ask('product=SKU-1')).toMatchObject({ reason: 'bought' });
    expect(await ask('product=SKU-2')).toMatchObject({ reason: 'bought' });
    expect(await ask('product=SKU-3')).toMatchObject({ reason: 'eligible' });
    expect(await ask('product=SKU-4')).toMatchObject({ reason: 'eligible' });
  });

  it('needs two reads however many devices a person has', async () => {
    const siblings = { L: [{ S: id('me') }, { S: id('tablet') }, { S: id('phone') }] };
    await putLink('me', { person: { S: id('person') }, siblings });
    await putLink('person', { siblings });
    await ask('product=SKU-1');
    expect(reads).toEqual([4, 12]);
  });

  it('does not look at the person once the merge is withdrawn', async () => {
    await order('person', 'SKU-1');
    await putLink('me', { person: { S: id('person') }, withdrawn: { M: { identity_merge: { N: '5' } } } });
    expect(await ask('product=SKU-1')).toMatchObject({ reason: 'eligible' });
  });

  it('ends with a withdrawal and with an objection', async () => {
    await order('me', 'SKU-1');
    await putLink('me', { withdrawn: { M: { profile: { N: '5' } } } });
    expect(await ask('product=SKU-1')).toEqual({ show: true, reason: 'unknown' });
    await putLink('me', { objected: { N: '5' } });
    expect(await ask('product=SKU-1')).toEqual({ show: true, reason: 'objected', audiences: [] });
  });

  it('takes items past their ttl as absent', async () => {
    await order('me', 'SKU-1');
    const later = { ...request('product=SKU-1'), receivedAt: NOW + 400 * 86_400_000 };
    expect(JSON.parse((await decide(later, deps)).body ?? '')).toMatchObject({ reason: 'eligible' });
  });

  it('tells published audiences that are not out of date, and only with personalisation', async () => {
    const store = audienceStore(client, { profiles: PROFILES, control: CONTROL });
    await putLink('me', { person: { S: id('person') } });
    await store.enter(id('me'), 'current');
    await store.enter(id('me'), 'expired');
    await store.enter(id('me'), 'unpublished');
    await store.enter(id('person'), 'persons');
    await store.mark('current', '2026-06-01T00:00:00.000Z', NOW / 1000 + 1);
    await store.mark('persons', '2026-06-01T00:00:00.000Z', NOW / 1000 + 1);
    await store.mark('expired', '2026-06-01T00:00:00.000Z', NOW / 1000);
    expect(await ask('')).toEqual({ show: true, reason: 'eligible', audiences: ['current', 'persons'] });
    granted = ['storage', 'profile'];
    expect(await ask('')).toEqual({ show: true, reason: 'eligible', audiences: [] });
  });

  it('reads an expiry again after a minute', async () => {
    const expiries = audienceExpiries(client, CONTROL);
    const put = (expires: number) =>
      client.send(
        new PutItemCommand({
          TableName: CONTROL,
          Item: { pk: { S: audiencePk('moving') }, expires: { N: String(expires) } },
        }),
      );
    await put(1);
    expect((await expiries(['moving'], NOW)).get('moving')).toBe(1);
    await put(2);
    expect((await expiries(['moving'], NOW + 60_000)).get('moving')).toBe(1);
    expect((await expiries(['moving'], NOW + 60_001)).get('moving')).toBe(2);
  });

  it('refuses a parameter that is too long, and names it', async () => {
    const answer = await decide(request(`product=${'x'.repeat(100)}&campaign=${'y'.repeat(101)}`), deps);
    expect(answer.statusCode).toBe(400);
    expect(JSON.parse(answer.body ?? '')).toEqual({
      success: false,
      errors: [{ path: 'campaign', rule: 'must have at most 100 characters' }],
    });
  });

  it('is not kept by caches and is readable for configured origins only', async () => {
    const headers = async (origin: string) => (await decide(request('', [], origin), deps)).headers;
    expect(await headers('https://www.lindenblatt.example')).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'access-control-allow-origin': 'https://www.lindenblatt.example',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    });
    expect(await headers('https://evil.example')).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
  });
});
