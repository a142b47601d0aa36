import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_PLACEMENTS } from '../../domain/decision.ts';
import { decisionRules } from '../../domain/decision-rules.ts';
import { audiencePk, MAX_SIBLINGS, SK } from '../../domain/items.ts';
import { completeKeys, type Keys } from '../../domain/keys.ts';
import type { Purpose } from '../../domain/purposes.ts';
import type { EventRecord } from '../../domain/stream-record.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { audienceExpiries } from '../../lambdas/adapters/audience-expiries.ts';
import { audienceStore } from '../../lambdas/adapters/audience-store.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { profileStore } from '../../lambdas/adapters/profile-store.ts';
import { newPersonId } from '../../lambdas/collect/person.ts';
import { type DecideDeps, decide, undecided } from '../../lambdas/decide.ts';
import type { Request } from '../../lambdas/http.ts';
import { profile } from '../../lambdas/profile.ts';
import config from '../../paula.config.ts';
import { event, orderOf, SHARD, START, sequenceOf } from '../domain/sample-events.ts';
import { CONTROL, PROFILES, startTables } from './profiles-table.ts';

const NOW = START + 3_600_000;
const CONFIG = { ...config, campaigns: { autumn: { caps: [{ count: 2, windowHours: 24 }], coolDownHours: 0.5 } } };
let made = 0;
const keys = completeKeys({}, config, () => hashes.sha256(`key ${made++}`));
const GRANTED: readonly Purpose[] = ['storage', 'profile', 'personalisation'];

