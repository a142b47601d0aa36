import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MAX_PLACEMENTS } from '../domain/decision.ts';
import { measureDecide } from './decide.ts';
import { measureDoor } from './door.ts';
import { MESSAGE_COUNT } from './messages.ts';
import { measureProfile, writeUnitsPerEvent } from './profile.ts';
import { measureTcf } from './tcf.ts';

/** Batches of the profile consumer that are measured, in records. */
const BATCHES = [1, 100, 1000] as const;
/** What a decision may take without network, in milliseconds at the 99th percentile: the acceptance's own figure. */
const DECIDE_LIMIT_MS = 2;
/** Events per profile and batch for which write units are counted, at a batch of 1,000. */
const MIXES = [3, 10] as const;

const { values } = parseArgs({ options: { json: { type: 'string' }, seed: { type: 'string', default: '1' } } });

const seed = Number(values.seed);
const { floorUs, admitUs, admitTcUs, collectUs } = await measureDoor(seed);
const results: Record<string, { us: number; ratio: number }> = {};
const add = (name: string, us: number) => {
  results[name] = { us: round(us), ratio: round(us / floorUs) };
};
add('admit', admitUs);
add('admit with a TC string', admitTcUs);
add('collect', collectUs);
for (const batch of BATCHES) add(`profile@${batch}`, await measureProfile(seed, batch, 3));
const tcf = await measureTcf(seed);
add('tcf', tcf.decoderUs);
add('tcf-oracle', tcf.oracleUs);
const decided = await measureDecide(seed);
const writeUnits = Object.fromEntries(MIXES.map((mix) => [mix, round(writeUnitsPerEvent(seed, mix))]));

console.log(`seed ${seed}; ${MESSAGE_COUNT} messages of 1.2 kB; CPU time per event, the fastest of several rounds`);
console.log(`${'floor: base64, JSON.parse, JSON.stringify'.padEnd(42)} ${line(floorUs, 1)}`);
for (const [name, { us, ratio }] of Object.entries(results)) console.log(`${name.padEnd(42)} ${line(us, ratio)}`);
console.log(
  `tcf: one TC string, ${Math.round(tcf.characters)} characters on average; the oracle takes ${Math.round(tcf.oracleUs / tcf.decoderUs)} times as long`,
);
console.log(
  `decide: ${MAX_PLACEMENTS} placements over a person with ${decided.devices.toFixed(1)} devices on average: ` +
    `p50 ${decided.p50Ms.toFixed(3)} ms, p99 ${decided.p99Ms.toFixed(3)} ms, at most ${DECIDE_LIMIT_MS} ms at p99; ` +
    `${Math.round(decided.hidden * 100)} % of the banners are hidden`,
);
for (const [mix, units] of Object.entries(writeUnits))
  console.log(`write units per event, ${mix} events per profile and batch of 1,000: ${units}`);
if (values.json !== undefined)
  writeFileSync(
    values.json,
    `${JSON.stringify({ floorUs: round(floorUs), results, decide: decided, writeUnitsPerEvent: writeUnits })}\n`,
  );

if (decided.p99Ms > DECIDE_LIMIT_MS) {
  console.error(`decide: ${decided.p99Ms.toFixed(3)} ms at p99 is more than ${DECIDE_LIMIT_MS} ms`);
  process.exitCode = 1;
}

function line(us: number, ratio: number): string {
  return `${us.toFixed(2).padStart(8)} us ${Math.round(1e6 / us)
    .toLocaleString('en')
    .padStart(9)} events/s/core ${ratio.toFixed(2).padStart(6)} x floor`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
