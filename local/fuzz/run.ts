import { setTimeout as sleep } from 'node:timers/promises';
import { routes } from '../../domain/routes.ts';
import paulaConfig from '../../paula.config.ts';
import { MAX_BODY_BYTES, MAX_HEAD_BYTES, splitTarget } from '../api-gateway.ts';
import type { Platform } from '../platform.ts';
import { CONTROL_HEADER, readControl } from '../secrets.ts';
import type { Answer } from './answer.ts';
import { type Chance, chanceOf } from './chance.ts';
import type { FuzzRequest } from './draft.ts';
import { type Entries, sendToEntry } from './entry.ts';
import { malformed } from './malformed.ts';
import { nextRequest } from './requests.ts';
import { makeSenders, type Senders } from './senders.ts';
import { isGif, type Verdict, verdictOf } from './verdict.ts';
import { entryHead, sendOnWire, wireHead } from './wire.ts';

export type FuzzOptions = {
  /** How many requests in all, and how many of them over HTTP. */
  requests: number;
  http: number;
  seed: number;
  stateDir: string;
  onProgress?: (sent: number) => void;
};

export type Row = Record<Verdict, number> & { base: string; sent: number; mutated: number; slowestMs: number };

/** What a run has seen. `faults` are some of the requests that failed or met a 503, in words. */
export type FuzzReport = {
  rows: readonly Row[];
  sentOverHttp: number;
  pixels: { withinLimits: number; gifs: number; beyondLimits: number; gatewayRefusals: number };
  unavailable: number;
  /** What the functions counted as failed, by name: no table was out of reach here, so each is a fault of ours. */
  counters: Readonly<Record<string, number>>;
  unhandled: number;
  faults: readonly string[];
  failedBatches: number;
};

/** Requests under way at once. A pixel and a click go alone: only then do the counters tell what became of them. */
const AT_ONCE = 16;

/** Requests between two looks at the progress, and the room in which those that go together are found. */
const CHUNK = 256;

/** Of the requests over HTTP, those that are no HTTP. */
const MALFORMED = 0.01;

/** A body of this length is as long as Lambda admits once it is in base64. */
const MAX_BASE64_BODY_BYTES = (MAX_BODY_BYTES / 4) * 3;

/** As many faults as one reads. */
const MAX_FAULTS = 30;

/**
 * Sends generated requests at a running platform of this process, some over HTTP and the rest into its functions, waits
 * until its consumers have taken everything and runs the plan over it. Rejects where the platform itself gives up.
 */
export async function fuzz(platform: Platform, options: FuzzOptions): Promise<FuzzReport> {
  const config = paulaConfig;
  const chance = chanceOf(options.seed);
  const senders = await makeSenders(platform.url, config, platform.keys);
  const entries = await loadEntries();
  const doors = routes(config);
  const port = Number(new URL(platform.url).port);
  const tally = newTally();

  const unhandled = () => {
    tally.unhandled++;
  };
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) process.on(event, unhandled);
  try {
    for (let sent = 0; sent < options.requests; ) {
      const overHttp = sent < options.http;
      const length = Math.min(CHUNK, (overHttp ? options.http : options.requests) - sent);
      const chunk = Array.from({ length }, () => makeRequest(senders, chance, overHttp));
      const send = (request: FuzzRequest): Promise<Answer> =>
        overHttp ? sendOnWire(request, port) : sendToEntry(request, doors, entries);
      if (overHttp) tally.sentOverHttp += length;

      const alone = chunk.filter(goesAlone);
      const together = chunk.filter((request) => !goesAlone(request));
      for (let i = 0; i < together.length; i += AT_ONCE)
        await Promise.all(together.slice(i, i + AT_ONCE).map((request) => take(request, send, overHttp, tally)));
      for (const request of alone) await take(request, send, overHttp, tally, () => rejectionsOf(platform));
      sent += length;
      options.onProgress?.(sent);
    }
    await caughtUp(platform);
    await askControl(options.stateDir, 'POST', '/local/plan');
    const failed = (await askControl(options.stateDir, 'GET', '/local/failed')) as unknown[];
    const counters = Object.fromEntries(
      Object.entries(platform.status().counters).filter(([name]) => /^(Failed|StreamFailed)\//.test(name)),
    );
    return { ...tally, rows: [...tally.rows.values()], failedBatches: failed.length, counters };
  } finally {
    for (const event of ['unhandledRejection', 'uncaughtException'] as const) process.off(event, unhandled);
  }
}

type Tally = Omit<FuzzReport, 'rows' | 'faults' | 'failedBatches' | 'counters'> & {
  rows: Map<string, Row>;
  faults: string[];
};

