import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stageOf } from '../../domain/config.ts';
import { BACKUP_DAYS, SWEEP_HOURS } from '../../domain/stores.ts';
import paulaConfig from '../../paula.config.ts';
import { type PlatformProcess, startPlatformProcess } from '../kill-test/platform-process.ts';
import { compactStores } from '../rights/compact-stores.ts';
import { readSigningKey } from '../rights/signing-key.ts';
import { CONTROL_HEADER, readControl, readSecrets } from '../secrets.ts';
import { BrandServer } from './brand-server.ts';
import { ProofBrowser } from './browser.ts';
import { needleOf } from './needles.ts';
import { type Canary, makeCanary, needlesOf } from './person.ts';
import { orderMessage, plant, plantBesides } from './plant.ts';
import { type StoreHits, scan } from './scan.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long the failed batches may take: five retries of each record, by both consumers. */
const FAILED_MS = 60_000;

export type Scan = ReadonlyMap<string, StoreHits>;

export type Proof = {
  /** What was searched for, by name. */
  sought: readonly string[];
  /** Of whom is erased: through the brand's call, and through the cookie. */
  before: Scan;
  after: Scan;
  /** Of a customer who has asked for nothing. */
  bystanderBefore: Scan;
  bystanderAfter: Scan;
  /** What the two requests came to in the end. */
  states: readonly string[];
};

/**
 * Plants three customers in a platform on an empty state folder, erases two of them, lets the windows pass on an advanced
 * clock, and searches every byte of the folder before and after. `say` hears what is being done.
 */
export async function proveErasure(stateDir: string, say: (line: string) => void): Promise<Proof> {
  const { region } = stageOf(paulaConfig, 'local');
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const logFile = join(stateDir, 'platform.log');
  const [asked, byCookie, bystander] = [makeCanary(), makeCanary(), makeCanary()];
  const origin = 'http://localhost:3000';

  let platform = await startPlatformProcess(stateDir, logFile);
  const keys = readSecrets(stateDir);
  const server = () => new BrandServer(platform.url, keys, readSigningKey(stateDir), region);
  const browsers = new Map<Canary, ProofBrowser>();
  try {
    say('planting through every door');
    for (const canary of [asked, byCookie, bystander]) {
      const browser = new ProofBrowser(platform.url, origin);
      await plant(canary, browser, server(), keys);
      browsers.set(canary, browser);
    }
    const idOf = (canary: Canary): string => browsers.get(canary)?.id ?? '';
    await drained(platform);
    // Audiences and access bundles: what the jobs make of it.
    const now = Date.now();
    await platform.runPlan(new Date(now + MINUTE_MS));
    await browsers.get(byCookie)?.send('GET', '/v1/me');
    await server().ask('POST', `/v1/persons/${asked.customer}/export`);
    await server().ask('POST', `/v1/persons/${bystander.customer}/export`);
    await drained(platform);
    await runRights(stateDir, platform, now + MINUTE_MS);
    checkBundle(await browsers.get(byCookie)?.send('GET', '/v1/me'), byCookie);
    for (const canary of [asked, byCookie])
      await plantBesides(canary, idOf(canary), keys, await enginesOf(platform), region);
    await failedBatches(stateDir, platform);
    await platform.stop();

    const needles = [
      ...needlesOf(asked, idOf(asked), keys),
      // The person of the second one asks for nothing: the cookie reaches its device alone.
      ...needlesOf(byCookie, idOf(byCookie), keys).filter(({ name }) => name === 'cookie' || name === 'device id'),
      needleOf('order id of the device', byCookie.orders[0] ?? ''),
      needleOf('order id of the device', byCookie.orders[2] ?? ''),
    ];
    const others = needlesOf(bystander, idOf(bystander), keys);
    say('searching');
    const before = await scan(stateDir, needles);
    const bystanderBefore = await scan(stateDir, others);

    say('erasing');
    platform = await startPlatformProcess(stateDir, logFile);
    const cookies = browsers.get(byCookie)?.cookies ?? new Map();
    const erasedAt = Date.now();
    const first = await server().ask('POST', `/v1/persons/${asked.customer}/erasure`);
    const again = new ProofBrowser(platform.url, origin, cookies);
    await again.send('POST', '/v1/me/objection');
    const second = ((await again.send('POST', '/v1/me/erasure')) as { request: { id: string } }).request;
    if (again.id !== '') throw new Error('the browser still has its cookie');
    await drained(platform);
    await runRights(stateDir, platform, erasedAt + MINUTE_MS);
    await platform.runPlan(new Date(erasedAt + 2 * MINUTE_MS));

    say('sending late copies');
    const late = new Date(erasedAt - HOUR_MS).toISOString();
    await server().send(
      'shop_backend',
      '/v1/track',
      orderMessage(asked.customer, asked.email, asked.orders[1] ?? '', late),
    );
    await drained(platform);
    await platform.runPlan(new Date(erasedAt + 3 * MINUTE_MS));

    say('letting the windows pass');
    const sweptAt = erasedAt + SWEEP_HOURS * HOUR_MS + HOUR_MS;
    await runRights(stateDir, platform, sweptAt);
    await platform.runPlan(new Date(sweptAt + MINUTE_MS));
    await runRights(stateDir, platform, sweptAt + BACKUP_DAYS * DAY_MS + HOUR_MS);
    const states = [first, second].map(async ({ id }) => (await server().ask('GET', `/v1/requests/${id}`)).state);
    const reached = await Promise.all(states);
    await platform.stop();
    await compactStores(stateDir, sweptAt);

    say('searching again');
    const after = await scan(stateDir, needles);
    const bystanderAfter = await scan(stateDir, others);
    const sought = [...new Set(needles.map(({ name }) => name))];
    return { sought, before, after, bystanderBefore, bystanderAfter, states: reached };
  } finally {
    if (!platform.hasEnded()) await platform.stop();
  }
}

