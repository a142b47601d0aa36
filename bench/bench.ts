import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measureDoor } from './door.ts';
import { MESSAGE_COUNT } from './messages.ts';
import { measureProfile, writeUnitsPerEvent } from './profile.ts';
import { measureTcf } from './tcf.ts';

/** Batches of the profile consumer that are measured, in records. */
const BATCHES = [1, 100, 1000] as const;
/** Events per profile and batch for which write units are counted, at a batch of 1,000. */
const MIXES = [3, 10] as const;

const { values } = parseArgs({ options: { json: { type: 'string' }, seed: { type: 'string', default: '1' } } });

const seed = Number(values.seed);
const { floorUs, admitUs, collectUs } = await measureDoor(seed);
const results: Record<string, { us: number; ratio: number }> = {};
const add = (name: string, us: number) => {
  results[name] = { us: round(us), ratio: round(us / floorUs) };
};
add('admit', admitUs);
add('collect', collectUs);
for (const batch of BATCHES) add(`profile@${batch}`, await measureProfile(seed, batch, 3));
const tcf = await measureTcf(seed);
add('tcf', tcf.decoderUs);
add('tcf-oracle', tcf.oracleUs);
const writeUnits = Object.fromEntries(MIXES.map((mix) => [mix, round(writeUnitsPerEvent(seed, mix))]));

console.log(`seed ${seed}; ${MESSAGE_COUNT} messages of 1.2 kB; CPU time per event, the fastest of several rounds`);
console.log(`${'floor: base64, JSON.parse, JSON.stringify'.padEnd(42)} ${line(floorUs, 1)}`);
for (const [name, { us, ratio }] of Object.entries(results)) console.log(`${name.padEnd(42)} ${line(us, ratio)}`);
console.log(
  `tcf: one TC string, ${Math.round(tcf.characters)} characters on average; the oracle takes ${Math.round(tcf.oracleUs / tcf.decoderUs)} times as long`,
);
for (const [mix, units] of Object.entries(writeUnits))
  console.log(`write units per event, ${mix} events per profile and batch of 1,000: ${units}`);
if (values.json !== undefined)
  writeFileSync(
    values.json,
    `${JSON.stringify({ floorUs: round(floorUs), results, writeUnitsPerEvent: writeUnits })}\n`,
  );

function line(us: number, ratio: number): string {
  return `${us.toFixed(2).padStart(8)} us ${Math.round(1e6 / us)
    .toLocaleString('en')
    .padStart(9)} events/s/core ${ratio.toFixed(2).padStart(6)} x floor`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
