import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { writeConsentCookie } from '../domain/consent-cookie.ts';
import { MAX_PLACEMENTS } from '../domain/decision.ts';
import { decisionRules } from '../domain/decision-rules.ts';
import { fold } from '../domain/fold.ts';
import { type LinkItem, MAX_SIBLINGS, SK } from '../domain/items.ts';
import { completeKeys } from '../domain/keys.ts';
import { EMPTY_PROFILE } from '../domain/profile.ts';
import { packProfile } from '../domain/profile-codec.ts';
import type { Purpose } from '../domain/purposes.ts';
import { compileTrackingPlan } from '../domain/tracking-plan.ts';
import { hashes } from '../lambdas/adapters/hashes.ts';
import { metrics } from '../lambdas/adapters/metrics.ts';
import { deviceIdOf, readBrowser } from '../lambdas/browser.ts';
import { decide } from '../lambdas/decide.ts';
import { readRequest } from '../lambdas/http.ts';
import type { StoredItems } from '../lambdas/stored-items.ts';
import config from '../paula.config.ts';
import { POPULATION_END, population, type SimulatedProfile } from './population.ts';
import { seeded } from './random.ts';

/** Persons with one to `MAX_SIBLINGS` devices each: many more than people have, so that the slowest are among them. */
const PERSONS = 300;
/** How often each is asked about; the fastest counts, since all that another process does can only add time. */
const ROUNDS = 20;

const NOW = POPULATION_END + 3_600_000;
const LATER_SECONDS = NOW / 1000 + 1000;
const GRANTED: Purpose[] = ['storage', 'measurement', 'profile', 'personalisation', 'identity_merge'];
/** Every campaign of the population is capped, by as many caps as a campaign may have. */
const CAPS = [1, 24, 168, 744].map((windowHours, i) => ({ count: 2 + 4 * i, windowHours }));
const AUDIENCES = Array.from({ length: 20 }, (_, n) => `audience_${n}`);

type GatewayEvent = Parameters<typeof readRequest>[0];

/** Milliseconds of the decision's handler without network, at the median and at the 99th percentile of the persons. */
export type DecideCost = { p50Ms: number; p99Ms: number; devices: number; hidden: number };

/**
 * Measures `GET /v1/decision` for fifty placements, as API Gateway hands it over, with the stores answered from memory:
 * middleware, cookies, unpacking of the device, its person and the person's other devices, and the answer.
 */
export async function measureDecide(seed: number): Promise<DecideCost> {
  const random = seeded(seed);
  const stored = new Map<string, StoredItems>();
  const events: GatewayEvent[] = [];
  const campaigns = new Set<string>();
  let devices = 0;
  const drawn = population(seed, PERSONS * (MAX_SIBLINGS + 1));
  const draw = (): SimulatedProfile => drawn.next().value as SimulatedProfile;
  for (let n = 0; n < PERSONS; n++) {
    const person = `p.k1.${hashes.sha256(`person ${n}`)}`;
    const cookies = Array.from({ length: 1 + Math.floor(random() * MAX_SIBLINGS) }, (_, i) =>
      hashes.sha256(`cookie ${n} ${i}`).slice(0, 21).concat('A'),
    );
    const ids = cookies.map((cookie) => deviceIdOf(cookie, hashes));
    devices += ids.length;
    for (const id of [...ids, person]) {
      const simulated = draw();
      for (const { campaign } of simulated.events) if (campaign !== undefined) campaigns.add(campaign);
      const link = { pk: id, sk: SK.link, siblings: ids, ttl: LATER_SECONDS, ...(id !== person && { person }) };
      stored.set(id, itemsOf(id, simulated, link));
    }
    events.push(gatewayEvent(cookies[0] as string, random, [...campaigns]));
  }

  const counters = metrics(() => undefined);
  const rules = decisionRules({
    ...config,
    campaigns: Object.fromEntries([...campaigns].map((name) => [name, { caps: CAPS, coolDownHours: 1 }])),
  });
  const deps = {
    plan: compileTrackingPlan(config),
    keys,
    hmac: hashes.hmac,
    count: counters.count,
    rules,
    identify: (cookies: readonly string[], now: number) => readBrowser(cookies, keys, hashes, now),
    read: async (wanted: readonly { pk: string }[]) =>
      new Map(wanted.flatMap(({ pk }) => (stored.has(pk) ? [[pk, stored.get(pk) as StoredItems] as const] : []))),
    audienceExpiries: async (ids: readonly string[]) => new Map(ids.map((id) => [id, LATER_SECONDS])),
  };
  const handler = middy(async (event: GatewayEvent) => decide(readRequest(event), deps), {
    timeoutEarlyInMillis: 0,
  }).use(counters.flush);

  const fastest = events.map(() => Number.POSITIVE_INFINITY);
  let hidden = 0;
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, event] of events.entries()) {
      const from = performance.now();
      const { statusCode, body = '' } = await handler(event, CONTEXT);
      fastest[i] = Math.min(fastest[i] as number, performance.now() - from);
      const { decisions } = JSON.parse(body) as { decisions: { show: boolean }[] };
      if (statusCode !== 200 || decisions.length !== MAX_PLACEMENTS)
        throw new Error(`a decision answered ${statusCode}`);
      hidden += decisions.filter(({ show }) => !show).length;
    }
  if (hidden === 0) throw new Error('no decision hid a banner');
  const sorted = fastest.sort((a, b) => a - b);
  const percentile = (share: number): number => sorted[Math.floor(sorted.length * share)] as number;
  return {
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    devices: devices / PERSONS,
    hidden: hidden / (ROUNDS * PERSONS * MAX_PLACEMENTS),
  };
}