/** What the cookie shows is the device's: its orders, and not what the server has sent of the person. */
function checkBundle(bundle: unknown, { orders }: Canary): void {
  const text = JSON.stringify(bundle);
  const [ofPixel = '', ofServer = '', ofBatch = ''] = orders;
  if (!text.includes(ofPixel) || !text.includes(ofBatch)) throw new Error('the bundle lacks orders of its device');
  if (text.includes(ofServer)) throw new Error('the bundle of a device shows an order of its person');
}

async function drained(platform: PlatformProcess): Promise<void> {
  if (!(await platform.drained())) throw new Error('the platform has ended');
}

async function askControl(stateDir: string, platform: PlatformProcess, method: string, path: string): Promise<unknown> {
  const { token } = readControl(stateDir);
  const response = await fetch(`${platform.url}${path}`, { method, headers: { [CONTROL_HEADER]: token } });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function runRights(stateDir: string, platform: PlatformProcess, asOf: number): Promise<void> {
  const path = `/local/rights?as_of=${new Date(asOf).toISOString()}`;
  const { outcome } = (await askControl(stateDir, platform, 'POST', path)) as { outcome: string };
  if (outcome === 'held') throw new Error('the lake was held by another writer');
}

async function enginesOf(platform: PlatformProcess): Promise<{ kinesis: string; s3: string }> {
  const response = await fetch(`${platform.url}/local/status`);
  return ((await response.json()) as { engines: { kinesis: string; s3: string } }).engines;
}

/** Waits until both consumers have given up what they cannot read. */
async function failedBatches(stateDir: string, platform: PlatformProcess): Promise<void> {
  for (const until = Date.now() + FAILED_MS; Date.now() < until; await pause(200)) {
    const failed = (await askControl(stateDir, platform, 'GET', '/local/failed')) as unknown[];
    if (failed.length >= 4) return;
  }
  throw new Error('the consumers have not given up the broken records');
}
