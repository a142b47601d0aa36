import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { conditionsOf, tableOf } from './fuzz/report.ts';
import { fuzz } from './fuzz/run.ts';
import { startPlatform } from './platform.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    http: { type: 'string', default: '10000' },
    seed: { type: 'string' },
  },
});

const seed = Number(values.seed ?? randomInt(2 ** 31));
const requests = Number(values.requests);
const http = Math.min(Number(values.http), requests);
if (![seed, requests, http].every((number) => Number.isSafeInteger(number) && number >= 0)) {
  console.error('npm run fuzz -- [--requests 100000] [--http 10000] [--seed N], whole numbers');
  process.exit(1);
}
console.log(`${requests} requests, ${http} of them over HTTP, seed ${seed}`);

const stateDir = mkdtempSync(join(tmpdir(), 'paula-fuzz-'));
const platform = await startPlatform({ port: 0, stateDir, planEvery: 'off' });
try {
  const onProgress = (sent: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r${sent} sent `);
  };
  const report = await fuzz(platform, { requests, http, seed, stateDir, onProgress });
  console.log(`\n${tableOf(report)}`);
  for (const fault of report.faults) console.log(`  ${fault}`);
  const conditions = conditionsOf(report, { requests, http });
  for (const { holds, what } of conditions) console.log(`${holds ? 'ok ' : 'NOT'} ${what}`);
  if (!conditions.every(({ holds }) => holds)) process.exitCode = 1;
} finally {
  await platform.stop();
  rmSync(stateDir, { recursive: true, force: true });
}
