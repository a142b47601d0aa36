import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { proveErasure, type Scan } from './erasure-proof/prove.ts';

const USAGE = `npm run erasure-proof -- [--work DIR]
  --work DIR   where the state folder is made and kept; else a folder that goes after a success`;

/** Where ids must be found before the erasure: a proof that finds nothing in the first place proves nothing. */
const PLANTED = [
  ...['dynamo', 'kinesis', 'lake', 's3 _multipart', 's3 landing', 's3 landing-links', 's3 landing-consents'],
  ...['s3 aws', 's3 athena', 's3 unload', 's3 exports'],
];

const { values } = (() => {
  try {
    return parseArgs({ options: { work: { type: 'string' } } });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return process.exit(1);
  }
})();

const work = values.work ?? mkdtempSync(join(tmpdir(), 'paula-erasure-proof-'));
mkdirSync(work, { recursive: true });
const proof = await proveErasure(join(work, 'state'), console.log);

const sum = (hits: ReadonlyMap<string, number> = new Map()): number => [...hits.values()].reduce((a, b) => a + b, 0);
const total = (found: Scan): number => [...found.values()].reduce((all, { hits }) => all + sum(hits), 0);

table('erased', proof.before, proof.after);
for (const [store, { hits }] of proof.after)
  for (const [needle, count] of hits) console.log(`FOUND in ${store}: ${needle}, ${count} times`);
const found = new Set([...proof.before.values()].flatMap(({ hits }) => [...hits.keys()]));
console.log(`sought: ${proof.sought.join(', ')}`);
console.log(`never stored in the first place: ${proof.sought.filter((name) => !found.has(name)).join(', ')}\n`);
table('a bystander', proof.bystanderBefore, proof.bystanderAfter);

const conditions = [
  ...PLANTED.map((store) => {
    return { holds: sum(proof.before.get(store)?.hits) > 0, what: `${store}: found before the erasure` };
  }),
  { holds: total(proof.after) === 0, what: 'nothing is found after it' },
  { holds: total(proof.bystanderAfter) > 0, what: 'whoever has asked for nothing is still there' },
  { holds: proof.states.every((state) => state === 'done'), what: `the requests are done: ${proof.states.join(', ')}` },
];
for (const { holds, what } of conditions) console.log(`${holds ? 'ok ' : 'NOT'} ${what}`);
if (conditions.every(({ holds }) => holds)) {
  if (values.work === undefined) rmSync(work, { recursive: true });
} else {
  console.log(`the state folder is kept in ${work}`);
  process.exitCode = 1;
}

/** A line for each store: files, bytes and hits, before and after. */
function table(whose: string, before: Scan, after: Scan): void {
  const cell = (text: string | number, width: number) => String(text).padStart(width);
  console.log(`\n${whose.padEnd(24)}${['bytes', 'hits', 'bytes', 'hits'].map((head) => cell(head, 12)).join('')}`);
  console.log(`${''.padEnd(24)}${cell('before', 24)}${cell('after', 24)}`);
  for (const store of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [was, is] = [before.get(store), after.get(store)];
    const cells = [was?.bytes ?? 0, sum(was?.hits), is?.bytes ?? 0, sum(is?.hits)];
    console.log(`${store.padEnd(24)}${cells.map((value) => cell(value, 12)).join('')}`);
  }
  console.log(`${'all'.padEnd(24)}${cell(total(before), 24)}${cell(total(after), 24)}\n`);
}
