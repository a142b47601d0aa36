import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stageOf } from '../domain/config.ts';
import { lakeTables } from '../domain/tables.ts';
import config from '../paula.config.ts';
import { openLake } from './lake.ts';
import { CONTROL_HEADER, readControl } from './secrets.ts';
import { checkSegments } from './sql/check-segments.ts';
import { reportLines } from './sql/report-text.ts';
import { reportSegment, type SegmentReport } from './sql/segment-report.ts';
import { lockState } from './state-lock.ts';

const USAGE = `npm run sql -- check                                          reads every segment, and says what is wrong with which line
npm run sql -- segment ID [--as-of TIME] [--state DIR]        size, overlap, journeys and cost of a segment on this machine's data`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { state: { type: 'string', default: '.paula' }, 'as-of': { type: 'string' } },
});

const asOf = values['as-of'] === undefined ? new Date() : new Date(values['as-of']);

const stage = stageOf(config, 'local');

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const [command, id] = positionals;
  if (command === 'check') return check();
  if (command === 'segment' && id) {
    if (Number.isNaN(asOf.getTime()))
      throw new Error(`--as-of: "${values['as-of']}" is no time, such as 2026-11-24T12:00:00Z`);
    for (const line of reportLines(await report(id))) console.log(line);
    return;
  }
  console.error(USAGE);
  process.exitCode = 1;
}

async function check(): Promise<void> {
  const { segments, faults } = await checkSegments(config, stage);
  for (const fault of faults) console.error(`sql/${fault}`);
  if (faults.length > 0) process.exitCode = 1;
  else console.log(`${segments} segments are fine`);
}

/** Asks the platform that runs on the state folder; without one, opens the lake itself. */
async function report(id: string): Promise<SegmentReport> {
  const stateDir = resolve(values.state);
  if (!existsSync(join(stateDir, 'lake')))
    throw new Error(`there is no lake in ${values.state}: start the platform on it first (npm start)`);
  let unlock: () => void;
  try {
    unlock = lockState(stateDir);
  } catch {
    return ask(id);
  }
  try {
    const folder = join(stateDir, 'lake');
    const tables = lakeTables(config);
    const lake = await openLake({ folder, objects: join(stateDir, 's3'), tables });
    try {
      return await reportSegment(id, asOf, { config, stage, lake, scratch: join(folder, 'sample.parquet') });
    } finally {
      lake.close();
    }
  } finally {
    unlock();
  }
}

async function ask(id: string): Promise<SegmentReport> {
  const { url, token } = readControl(values.state);
  const query = new URLSearchParams({ id, as_of: asOf.toISOString() });
  const response = await fetch(`${url}/local/segment?${query}`, {
    method: 'POST',
    headers: { [CONTROL_HEADER]: token },
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error((answer as { message: string }).message);
  return answer as SegmentReport;
}