const newTally = (): Tally => ({
  rows: new Map(),
  sentOverHttp: 0,
  pixels: { withinLimits: 0, gifs: 0, beyondLimits: 0, gatewayRefusals: 0 },
  unavailable: 0,
  unhandled: 0,
  faults: [],
});

/** The platform has loaded them with its own environment; they are the same modules here. */
async function loadEntries(): Promise<Entries> {
  const [collect, decide, rights] = await Promise.all([
    import('../../lambdas/collect.lambda.ts'),
    import('../../lambdas/decide.lambda.ts'),
    import('../../lambdas/rights.lambda.ts'),
  ]);
  const called = (handler: unknown) => (event: unknown) =>
    (handler as (event: unknown, context: object) => Promise<unknown>)(event, {});
  return { collect: called(collect.handler), decide: called(decide.handler), rights: called(rights.handler) };
}

function makeRequest(senders: Senders, chance: Chance, overHttp: boolean): FuzzRequest {
  const request = nextRequest(senders, chance);
  return overHttp && chance.yes(MALFORMED)
    ? { ...request, base: 'no HTTP', kind: 'random', malformed: malformed(chance) }
    : request;
}

const isPixel = ({ method, target, malformed: none }: FuzzRequest): boolean =>
  none === undefined && method === 'GET' && splitTarget(target).path === paulaConfig.pixelPath;

const goesAlone = (request: FuzzRequest): boolean => isPixel(request) || request.target.startsWith('/click');

const rejectionsOf = (platform: Platform): number =>
  Object.entries(platform.status().counters).reduce(
    (sum, [name, count]) => (/^(Rejected|Refused|StreamFailed)\//.test(name) ? sum + count : sum),
    0,
  );

async function take(
  request: FuzzRequest,
  send: (request: FuzzRequest) => Promise<Answer>,
  overHttp: boolean,
  tally: Tally,
  rejections: () => number = () => 0,
): Promise<void> {
  const before = rejections();
  const startedAt = performance.now();
  const answer = await send(request).catch((error: Error): Answer => {
    return { status: 500, headers: {}, body: Buffer.from(`${error.name}: ${error.stack}`) };
  });
  const ms = performance.now() - startedAt;
  let verdict = verdictOf(answer, rejections() - before);
  if (answer.status === 503) tally.unavailable++;
  if (isPixel(request) && !pixelIsAnswered(request, answer, overHttp, tally)) verdict = 'failed';
  if ((verdict === 'failed' || answer.status === 503) && tally.faults.length < MAX_FAULTS)
    tally.faults.push(describe(request, answer));

  const row = tally.rows.get(request.base) ?? {
    base: request.base,
    sent: 0,
    mutated: 0,
    accepted: 0,
    rejected: 0,
    refused: 0,
    failed: 0,
    slowestMs: 0,
  };
  row.sent++;
  if (request.kind === 'mutated') row.mutated++;
  row[verdict]++;
  row.slowestMs = Math.max(row.slowestMs, ms);
  tally.rows.set(request.base, row);
}

/** Within API Gateway's limits the GIF, beyond them the gateway's refusal, and nothing else. */
function pixelIsAnswered(request: FuzzRequest, answer: Answer, overHttp: boolean, { pixels }: Tally): boolean {
  const headBytes = overHttp ? wireHead(request).length : entryHead(request).length;
  // Between these two a body is within the limits as text and beyond them in base64; the gateway decides which it is.
  const fits = request.body.length <= MAX_BODY_BYTES && answer.status !== 413;
  if (headBytes <= MAX_HEAD_BYTES && (fits || request.body.length <= MAX_BASE64_BODY_BYTES)) {
    pixels.withinLimits++;
    if (!isGif(answer)) return false;
    pixels.gifs++;
  } else {
    pixels.beyondLimits++;
    if (answer.status !== 431 && answer.status !== 413) return false;
    pixels.gatewayRefusals++;
  }
  return true;
}

const describe = (request: FuzzRequest, { status, body }: Answer): string =>
  `${status} ${request.kind} of ${request.base}: ${request.method} ${request.target.slice(0, 80)} (head ${entryHead(request).length}, body ${request.body.length} bytes) ${body.toString('latin1').slice(0, 400)}`;

async function caughtUp(platform: Platform): Promise<void> {
  while (!platform.status().consumers.every(({ behind }) => behind === 0)) await sleep(100);
}

async function askControl(stateDir: string, method: string, path: string): Promise<unknown> {
  const { token, url } = readControl(stateDir);
  const answer = await fetch(`${url}${path}`, { method, headers: { [CONTROL_HEADER]: token } });
  const body = await answer.json();
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(body)}`);
  return body;
}