let made = 0;
const keys = completeKeys({}, config, () => hashes.sha256(`key ${made++}`));

/** Middy looks into the context for a timer that this handler does not want. */
const CONTEXT = { getRemainingTimeInMillis: () => 29_000 } as Context;

function itemsOf(pk: string, { events }: SimulatedProfile, link: LinkItem): StoredItems {
  const profile = fold(
    EMPTY_PROFILE,
    events.map((record, i) => ({ record, shard: 'shardId-000000000000', sequence: String(10n ** 55n + BigInt(i)) })),
  );
  return {
    profile: { pk, sk: SK.profile, b: packProfile(profile, profile.purchases), v: 1, ttl: LATER_SECONDS },
    link,
    audiences: { pk, sk: SK.audiences, ids: new Set(AUDIENCES) },
  };
}

/** Products by their places in the population's shop, the frequent ones first, with a campaign each. */
function gatewayEvent(cookie: string, random: () => number, campaigns: readonly string[]): GatewayEvent {
  const placements = Array.from({ length: MAX_PLACEMENTS }, (_, n) => ({
    product: `SKU-${String(Math.floor(2000 * random() ** 4)).padStart(5, '0')}`,
    category: n % 2 === 0 ? 'face/care' : 'lips/colour',
    campaign: campaigns[n % Math.max(1, campaigns.length)] ?? 'none',
  }));
  const consent = writeConsentCookie(
    { granted: GRANTED, givenAt: NOW - 1000 },
    deviceIdOf(cookie, hashes),
    keys.cookie[0] as NonNullable<(typeof keys.cookie)[0]>,
    hashes.hmac,
  );
  return {
    version: '2.0',
    routeKey: 'GET /v1/decision',
    rawPath: '/v1/decision',
    rawQueryString: `placements=${encodeURIComponent(JSON.stringify(placements))}`,
    cookies: [`paula_id=${cookie}`, `paula_consent=${consent}`],
    headers: { origin: config.sites.shop?.origins[0] },
    requestContext: {
      accountId: '',
      apiId: '',
      domainName: '',
      domainPrefix: '',
      http: { method: 'GET', path: '/v1/decision', protocol: 'HTTP/1.1', sourceIp: '203.0.113.9', userAgent: '' },
      requestId: 'bench',
      routeKey: 'GET /v1/decision',
      stage: '$default',
      time: '',
      timeEpoch: NOW,
    },
    isBase64Encoded: false,
  } as GatewayEvent;
}
