import { randomBytes } from 'node:crypto';
import { doorWithoutStores } from '../bench/door-without-stores.ts';
import { seeded } from '../bench/random.ts';
import { completeKeys } from '../domain/keys.ts';
import type { CollectDeps } from '../lambdas/collect/deps.ts';
import config from '../paula.config.ts';
import { consentBodiesTarget } from './bad-input/consent-bodies.ts';
import { cookiesTarget } from './bad-input/cookies.ts';
import { LONGEST } from './bad-input/hostile-texts.ts';
import { redactionTarget } from './bad-input/redaction.ts';
import type { Target } from './bad-input/target.ts';
import { countAndSeed } from './tcf/count-and-seed.ts';

const USAGE = `npm run bad-input -- [--count 1000000] [--seed N]

Feeds cookies, consent bodies and redaction with generated inputs, that many each: no exception, nothing granted that was
not signed, every refusal counted, and no input of ${LONGEST} characters that takes a millisecond or grows faster than its
length. npm run tcf-hostile does the same to the TC decoder.`;

/** The acceptance limit for an input of the greatest length, in microseconds. */
const LIMIT_US = 1_000;
/** Lengths at which the worst inputs are timed: where time is linear, each costs twice as much as the one before. */
const LENGTHS = [512, 1_024, 2_048, LONGEST];
/** From the shortest to the longest, eight times the length: a quadratic search would take 64 times the time. */
const MAX_GROWTH = 24;
/** Below this an input costs next to nothing at any length, and its growth is noise. */
const NOTHING_US = 20;
const TRIES = 30;
/** What came out too slow is timed again: a busy machine disturbs thirty tries in a row, but not three hundred. */
const TRIES_AGAIN = 300;
/** Of the worst inputs, how many are shown. */
const SHOWN = 6;

const { count, seed } = countAndSeed(USAGE, '1000000');
const random = seeded(seed);
const keys = completeKeys({}, config, () => randomBytes(32).toString('base64url'));
console.log(`seed ${seed}`);
let failed = false;
for (const target of [
  redactionTarget(random),
  cookiesTarget(keys, random),
  consentBodiesTarget(config, random, doorThatCounts),
]) {
  await feed(target);
  await timeWorst(target);
}
if (failed) process.exitCode = 1;

async function feed({ name, feed: hand }: Target): Promise<void> {
  const outcomes = new Map<string, number>();
  const before = process.cpuUsage();
  for (let round = 0; round < count; round++) {
    try {
      const outcome = await hand(round);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (error) {
      failed = true;
      console.log(`FAILED   ${name}: ${(error as Error).message.slice(0, 500)}`);
    }
  }
  const { user, system } = process.cpuUsage(before);
  console.log(`\n${name}: ${count} inputs, ${((user + system) / count).toFixed(1)} us each with making them`);
  for (const [outcome, times] of [...outcomes].sort((a, b) => b[1] - a[1]))
    console.log(`  ${outcome.padEnd(22)} ${times}`);
}

async function timeWorst({ name, worst }: Target): Promise<void> {
  const cases = LENGTHS.map(worst);
  const timed: { of: string; times: number[] }[] = [];
  for (const of of cases[0]?.keys() ?? []) {
    const times: number[] = [];
    for (const byName of cases) times.push(await fastest(byName.get(of) as () => unknown));
    timed.push({ of, times });
  }
  timed.sort((a, b) => (b.times.at(-1) as number) - (a.times.at(-1) as number));
  console.log(`  ${'worst, us by characters'.padEnd(36)} ${LENGTHS.map(cell).join(' ')}`);
  for (const { of, times } of timed.slice(0, SHOWN))
    console.log(`  ${of.padEnd(36)} ${times.map((us) => cell(us.toFixed(1))).join(' ')}`);
  for (const { of, times } of timed) {
    if (isCheap(times)) continue;
    const again: number[] = [];
    for (const byName of cases) again.push(await fastest(byName.get(of) as () => unknown, TRIES_AGAIN));
    if (isCheap(again)) continue;
    failed = true;
    console.log(`FAILED   ${name}: ${of} takes ${again.map((us) => us.toFixed(0)).join(', ')} us`);
  }
}

function isCheap(times: readonly number[]): boolean {
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  return last < LIMIT_US && (last < NOTHING_US || last < MAX_GROWTH * first);
}

/** Microseconds of the fastest of several tries: all that the machine does besides can only add time. */
async function fastest(run: () => unknown, tries = TRIES): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) {
    const before = performance.now();
    await run();
    best = Math.min(best, performance.now() - before);
  }
  return best * 1_000;
}

function cell(value: number | string): string {
  return String(value).padStart(9);
}

/** The door without tables and stream: it takes everything and counts what it was given. */
function doorThatCounts(left: { counted: number; told: number; receipts: number }): CollectDeps {
  const door = doorWithoutStores(config, keys);
  return {
    ...door,
    receipts: {
      ...door.receipts,
      append: async () => {
        left.receipts++;
      },
    },
    put: async (records) => {
      left.told += records.length;
      return [];
    },
    count: () => {
      left.counted++;
    },
  };
}
