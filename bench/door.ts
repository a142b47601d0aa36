import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { encodedStrings } from '../conformance/tcf/encoded-strings.ts';
import { type AdmitDeps, admit } from '../domain/admit.ts';
import { writeConsentCookie } from '../domain/consent-cookie.ts';
import { basisOf, grantedToBrowser, judgeSignal } from '../domain/granted.ts';
import { completeKeys } from '../domain/keys.ts';
import type { Purpose } from '../domain/purposes.ts';
import { readSegmentMessage, sentOf } from '../domain/segment-message.ts';
import type { EventRecord } from '../domain/stream-record.ts';
import { tcSignal } from '../domain/tcf-signal.ts';
import { compileTrackingPlan } from '../domain/tracking-plan.ts';
import { type CountryTable, countryOf, loadCountryTable } from '../lambdas/adapters/country-table.ts';
import { hashes } from '../lambdas/adapters/hashes.ts';
import { metrics } from '../lambdas/adapters/metrics.ts';
import { userAgentReader } from '../lambdas/adapters/user-agent.ts';
import { deviceIdOf } from '../lambdas/browser.ts';
import { admissionDeps } from '../lambdas/collect/admit-request.ts';
import type { CollectDeps } from '../lambdas/collect/deps.ts';
import { collect } from '../lambdas/collect.ts';
import { readRequest } from '../lambdas/http.ts';
import config from '../paula.config.ts';
import { doorWithoutStores } from './door-without-stores.ts';
import { cpuMicros } from './measure.ts';
import { type BenchMessage, type BenchMessages, benchMessages, MESSAGE_COUNT, USER_AGENTS } from './messages.ts';
import { seeded } from './random.ts';

/** Fewer than the distinct user agents, so that the cache misses; the run checks how often. */
const AGENT_CACHE = USER_AGENTS - 5;

const RECEIVED_AT = Date.UTC(2026, 10, 24, 12);
const GRANTED: Purpose[] = ['storage', 'measurement', 'profile', 'personalisation'];
/** TC strings of 100 to 800 characters, by turns: a page's visitors choose alike. */
const TC_STRINGS = 400;
/** A vendor of the list, with the registration that an advertiser's platform has. */
const TCF = {
  vendorId: 42,
  registration: { purposes: [1, 3, 4, 7, 9], legIntPurposes: [2, 10], flexiblePurposes: [2, 7, 9, 10] },
};
const SOURCE = { name: 'web', config: config.sources.web as NonNullable<typeof config.sources.web> };

const OWN = { granted: GRANTED, givenAt: RECEIVED_AT - 1000 };

const plan = compileTrackingPlan(config);
let made = 0;
const keys = completeKeys({}, config, () => hashes.sha256(`key ${made++}`));

/** CPU microseconds per event. */
export type DoorCost = { floorUs: number; admitUs: number; admitTcUs: number; collectUs: number };

/**
 * Measures the floor, `admit` on a fresh text, the same with a TC string that is read and judged before, and the whole
 * `collect` without network.
 */
export async function measureDoor(seed: number): Promise<DoorCost> {
  const bench = benchMessages(seed);
  checkCounts(bench);
  const { messages } = bench;
  const admitted = userAgentReader(AGENT_CACHE);
  const admittedToo = userAgentReader(AGENT_CACHE);
  const strings = encodedStrings(seeded(seed), TC_STRINGS);
  const door = benchDoor();
  const [floorUs, admitUs, admitTcUs, collectUs] = await cpuMicros(MESSAGE_COUNT, [
    {
      prepare: (from, to) => messages.slice(from, to).map(({ body }) => body.toString('base64')),
      run: floor,
    },
    {
      prepare: (from, to) => messages.slice(from, to).map(fresh),
      run: (list: Fresh[]) => admitAll(list, admitted).consumed,
    },
    {
      prepare: (from, to) =>
        messages.slice(from, to).map((message, i) => withTcString(fresh(message), strings[(from + i) % TC_STRINGS])),
      run: (list: Fresh[]) => admitAll(list, admittedToo).consumed,
    },
    {
      prepare: (from, to) => messages.slice(from, to).map(gatewayEvent),
      run: (list: GatewayEvent[]) => door.collectAll(list),
    },
  ]);
  door.check(bench);
  return { floorUs, admitUs, admitTcUs, collectUs } as DoorCost;
}