let client: DynamoDBClient;
let stop: () => Promise<void>;
let deps: DecideDeps;
let granted: readonly Purpose[];
/** Batch reads that the decision has made, by their number of keys. */
let reads: number[];
let counted: string[];
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
  counted = [];
  const { read } = profileStore(client, PROFILES);
  deps = {
    plan: compileTrackingPlan(CONFIG),
    keys,
    hmac: hashes.hmac,
    count: (metric, reason) => counted.push(`${metric}/${reason}`),
    rules: decisionRules(CONFIG),
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
const order = (name: string, product: string, n = 1): Promise<void> =>
  foldIn(n, orderOf(n, [{ product_id: product, category: 'face', quantity: 1 }], { device_id: id(name) }));

/** Sees the campaign's banner so long ago, through the consumer itself. */
const see = (name: string, hoursAgo: number, n: number, campaign = 'autumn'): Promise<void> =>
  foldIn(
    n,
    event(n, {
      event: 'Ad Impression',
      campaign,
      device_id: id(name),
      occurred_at: NOW - hoursAgo * 3_600_000,
      received_at: NOW,
    }),
  );

async function foldIn(n: number, record: EventRecord): Promise<void> {
  const delivered = { shard: SHARD, sequenceNumber: sequenceOf(n), arrivedAt: NOW, text: JSON.stringify(record) };
  const store = profileStore(client, PROFILES);
  expect(
    await profile([delivered], { ...store, count: () => undefined, now: () => NOW, retentionDays: 395, withheld: [] }),
  ).toBeUndefined();
}

const putLink = (name: string, attributes: PutItemCommand['input']['Item']) =>
  client.send(
    new PutItemCommand({
      TableName: PROFILES,
      Item: { pk: { S: id(name) }, sk: { S: SK.link }, ttl: { N: String(NOW) }, ...attributes },
    }),
  );

/** The parameter of several placements. */
function inQuery(placements: readonly object[]): string {
  return `placements=${encodeURIComponent(JSON.stringify(placements))}`;
}

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
    expect(reads).toEqual([4, 10]);
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

  it('counts the impressions of a campaign over the devices of a person, as soon as they are folded', async () => {
    const devices = { L: [{ S: id('me') }, { S: id('tablet') }] };
    await putLink('me', { person: { S: id('person') }, siblings: devices });
    await putLink('person', { siblings: devices });
    await putLink('tablet', { person: { S: id('person') } });
    expect(await ask('campaign=autumn')).toMatchObject({ show: true, reason: 'eligible' });
    await see('me', 5, 1);
    expect(await ask('campaign=autumn')).toMatchObject({ show: true, reason: 'eligible' });
    await see('tablet', 0.25, 2);
    expect(await ask('campaign=autumn')).toMatchObject({ show: false, reason: 'capped' });
    expect(await ask('campaign=winter')).toMatchObject({ show: true, reason: 'eligible' });
  });

  it('lets a campaign cool down', async () => {
    await see('me', 0.25, 1);
    expect(await ask('campaign=autumn')).toMatchObject({ show: false, reason: 'cooling_down' });
    const later = { ...request('campaign=autumn'), receivedAt: NOW + 900_000 };
    expect(JSON.parse((await decide(later, deps)).body ?? '')).toMatchObject({ reason: 'eligible' });
  });

  it('suppresses the category of what was bought', async () => {
    await order('me', 'SKU-1');
    const category = { show: false, reason: 'bought_category' };
    expect(await ask('product=SKU-2&category=face')).toMatchObject(category);
    expect(await ask('category=face')).toMatchObject(category);
    expect(await ask('product=SKU-2&category=lips')).toMatchObject({ reason: 'eligible' });
  });

  it('answers up to fifty placements in their order, with the same two reads', async () => {
    const siblings = { L: [{ S: id('me') }, { S: id('tablet') }] };
    await putLink('me', { person: { S: id('person') }, siblings });
    await putLink('person', { siblings });
    await order('me', 'SKU-7');
    const placements = Array.from({ length: MAX_PLACEMENTS }, (_, n) => ({ product: `SKU-${n}`, campaign: 'autumn' }));
    const { decisions, ...rest } = (await ask(inQuery(placements))) as { decisions: { reason: string }[] };
    expect(rest).toEqual({ audiences: [] });
    expect(decisions.flatMap(({ reason }, n) => (reason === 'eligible' ? [] : [`${n} ${reason}`]))).toEqual([
      '7 bought',
    ]);
    expect(decisions).toHaveLength(MAX_PLACEMENTS);
    expect(reads).toEqual([4, 7]);
  });

  it('knows nobody for each of several placements without cookies', async () => {
    const nobody = { show: true, reason: 'unknown' };
    expect(await ask(inQuery([{ product: 'a' }, {}]), [])).toEqual({ decisions: [nobody, nobody] });
  });

  it.each<[string, string, object]>([
    ['no list', 'placements={}', { path: 'placements', rule: 'must be a list of placements' }],
    ['no JSON', 'placements=[', { path: 'placements', rule: 'must be a list of placements' }],
    ['none', 'placements=[]', { path: 'placements', rule: 'must hold a placement' }],
    ['too many', inQuery(Array(51).fill({})), { path: 'placements', rule: 'must have at most 50 placements' }],
    ['an unknown field', inQuery([{}, { price: '1' }]), { path: 'placements.1.price', rule: 'is not known here' }],
    [
      'a long text',
      inQuery([{ category: 'x'.repeat(101) }]),
      { path: 'placements.0.category', rule: 'must have at most 100 characters' },
    ],
    [
      'both forms',
      `product=a&${inQuery([{}])}`,
      { path: 'placements', rule: 'goes without product, category, campaign beside it' },
    ],
  ])('refuses placements that are %s, and names the place', async (_name, query, error) => {
    const answer = await decide(request(query), deps);
    expect(answer.statusCode).toBe(400);
    expect(JSON.parse(answer.body ?? '')).toEqual({ success: false, errors: [error] });
  });

  it('decides by the cookie that comes along, whatever a page says of another browser or person', async () => {
    await order('other', 'SKU-1');
    await order('person', 'SKU-1');
    const claims = `product=SKU-1&device_id=${id('other')}&personId=${id('person')}&person=${id('person')}`;
    expect(await ask(claims)).toMatchObject({ reason: 'eligible' });
    expect(await ask('product=SKU-1', ['other'])).toMatchObject({ reason: 'bought' });
    // A link that the other side does not know of: the person's list has this device, the device does not say so.
    await putLink('me', { siblings: { L: [{ S: id('other') }] } });
    expect(await ask('product=SKU-1')).toMatchObject({ reason: 'eligible' });
    await putLink('me', { person: { S: id('person') }, siblings: { L: [{ S: id('me') }, { S: id('other') }] } });
    await putLink('person', { siblings: { L: [{ S: id('me') }, { S: id('other') }] } });
    await putLink('other', { person: { S: id('somebody') } });
    await see('other', 1, 2);
    await see('other', 2, 3);
    expect(await ask('campaign=autumn')).toMatchObject({ reason: 'eligible' });
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

describe('decide for a server', () => {
  const basic = (key: string) => `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const keyOf = (source: string) => basic(keys.writeKeys[source]?.[0] ?? '');

  const post = (body: unknown, authorization: string | undefined = keyOf('shop_backend')) =>
    decide(
      {
        ...request('', []),
        method: 'POST',
        headers: { ...(authorization && { authorization }) },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      },
      deps,
    );
  const askFor = async (
    personId: string,
    placements: readonly object[] = [{ product: 'SKU-1' }],
    more: object = {},
  ) => {
    const answer = await post({ personId, placements, ...more });
    expect(answer.statusCode).toBe(200);
    return JSON.parse(answer.body ?? '');
  };
  const NOBODY = { decisions: [{ show: true, reason: 'unknown' }] };
  const said = (...granted: Purpose[]) => ({
    context: { consent: { categoryPreferences: Object.fromEntries(granted.map((purpose) => [purpose, true])) } },
  });

  /** Puts the items of a person where the customer's id leads to, under the newest key. */
  const personOf = (customer: string, under: Keys = keys) => newPersonId(customer, { keys: under, hmac: hashes.hmac });
  const customer = () => id('customer');
  const put = (pk: string, attributes: PutItemCommand['input']['Item']) =>
    client.send(
      new PutItemCommand({
        TableName: PROFILES,
        Item: { pk: { S: pk }, sk: { S: SK.link }, ttl: { N: String(NOW) }, ...attributes },
      }),
    );
  const orderBy = (pk: string, n = 1) => {
    const { device_id: _, ...record } = orderOf(n, [{ product_id: 'SKU-1', category: 'face', quantity: 1 }]);
    return foldIn(n, { ...record, person_id: pk, purposes: ['profile'] });
  };

  it('answers for a person by the customer id and by the person key', async () => {
    await orderBy(personOf(customer()));
    const placements = [{ product: 'SKU-1' }, { product: 'SKU-2', category: 'face' }, { campaign: 'autumn' }];
    const answer = {
      decisions: [
        { show: false, reason: 'bought' },
        { show: false, reason: 'bought_category' },
        { show: true, reason: 'eligible' },
      ],
      audiences: [],
    };
    expect(await askFor(customer(), placements)).toEqual(answer);
    expect(await askFor(personOf(customer()), placements)).toEqual(answer);
    expect(await askFor(id('another customer'), placements.slice(0, 1))).toEqual(NOBODY);
    await orderBy(personOf(`${test}00`));
    expect(await askFor(Number(`${test}00`) as unknown as string)).toMatchObject({ decisions: [{ reason: 'bought' }] });
  });

  it("takes in the person's devices, with two reads however many there are", async () => {
    const devices = Array.from({ length: MAX_SIBLINGS }, (_, n) => `device-${n}`);
    const list = { L: devices.map((name) => ({ S: id(name) })) };
    await put(personOf(customer()), { siblings: list });
    for (const name of devices.slice(1)) await putLink(name, { person: { S: personOf(customer()) } });
    await order('device-19', 'SKU-1');
    expect(await askFor(customer())).toMatchObject({ decisions: [{ reason: 'bought' }] });
    expect(reads).toEqual([4, 3 * MAX_SIBLINGS]);
    // One that does not say so itself does not count.
    await see('device-0', 1, 5);
    await see('device-0', 2, 6);
    expect(await askFor(customer(), [{ campaign: 'autumn' }])).toMatchObject({ decisions: [{ reason: 'eligible' }] });
    await put(personOf(customer()), { siblings: list, withdrawn: { M: { identity_merge: { N: '5' } } } });
    expect(await askFor(customer())).toEqual(NOBODY);
  });

  it('finds a person under a key that was replaced', async () => {
    const rotated = { ...keys, person: [{ id: 'k9', key: hashes.sha256('new key') }, ...keys.person] };
    const old = personOf(customer());
    expect(personOf(customer(), rotated)).not.toBe(old);
    await orderBy(old);
    deps = { ...deps, keys: rotated };
    expect(await askFor(customer())).toMatchObject({ decisions: [{ reason: 'bought' }] });
    expect(reads).toEqual([8]);
  });

  it('ends with a withdrawal, an objection and the end of what is stored', async () => {
    const person = personOf(customer());
    await orderBy(person);
    await put(person, { withdrawn: { M: { profile: { N: '5' } } } });
    expect(await askFor(customer())).toEqual(NOBODY);
    await put(person, { objected: { N: '5' } });
    expect(await askFor(customer())).toEqual({ decisions: [{ show: true, reason: 'objected' }], audiences: [] });
    await put(person, {});
    expect(await askFor(customer())).toMatchObject({ decisions: [{ reason: 'bought' }] });
    const body = JSON.stringify({ personId: customer(), placements: [{ product: 'SKU-1' }] });
    const later = { ...request('', []), method: 'POST', headers: { authorization: keyOf('shop_backend') }, body };
    const answer = await decide({ ...later, receivedAt: NOW + 400 * 86_400_000 }, deps);
    expect(JSON.parse(answer.body ?? '')).toEqual(NOBODY);
  });

  it('is nobody again after an erasure, of which the ledger alone is left', async () => {
    const person = personOf(customer());
    const { read } = deps;
    deps.read = async (asked, consistency) => {
      const stored = new Map(await read(asked, consistency));
      stored.set(person, { link: { pk: person, sk: 'link', ttl: Number.POSITIVE_INFINITY, erased: 5 } });
      return stored;
    };
    expect(await askFor(customer())).toEqual(NOBODY);
  });

  it('tells audiences where the server says that personalisation was chosen, and no withdrawal stands', async () => {
    const person = personOf(customer());
    const store = audienceStore(client, { profiles: PROFILES, control: CONTROL });
    await store.enter(person, 'persons');
    await store.mark('persons', '2026-06-01T00:00:00.000Z', NOW / 1000 + 1);
    expect(await askFor(customer())).toMatchObject({ audiences: [] });
    const both = said('profile', 'personalisation');
    expect(await askFor(customer(), [{}], both)).toMatchObject({ audiences: ['persons'] });
    expect(await askFor(customer(), [{}], said('personalisation'))).toEqual(NOBODY);
    await put(person, { withdrawn: { M: { personalisation: { N: '5' } } } });
    expect(await askFor(customer(), [{}], both)).toMatchObject({ audiences: [] });
  });

  it.each<[string, number, string, () => string | undefined]>([
    ['no key', 401, 'must be a live write key, as Basic user name', () => ''],
    ['a dead key', 401, 'must be a live write key, as Basic user name', () => basic('no-such-key')],
    ["a page's key", 403, 'must be that of a server source', () => keyOf('web')],
    ["an import's key", 403, 'must be that of a server source', () => keyOf('history')],
  ])('refuses %s before it reads anything', async (_name, status, rule, authorization) => {
    const answer = await post({ personId: 'x', placements: [{}] }, authorization());
    expect(answer.statusCode).toBe(status);
    expect(JSON.parse(answer.body ?? '')).toEqual({ success: false, errors: [{ path: 'writeKey', rule }] });
    expect([reads, counted]).toEqual([[], ['Refused/write_key']]);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', ''],
    ['a list', [], ''],
    ['no person', { placements: [{}] }, 'personId'],
    ['an empty person', { personId: '', placements: [{}] }, 'personId'],
    ['a list for a person', { personId: ['x'], placements: [{}] }, 'personId'],
    ['no placements', { personId: 'x' }, 'placements'],
    ['an unknown field', { personId: 'x', placements: [{}], writeKey: 'k' }, 'writeKey'],
    ['an unknown field of a placement', { personId: 'x', placements: [{ sku: '1' }] }, 'placements.0.sku'],
    ['a product that is no text', { personId: 'x', placements: [{ product: 1 }] }, 'placements.0.product'],
    [
      'an unknown purpose',
      { personId: 'x', placements: [{}], context: { consent: { categoryPreferences: { everything: true } } } },
      'context.consent.categoryPreferences.everything',
    ],
  ])('refuses %s, and names the place', async (_name, body, path) => {
    const answer = await post(body);
    expect(answer.statusCode).toBe(400);
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ success: false, errors: [{ path }] });
    expect(reads).toEqual([]);
  });

  it('refuses a body that is longer than any question', async () => {
    expect((await post(JSON.stringify({ personId: 'x'.repeat(131_072) }))).statusCode).toBe(413);
  });
});

describe('undecided', () => {
  const origins = compileTrackingPlan(config).siteOfOrigin;
  const nobody = { show: true, reason: 'unknown' };
  const answerOf = (over: Partial<Request>) => {
    const { statusCode, body = '' } = undecided({ ...request('', []), ...over }, origins);
    return [statusCode, JSON.parse(body)];
  };

  it('knows nobody, in the form of the question', () => {
    expect(answerOf({ query: 'product=a' })).toEqual([200, nobody]);
    expect(answerOf({ query: inQuery([{}, {}]) })).toEqual([200, { decisions: [nobody, nobody] }]);
    const body = JSON.stringify({ personId: 'x', placements: [{}, {}] });
    expect(answerOf({ method: 'POST', body })).toEqual([200, { decisions: [nobody, nobody] }]);
    expect(answerOf({ method: 'POST', body: '{}' })[0]).toBe(400);
  });
});
