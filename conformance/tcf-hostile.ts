import { TCString } from '@iabtechlabtcf/core';
import { seeded } from '../bench/random.ts';
import { tcSectionOf } from '../domain/gpp.ts';
import { decodeTcString, MAX_TC_LENGTH } from '../domain/tcf.ts';
import { tcSignal } from '../domain/tcf-signal.ts';
import { countAndSeed } from './tcf/count-and-seed.ts';
import { encodedStrings } from './tcf/encoded-strings.ts';
import { HOSTILE_GPP, HOSTILE_SHAPES, hostileStrings, worstCases } from './tcf/hostile-strings.ts';

const USAGE = `npm run tcf-hostile -- [--count 1000000] [--seed N]

Feeds the TC decoder with strings that were made to harm it, and measures the worst: no exception, no time that grows
faster than the length, under a millisecond for ${MAX_TC_LENGTH} characters. Beside them, the oracle on the shorter shapes.`;

/** The acceptance limit for a string of the greatest length, in microseconds. */
const LIMIT_US = 1_000;
/** Longer shapes hold the oracle up for many seconds. */
const ORACLE_LONGEST = 700;
const SOUND_STRINGS = 300;
/** Lengths at which the worst cases are timed: where time is linear, each costs twice as much as the one before. */
const LENGTHS = [512, 1_024, 2_048, MAX_TC_LENGTH];
const TRIES = 50;

const { count, seed } = countAndSeed(USAGE, '1000000');
const random = seeded(seed);
let failed = false;
console.log(`seed ${seed}`);
feed();
timeShapes();
timeWorstCases();
if (failed) process.exitCode = 1;

/** Decodes the generated strings, as `gdpr_consent`, as a GPP string and as its section; counts what came of them. */
function feed(): void {
  const reasons = new Map<string, number>();
  const sound = encodedStrings(random, SOUND_STRINGS);
  const strings = hostileStrings(random, sound);
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const value = strings.next().value as string;
    try {
      const decoded = decodeTcString(value);
      const reason = decoded.ok ? 'decoded' : decoded.reason;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      tcSectionOf(value);
      tcSignal({ gdpr_consent: value, gpp: `DBABMA~${value}`, gpp_sid: '2' });
      // The decoder works in one buffer: nothing of a string may be left in it for the next.
      if (!decodeTcString(sound[i % SOUND_STRINGS] as string).ok) throw new Error('a sound string is refused after it');
    } catch (error) {
      failed = true;
      console.log(`THROWN   ${JSON.stringify(value.slice(0, 200))}\n         ${(error as Error).message}`);
    }
  }
  const { user, system } = process.cpuUsage(before);
  console.log(`${count} hostile strings, ${((user + system) / count).toFixed(1)} us each with making them`);
  for (const [reason, times] of [...reasons].sort((a, b) => b[1] - a[1]))
    console.log(`  ${reason.padEnd(22)} ${times}`);
}

function timeShapes(): void {
  console.log(`\n${'shape'.padEnd(32)} characters   decoder us   oracle ms`);
  for (const [name, value] of HOSTILE_SHAPES) {
    const us = fastest(() => decodeTcString(value));
    const oracle = value.length <= ORACLE_LONGEST ? oracleMs(value).toFixed(1) : 'not run';
    console.log(`${name.padEnd(32)} ${cell(value.length)} ${cell(us.toFixed(1))} ${cell(oracle)}  ${outcome(value)}`);
    check(us, name);
  }
  for (const [name, value] of HOSTILE_GPP) {
    const us = fastest(() => tcSectionOf(value));
    const read = tcSectionOf(value);
    console.log(
      `${`GPP: ${name}`.padEnd(32)} ${cell(value.length)} ${cell(us.toFixed(1))}             ${read.ok ? 'read' : read.reason}`,
    );
    check(us, name);
  }
}

function timeWorstCases(): void {
  console.log(`\n${'worst case, us by characters'.padEnd(34)} ${LENGTHS.map(cell).join(' ')}`);
  const cases = LENGTHS.map(worstCases);
  for (const name of cases[0]?.keys() ?? []) {
    const strings = cases.map((byName) => byName.get(name) as string);
    const times = strings.map((value) => fastest(() => decodeTcString(value)));
    console.log(
      `${name.padEnd(34)} ${times.map((us) => cell(us.toFixed(2))).join(' ')}  ${outcome(strings.at(-1) as string)}`,
    );
    check(times.at(-1) as number, name);
  }
}

function outcome(value: string): string {
  const decoded = decodeTcString(value);
  return decoded.ok ? 'decoded' : decoded.reason;
}

function check(us: number, name: string): void {
  if (us < LIMIT_US) return;
  failed = true;
  console.log(`TOO SLOW ${name}: ${us.toFixed(0)} us`);
}

/** Microseconds of the fastest of several tries: all that the machine does besides can only add time. */
function fastest(run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES; i++) {
    const before = performance.now();
    run();
    best = Math.min(best, performance.now() - before);
  }
  return best * 1_000;
}

function oracleMs(value: string): number {
  const before = performance.now();
  TCString.decode(value);
  return performance.now() - before;
}

function cell(value: number | string): string {
  return String(value).padStart(11);
}