/** The least that any station does with an event: take it out of base64, read it, write it. */
function floor(texts: string[]): number {
  let consumed = 0;
  for (const text of texts) consumed += JSON.stringify(JSON.parse(Buffer.from(text, 'base64').toString('utf8'))).length;
  return consumed;
}

type Counts = { consumed: number; accepted: number; redacted: number; rejected: number };

type Fresh = { text: string; userAgent: string; tcString?: string };

/** A message as a text of its own: a string that was read before is cheaper to read. */
const fresh = ({ body, userAgent }: BenchMessage): Fresh => ({ text: body.toString('utf8'), userAgent });

/** A request's parameters are new strings, cut out of its query. */
const withTcString = (message: Fresh, value = ''): Fresh => ({ ...message, tcString: ` ${value}`.slice(1) });

/** Who may what: the cookie's choices, and what the TC string gives besides, where there is one. */
function grantedBy(tcString: string | undefined): Pick<Parameters<typeof admit>[1], 'granted' | 'basis'> {
  if (tcString === undefined) return { granted: GRANTED };
  const signal = tcSignal({ gdpr_consent: tcString });
  if ('denied' in signal) throw new Error(`the oracle's string is refused: ${signal.denied}`);
  const granted = grantedToBrowser({
    own: OWN,
    signal: judgeSignal(signal, TCF, RECEIVED_AT),
    link: undefined,
    objectsAutomatically: false,
    purposes: config.purposes,
    now: RECEIVED_AT,
  });
  return { granted: granted.purposes, basis: basisOf(granted) };
}

function admitAll(
  inputs: readonly Fresh[],
  readUserAgent: AdmitDeps['readUserAgent'],
  take?: (record: EventRecord) => void,
): Counts {
  const deps = admissionDeps(plan, keys, hashes.hmac, readUserAgent);
  const counts = { consumed: 0, accepted: 0, redacted: 0, rejected: 0 };
  for (const [i, { text, userAgent, tcString }] of inputs.entries()) {
    const read = readSegmentMessage(JSON.parse(text), 'track');
    if ('issues' in read) throw new Error(`message ${i} is none: ${JSON.stringify(read.issues)}`);
    const sent = sentOf(read.message, SOURCE, userAgent);
    const admission = admit(
      sent,
      {
        receivedAt: RECEIVED_AT,
        requestId: 'bench',
        position: i,
        deviceId: 'd.bench',
        ...grantedBy(tcString),
        country: 'DE',
      },
      deps,
    );
    if (admission.outcome === 'accepted') {
      counts.accepted++;
      counts.consumed += admission.record.event_id.length;
      if (admission.redacted.length > 0) counts.redacted++;
      take?.(admission.record);
    } else if (admission.outcome === 'rejected') {
      counts.rejected++;
      counts.consumed += admission.issues.length;
    }
  }
  return counts;
}

/** The records that `admit` makes of the benchmark's messages: what the consumers get. */
export function admittedRecords(seed: number): EventRecord[] {
  const records: EventRecord[] = [];
  admitAll(benchMessages(seed).messages.map(fresh), userAgentReader(), (record) => records.push(record));
  return records;
}

/** The run is worth nothing if it does not meet the hits, misses and rejections that the messages were made with. */
function checkCounts(bench: BenchMessages): void {
  let misses = 0;
  const readUserAgent = userAgentReader(AGENT_CACHE, () => {
    misses++;
  });
  const counts = admitAll(bench.messages.map(fresh), readUserAgent);
  const expected = {
    accepted: MESSAGE_COUNT - bench.rejected,
    redacted: bench.redacted,
    rejected: bench.rejected,
    misses: missesOfFifo(bench.messages),
  };
  const seen = { accepted: counts.accepted, redacted: counts.redacted, rejected: counts.rejected, misses };
  if (JSON.stringify(seen) !== JSON.stringify(expected))
    throw new Error(`expected ${JSON.stringify(expected)}, saw ${JSON.stringify(seen)}`);
}

