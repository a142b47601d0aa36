import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPoint } from '../fault-point.ts';
import { readCheckpoint } from '../replay/checkpoint.ts';
import { secretsPath } from '../secrets.ts';
import { type Kill, type Pace, passesUntil } from './kill-schedule.ts';
import { type PlatformProcess, startPlatformProcess } from './platform-process.ts';
import { type ReplayInput, replay } from './replay-process.ts';

/** A run of the plan: once the replay has come so far, or, after its end, one after the other. */
export type PlannedRun = { asOf: Date; at?: number; killedAt?: FaultPoint };

export type Line = {
  stateDir: string;
  input: ReplayInput;
  /** Runs of the plan while the replay goes on, by `at`, and after it. */
  plans: readonly PlannedRun[];
  say: (line: string) => void;
};

/** How often a kill that waits for traffic gets some more of it. */
const EXTRA_REPEATS = 20;
/** Between two looks at the replay's checkpoint, in milliseconds. */
const LOOK_MS = 50;

const checkpointOf = (stateDir: string): string => join(stateDir, 'replay.checkpoint');

/** Starts the line on a state folder of its own; `keysOf` is a state folder whose keys it takes, so that ids are the same. */
export function prepareState(stateDir: string, keysOf?: string): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  if (keysOf) writeFileSync(secretsPath(stateDir), readFileSync(secretsPath(keysOf)), { mode: 0o600 });
}

/** Streams the file through once, undisturbed, and runs the plans. Returns the messages answered per second. */
export async function runUndisturbed(line: Line): Promise<number> {
  const platform = await start(line);
  const target = { ...platform, stateDir: line.stateDir };
  const replaying = replay(line.input, target, ['--checkpoint', checkpointOf(line.stateDir)]);
  for (const { asOf, at } of line.plans) {
    await Promise.race([at === undefined ? replaying : reached(line.stateDir, at), failure(replaying)]);
    if (at === undefined) await mustRun(platform, asOf);
    else await platform.runPlan(asOf);
  }
  const end = await replaying;
  if (!end) throw new Error('the undisturbed platform died');
  await platform.stop();
  return end.messages / end.seconds;
}

/**
 * Streams the file through while the platform is killed again and again, each time started anew on the state that the kill
 * has left and the replay resumed from its checkpoint; the last resumption repeats the last messages. Then runs the plans,
 * each killed once where it says so and repeated. Returns the position of the replay at each kill.
 */
export async function runDisturbed(
  line: Line,
  kills: readonly Kill[],
  pace: Pace,
  repeatLast: number,
): Promise<number[]> {
  const { stateDir, say } = line;
  const checkpoint = checkpointOf(stateDir);
  const underWay = line.plans.filter(({ at }) => at !== undefined);
  const after = line.plans.filter(({ at }) => at === undefined);
  const positions: number[] = [];
  /** Killed before it was done: to be run again as of the same time. */
  let unfinished: Date | undefined;

  for (const [i, kill] of kills.entries()) {
    const from = readCheckpoint(checkpoint).answered;
    const passes = passesUntil(kill, kill.at - from, pace, unfinished ? 1 : 0);
    const platform = await start(line, `${kill.point}:${passes}`);
    const target = { ...platform, stateDir };
    const replaying = replay(line.input, target, ['--checkpoint', checkpoint]);
    replaying.catch(() => undefined);
    const repeated = unfinished ? platform.runPlan(unfinished) : Promise.resolve(true);
    repeated.catch(() => undefined);
    const planned = underWay.find(({ at }) => at === kill.at);
    if (planned) {
      await Promise.race([reached(stateDir, kill.at), platform.ended, failure(replaying)]);
      unfinished = (await repeated) && (await platform.runPlan(planned.asOf)) ? undefined : planned.asOf;
    } else if (await repeated) unfinished = undefined;
    await replaying;
    // A consumer's point is passed in time and not in messages: near the end of the file it may need some more.
    for (let extra = 0; !platform.hasEnded() && extra < EXTRA_REPEATS; extra++)
      await replay(line.input, target, ['--checkpoint', checkpoint, '--repeat-last', String(repeatLast)]);
    if (!platform.hasEnded()) throw new Error(`kill ${i + 1} (${kill.point}:${passes}) never came`);
    mustBeKilled(await platform.ended);
    positions.push(readCheckpoint(checkpoint).answered);
    say(`kill ${i + 1} of ${kills.length}: ${kill.point}:${passes}, replay at ${positions.at(-1)} (aim ${kill.at})`);
  }

  let platform = await start(line);
  if (unfinished) await mustRun(platform, unfinished);
  const more = ['--checkpoint', checkpoint, '--repeat-last', String(repeatLast)];
  if (!(await replay(line.input, { ...platform, stateDir }, more))) throw new Error('the platform died unasked');
  await platform.stop();

  unfinished = undefined;
  for (const { asOf, killedAt } of after) {
    platform = await start(line, killedAt && `${killedAt}:${unfinished ? 2 : 1}`);
    if (unfinished) await mustRun(platform, unfinished);
    unfinished = undefined;
    if (killedAt) {
      if (await platform.runPlan(asOf)) throw new Error(`the kill at ${killedAt} never came`);
      mustBeKilled(await platform.ended);
      unfinished = asOf;
      say(`kill in the plan as of ${asOf.toISOString()}: ${killedAt}`);
    } else {
      await mustRun(platform, asOf);
      await platform.stop();
    }
  }
  if (unfinished) await runPlanOnce(line, unfinished);
  return positions;
}

async function runPlanOnce(line: Line, asOf: Date): Promise<void> {
  const platform = await start(line);
  await mustRun(platform, asOf);
  await platform.stop();
}

/** Streams the whole file through once more and runs the plan. */
export async function runOnceMore(line: Line, asOf: Date): Promise<void> {
  const platform = await start(line);
  if (!(await replay(line.input, { ...platform, stateDir: line.stateDir }, [])))
    throw new Error('the platform died unasked');
  await mustRun(platform, asOf);
  await platform.stop();
}

/** The lines that the kills have left in the state folder. */
export function faultsOf(stateDir: string): string[] {
  const path = join(stateDir, 'faults.log');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

const start = ({ stateDir }: Line, fault?: string): Promise<PlatformProcess> =>
  startPlatformProcess(stateDir, join(stateDir, 'platform.log'), fault);

async function reached(stateDir: string, at: number): Promise<void> {
  while (readCheckpoint(checkpointOf(stateDir)).answered < at) await sleep(LOOK_MS);
}

/** Rejects when a replay fails, and never settles otherwise. */
const failure = (replaying: Promise<unknown>): Promise<never> =>
  replaying.then(() => new Promise<never>(() => undefined));

/** The plan takes what has landed, so everything that is on the stream must have. */
async function mustRun(platform: PlatformProcess, asOf: Date): Promise<void> {
  if (!(await platform.drained()) || !(await platform.runPlan(asOf))) throw new Error('the platform died unasked');
}

function mustBeKilled(signal: NodeJS.Signals | null): void {
  if (signal !== 'SIGKILL') throw new Error(`the platform ended by itself (${signal ?? 'without a signal'})`);
}
