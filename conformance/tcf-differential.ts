import { seeded } from '../bench/random.ts';
import { differences } from './tcf/compare-facts.ts';
import { countAndSeed } from './tcf/count-and-seed.ts';
import { encodedStrings } from './tcf/encoded-strings.ts';
import { writtenStrings } from './tcf/written-strings.ts';

const USAGE = `npm run tcf-differential -- [--count 100000] [--seed N]

Decodes TC strings with the door's decoder and with the oracle and compares every fact. Half of them come from the
oracle's encoder, half are written bit by bit: encodings, orders and paddings that the oracle reads and never writes.`;

/** Strings that are made at once. */
const BATCH = 500;
/** Differences that are printed; more of them say no more. */
const SHOWN = 20;

const { count, seed } = countAndSeed(USAGE, '100000');
const random = seeded(seed);
let compared = 0;
let characters = 0;
let differing = 0;
for (let turn = 0; compared < count; turn++) {
  const strings = (turn % 2 === 0 ? encodedStrings : writtenStrings)(random, Math.min(BATCH, count - compared));
  for (const value of strings) {
    const found = differences(value);
    if (found.length > 0 && differing++ < SHOWN) console.log(`${value}\n  ${found.slice(0, SHOWN).join('\n  ')}`);
    characters += value.length;
  }
  compared += strings.length;
  if (process.stderr.isTTY) process.stderr.write(`\r${compared} compared `);
}
console.log(
  `seed ${seed}: ${compared} strings of ${Math.round(characters / compared)} characters, ${differing} differ`,
);
if (differing > 0 || compared === 0) process.exitCode = 1;