/** What a first-in, first-out cache of that size must miss; a list instead of the cache's map. */
function missesOfFifo(messages: readonly BenchMessage[]): number {
  const kept: string[] = [];
  let misses = 0;
  for (const { userAgent, planned } of messages) {
    if (!planned || kept.includes(userAgent)) continue;
    misses++;
    if (kept.length === AGENT_CACHE) kept.shift();
    kept.push(userAgent);
  }
  return misses;
}

type GatewayEvent = Parameters<typeof readRequest>[0];

const cookieId = 'AAAAAAAAAAAAAAAAAAAAAA';
const consentCookie = writeConsentCookie(
  OWN,
  deviceIdOf(cookieId, hashes),
  keys.cookie[0] as NonNullable<(typeof keys.cookie)[0]>,
  hashes.hmac,
);

const authorization = `Basic ${Buffer.from(`${keys.writeKeys.web?.[0]}:`).toString('base64')}`;

/** An event as API Gateway hands it over: a browser's POST with both cookies. */
function gatewayEvent({ body, userAgent }: BenchMessage, i: number): GatewayEvent {
  return {
    version: '2.0',
    routeKey: 'POST /v1/track',
    rawPath: '/v1/track',
    rawQueryString: '',
    cookies: [`paula_id=${cookieId}`, `paula_consent=${consentCookie}`],
    headers: {
      authorization,
      origin: config.sites.shop?.origins[0],
      'user-agent': userAgent,
      'content-type': 'application/json',
    },
    requestContext: {
      accountId: '',
      apiId: '',
      domainName: '',
      domainPrefix: '',
      http: { method: 'POST', path: '/v1/track', protocol: 'HTTP/1.1', sourceIp: '203.0.113.9', userAgent },
      requestId: `bench-${i}`,
      routeKey: 'POST /v1/track',
      stage: '$default',
      time: '',
      timeEpoch: RECEIVED_AT,
    },
    body: body.toString('utf8'),
    isBase64Encoded: false,
  } as GatewayEvent;
}

/** The table that is deployed, packed for this run. */
function packedCountries(): CountryTable {
  const folder = mkdtempSync(join(tmpdir(), 'paula-bench-'));
  try {
    const file = join(folder, 'country.bin');
    execFileSync(process.execPath, [join(import.meta.dirname, '../scripts/pack-country-table.mjs'), file]);
    return loadCountryTable(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Middy looks into the context for a timer that this handler does not want. */
const CONTEXT = { getRemainingTimeInMillis: () => 29_000 } as Context;

/** The whole door with everything but the network: middleware, cookies, look-ups, counters, and the record as bytes for the stream. */
function benchDoor() {
  let consumed = 0;
  const countries = packedCountries();
  const counters = metrics((line) => {
    consumed += line.length;
  });
  const answers = new Map<number | undefined, number>();
  const deps: CollectDeps = {
    ...doorWithoutStores(config, keys),
    admission: admissionDeps(plan, keys, hashes.hmac, userAgentReader(AGENT_CACHE)),
    country: (address) => countryOf(address, countries),
    put: async (records) => {
      for (const { record } of records) consumed += Buffer.from(JSON.stringify(record)).length;
      return [];
    },
    count: counters.count,
  };
  const handler = middy(async (event: GatewayEvent) => collect(readRequest(event), deps), {
    timeoutEarlyInMillis: 0,
  }).use(counters.flush);
  return {
    async collectAll(events: readonly GatewayEvent[]): Promise<number> {
      for (const event of events) {
        const { statusCode } = await handler(event, CONTEXT);
        answers.set(statusCode, (answers.get(statusCode) ?? 0) + 1);
      }
      return consumed;
    },
    /** As many refusals as the messages were made with, and no other answer than these. */
    check({ rejected, messages }: BenchMessages): void {
      const [good = 0, bad = 0] = [answers.get(200), answers.get(400)];
      if (answers.size !== 2 || good * rejected !== bad * (messages.length - rejected))
        throw new Error(`expected ${rejected} of ${messages.length} refused, saw ${JSON.stringify([...answers])}`);
    },
  };
}
