import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { seeded } from '../bench/random.ts';
import { stageOf } from '../domain/config.ts';
import { buildPlan } from '../domain/plan.ts';
import { lakeTables } from '../domain/tables.ts';
import paulaConfig from '../paula.config.ts';
import { readSqlTexts } from '../sql/sql-texts.ts';
import type { FaultPoint } from './fault-point.ts';
import { MADE_ALIKE } from './kill-test/comparable-state.ts';
import { type Comparison, compareStates, MASKS } from './kill-test/compare-states.ts';
import { ExpectedFigures, type Figures, lakeFigures, profileFigures } from './kill-test/figures.ts';
import { drawKills, KILL_KINDS, type Kill, type Pace } from './kill-test/kill-schedule.ts';
import type { ReplayInput } from './kill-test/replay-process.ts';
import {
  faultsOf,
  type Line,
  type PlannedRun,
  prepareState,
  runDisturbed,
  runOnceMore,
  runUndisturbed,
} from './kill-test/run-line.ts';
import { sampleMessages } from './kill-test/sample-messages.ts';
import { readLake, readState } from './kill-test/state-rows.ts';
import { openMessages } from './replay/open-messages.ts';

const USAGE = `usage: npm run kill-test -- [FILE] [--seed N] [--kills N] [--limit N] [--work DIR]
  FILE         what to replay; else online_retail_events.csv.gz of the folder PAULA_DATA, else generated messages
  --seed N     draws the kills, and the messages where they are generated
  --kills N    during the replay, as many of each kind
  --limit N    messages of the file, or messages to generate
  --work DIR   where the state folders are made and kept; else a folder that goes after a success`;

const DEFAULT_FILE = 'online_retail_events.csv.gz';
const DEFAULT_KILLS = 24;
const [UNDISTURBED, DISTURBED] = ['undisturbed', 'disturbed'];
/** Enough generated messages that a person's rings and the windows of both consumers fill several times. */
const GENERATED_MESSAGES = 1_500;
/** The source of generated messages: a server's, which may send every event of the tracking plan. */
const GENERATED_SOURCE = 'shop_backend';
/** The last messages that are sent twice. */
const REPEAT_LAST = 1_000;
/** Runs of the plan after the replay, in days from the last event: audiences fill, change, and empty again. */
const DAYS_FROM_LAST = [-45, -15, 1, 25];
const DAY_MS = 86_400_000;
/** From one run of the plan under traffic to the next, in as-of time. */
const SECOND_MS = 1_000;
/** Time that a consumer needs for a batch beside its window: an estimate, which moves a kill by a few messages. */
const BATCH_SECONDS = 0.2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: String(DEFAULT_KILLS) },
    limit: { type: 'string' },
    work: { type: 'string' },
  },
});

await main();

function say(line: string): void {
  console.log(line);
}

/** Compares a run of the platform that is killed again and again with one that is not. Exits with 1 where they differ. */
async function main(): Promise<void> {
  const seed = wholeNumber('--seed', values.seed);
  const killCount = wholeNumber('--kills', values.kills);
  if (killCount < KILL_KINDS.length) fail(`--kills must be at least ${KILL_KINDS.length}: one of each kind`);
  const work = values.work ?? mkdtempSync(join(tmpdir(), 'paula-kill-test-'));
  mkdirSync(work, { recursive: true });
  if (existsSync(join(work, UNDISTURBED))) fail(`${work} holds the state folders of another run`);
  const input = await inputOf(seed, work);
  const { messages, last, expected } = await survey(input.file);
  const stage = stageOf(paulaConfig, 'local');
  const tables = lakeTables(paulaConfig);
  say(`seed ${seed}; ${messages} messages of ${basename(input.file)}; state folders in ${work}`);

  const random = seeded(seed);
  const steps = buildPlan({ config: paulaConfig, stage, bucket: 'any', ...readSqlTexts() });
  const merges = steps.flatMap((step) => (step.kind === 'statement' && /^MERGE /m.test(step.sql) ? [step.id] : []));
  const [ofSegments, ofIngest] = [merges.filter(isOfSegment), merges.filter((id) => !isOfSegment(id))];
  const kills = drawKills(killCount, messages, ofIngest, random);
  const plans = [...runsUnderTraffic(kills), ...runsAfterwards(last, ofSegments, random)];
  const lineAt = (name: string): Line => ({ stateDir: join(work, name), input, plans, say });

  const undisturbed = lineAt(UNDISTURBED);
  prepareState(undisturbed.stateDir);
  const perSecond = await timed('undisturbed run', () => runUndisturbed(undisturbed));
  const disturbed = lineAt(DISTURBED);
  prepareState(disturbed.stateDir, undisturbed.stateDir);
  const pace: Pace = {
    messages: perSecond,
    profile: stage.shards / (stage.profileWindowSeconds + BATCH_SECONDS),
    land: stage.shards / (stage.landWindowSeconds + BATCH_SECONDS),
  };
  await timed('disturbed run', () => runDisturbed(disturbed, kills, pace, REPEAT_LAST));

  const asExpected = tellKills(kills, faultsOf(disturbed.stateDir));

  const a = await readState(undisturbed.stateDir, tables, stage.region);
  const b = await readState(disturbed.stateDir, tables, stage.region);
  say('\nundisturbed and disturbed, not compared:');
  for (const [reason, masks] of Map.groupBy(MASKS, (mask) => mask.reason))
    say(`  ${reason}: ${masks.map(({ table, field }) => `${table}.${field}`).join(', ')}`);
  say('  object keys, which hold shard and sequence numbers: in no table');
  say(`made alike:\n${MADE_ALIKE.map((line) => `  ${line}`).join('\n')}`);
  const equal = told(compareStates(a, b));
  const complete = tellFigures({
    'the file': expected,
    'undisturbed lake': lakeFigures(a),
    'undisturbed profiles': profileFigures(a),
    'disturbed lake': lakeFigures(b),
    'disturbed profiles': profileFigures(b),
  });

  const before = await readLake(disturbed.stateDir, tables);
  const lastRun = plans.at(-1) as PlannedRun;
  await timed('\nthe whole file once more', () => runOnceMore(disturbed, lastRun.asOf));
  say('the lake before and after it, nothing masked:');
  const unchanged = told(compareStates(before, await readLake(disturbed.stateDir, tables), []));

  const passed = asExpected && equal && complete && unchanged;
  if (passed && values.work === undefined) rmSync(work, { recursive: true });
  say(passed ? '\npassed' : `\nFAILED; the state folders are kept in ${work}`);
  process.exitCode = passed ? 0 : 1;
}

/**
 * Runs of the plan while the replay goes on, each of which sees what has landed by then. As of tomorrow nobody of a history
 * is in an audience, so that what is left at the end depends on the runs afterwards, which see the whole file.
 */
function runsUnderTraffic(kills: readonly Kill[]): PlannedRun[] {
  const tomorrow = (Math.floor(Date.now() / DAY_MS) + 1) * DAY_MS;
  return kills
    .filter(({ kind }) => kind === 'MERGE and release of the lease')
    .map(({ at }, i) => ({ at, asOf: new Date(tomorrow + i * SECOND_MS) }));
}

function runsAfterwards(last: number, merges: readonly string[], random: () => number): PlannedRun[] {
  const points: FaultPoint[] = [...merges.map((id) => `plan.step.${id}` as const), 'plan.release'];
  return DAYS_FROM_LAST.map((days) => ({
    asOf: new Date(last + days * DAY_MS),
    killedAt: points[Math.floor(random() * points.length)] as FaultPoint,
  }));
}

/** Prints the kills as the state folder has them; true where they are all there. */
function tellKills(kills: readonly Kill[], faults: readonly string[]): boolean {
  say(`\nfaults.log:\n${faults.join('\n')}`);
  for (const kind of KILL_KINDS) say(`between ${kind}: ${kills.filter((kill) => kill.kind === kind).length}`);
  say(`in the plan after the replay: ${DAYS_FROM_LAST.length} more`);
  const asDrawn = kills.every(({ point }, i) => pointOf(faults[i] ?? '') === point);
  return asDrawn && faults.length === kills.length + DAYS_FROM_LAST.length;
}

/** `<time> <point>:<count> pid <pid>` */
function pointOf(line: string): string {
  return line.split(' ')[1]?.split(':')[0] ?? '';
}

/** A segment's MERGE; the others take in what has landed, or follow from it. */
function isOfSegment(id: string): boolean {
  return /-(members|history)$/.test(id);
}

async function inputOf(seed: number, work: string): Promise<ReplayInput> {
  const { PAULA_DATA } = process.env;
  const file = positionals[0] ?? (PAULA_DATA === undefined ? undefined : join(PAULA_DATA, DEFAULT_FILE));
  const limit = values.limit === undefined ? undefined : wholeNumber('--limit', values.limit);
  if (file !== undefined) {
    if (!existsSync(file)) fail(`there is no file ${file}`);
    return { file, options: limit === undefined ? [] : ['--limit', String(limit)] };
  }
  const generated = join(work, 'sample.ndjson');
  const lines = createWriteStream(generated);
  for (const message of sampleMessages(limit ?? GENERATED_MESSAGES, seed)) lines.write(`${JSON.stringify(message)}\n`);
  lines.end();
  await finished(lines);
  return { file: generated, options: ['--source', GENERATED_SOURCE] };
}

/** Reads through the messages that are replayed: their number, the time of the latest, and what they add up to. */
async function survey(file: string): Promise<{ messages: number; last: number; expected: Figures }> {
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--limit', values.limit);
  const expected = new ExpectedFigures();
  let messages = 0;
  let last = 0;
  for await (const message of openMessages(file).messages()) {
    if (messages >= limit) break;
    messages += 1;
    last = Math.max(last, message.at);
    expected.add(message);
  }
  return { messages, last, expected: expected.figures() };
}

/** Prints a comparison; true where nothing differs. */
function told({ counts, different, first }: Comparison): boolean {
  say('compared:');
  for (const [table, [a, b]] of counts) say(`  ${table}: ${a} and ${b}`);
  for (const { table, key, what } of first) say(`  DIFFERENT ${table} ${key}: ${what}`);
  say(different === 0 ? 'no difference' : `${different} items or rows differ`);
  return different === 0;
}

/** Prints what each of them says of orders; true where all say the same. */
function tellFigures(all: Readonly<Record<string, Figures>>): boolean {
  const texts = Object.entries(all).map(([name, { persons, orders, returns, net }]) => {
    const amounts = Object.entries(net).map(([currency, amount]) => `${amount} ${currency}`);
    return [name, `${persons} persons, ${orders} orders, ${returns} returns, ${amounts.join(', ')} net`] as const;
  });
  for (const [name, text] of texts) say(`${name}: ${text}`);
  return new Set(texts.map(([, text]) => text)).size === 1;
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const done = await work();
  say(`${what}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
  return done;
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) fail(`${option} must be a whole number, not "${text}"`);
  return Number(text);
}

function fail(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(1);
}
