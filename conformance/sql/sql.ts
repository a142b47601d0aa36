import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type PaulaConfig, parseConfig, stageOf } from '../../domain/config.ts';
import { sampleMessages } from '../../local/kill-test/sample-messages.ts';
import { openMessages } from '../../local/replay/open-messages.ts';
import demo from '../../paula.config.ts';
import { startTrino, type Trino } from '../engines/trino.ts';
import type { Report } from '../report.ts';
import { type BothLakes, filesIn, openBothLakes } from './both-lakes.ts';
import { proveDialect } from './dialect.ts';
import { proveErasureOnIceberg } from './erasure-proof.ts';
import { generatedBatches } from './generated-records.ts';
import { proveSubset } from './keep-to-subset.ts';
import { proveLookalike } from './lookalike.ts';
import { isLookalike, proveOtherFiles, sqlFiles } from './other-files.ts';
import { provePlan, proveTables, type Tally, VIEWS } from './prove-lake.ts';
import { type Message, replayedBatches } from './replayed-batches.ts';

const SQL = join(import.meta.dirname, '..', '..', 'sql');
const DAY_MS = 86_400_000;

/** What is generated for the first lake, and the days of receipt over which it is spread: more than ingest's window. */
const GENERATED = { seed: 7, records: 4000, days: 9 };
/** Days after the first record as of which the plan runs; after the first run the brand's columns are added. */
const RUNS_AFTER_DAYS = [5, 9];
const RUNS_BEFORE_CHANGE = 1;

const RETAIL = 'online_retail_events.csv.gz';
const RETAIL_RUNS = ['2011-06-01', '2011-12-10'];
/** In the place of that file: as many as have all kinds of messages. */
const SAMPLE = { messages: 3000, seed: 7 };
const SAMPLE_RUNS = ['2025-02-25', '2025-05-02'];

type Proof = { report: Report; trino: Trino; work: string; lakeFolder: string; tally: Tally };

/**
 * Proves the SQL on Trino: the dialect's answers, then every statement of the plan over what `land` wrote, on DuckDB and on
 * Trino, as of several times, with every row of every table, view and unloaded result compared. `work` is a folder of this
 * run; `data` the folder of the Online Retail file, in whose place messages are generated where there is none. At last an
 * erasure is proven by the bytes of the warehouse.
 */
export async function proveSql(
  report: Report,
  options: { work: string; data?: string; say: (line: string) => void },
): Promise<void> {
  const { work, data, say } = options;
  report.step('SQL: the files keep to what Athena and DuckDB share');
  if (!proveSubset(report, SQL)) return;
  const lakeFolder = join(work, 'trino-lake');
  mkdirSync(lakeFolder, { recursive: true });
  report.step('SQL: Trino');
  const trino = await startTrino({
    work,
    say: (line) => report.ok(line),
    store: { kind: 'files', folder: lakeFolder },
  });
  const tally: Tally = { rows: new Map(), files: new Set(), eventsBytes: new Map() };
  try {
    await proveDialect(report, trino);
    await proveLookalike(report, { trino, work });
    const proof = { report, trino, work, lakeFolder, tally };
    await proveGenerated(proof);
    await proveReplayed(proof, data);
    await proveErasureOnIceberg(report, { trino, work, lakeFolder, say });
  } finally {
    await trino.stop();
  }
  report.step('SQL: in all');
  for (const file of sqlFiles(SQL))
    if (!tally.files.has(file) && !isLookalike(file)) report.fail(`sql/${file} runs`, `sql/${file}`);
  report.ok('every .sql file ran on Trino', [...tally.files].sort().join(', '));
  report.ok('bytes of events that Trino read', listed([...tally.eventsBytes].filter(([, bytes]) => bytes > 0)));
  report.ok('rows compared', listed([...tally.rows]));
  const sum = [...tally.rows.values()].reduce((all, rows) => all + rows, 0);
  report.ok('rows compared in all', String(sum));
}

const listed = (figures: readonly (readonly [string, number])[]): string =>
  figures.map(([name, figure]) => `${name} ${figure}`).join(', ');

/** Records of every kind, received over days; the tracking plan grows by two columns in between. */
async function proveGenerated(proof: Proof): Promise<void> {
  const { report, tally } = proof;
  report.step('SQL: generated records of every kind');
  const from = Math.floor(Date.now() / DAY_MS) * DAY_MS - GENERATED.days * DAY_MS;
  const batches = generatedBatches({ ...GENERATED, from });
  let lakes = await openLakes(proof, 'generated', demo);
  try {
    let landed = 0;
    for (const [run, days] of RUNS_AFTER_DAYS.entries()) {
      const asOf = from + days * DAY_MS;
      if (run === RUNS_BEFORE_CHANGE) {
        lakes.close();
        lakes = await openLakes(proof, 'generated', withBrandColumns());
      }
      for (; (batches[landed]?.arrivedAt ?? Number.POSITIVE_INFINITY) <= asOf; landed++)
        await lakes.land(batches[landed] as (typeof batches)[number]);
      if (!(await provePlan(report, lakes, new Date(asOf), tally))) return;
    }
    await proveTables(report, lakes, [...landingOf(lakes), ...VIEWS], 'views and landing', tally);
    const tables = lakes.tables.filter(({ kind }) => kind === 'iceberg').map(({ name }) => name);
    for (const table of tables)
      for (const statement of [`OPTIMIZE ${table} REWRITE DATA USING BIN_PACK`, `VACUUM ${table}`])
        await lakes.onTrino(statement);
    await proveTables(report, lakes, tables, 'after OPTIMIZE and VACUUM', tally);
    await proveOtherFiles(report, lakes, SQL, new Date(from + GENERATED.days * DAY_MS), tally);
    await proveTables(report, lakes, tables, 'after the files outside the plan', tally);
  } finally {
    lakes.close();
  }
}

/** The Online Retail history through the door, landed in one go, and the plan as of times within it. */
async function proveReplayed(proof: Proof, data: string | undefined): Promise<void> {
  const { report, tally } = proof;
  const file = data === undefined ? undefined : join(data, RETAIL);
  if (file !== undefined && !existsSync(file)) throw new Error(`there is no file ${file}`);
  report.step(file === undefined ? 'SQL: generated messages through the door' : `SQL: ${RETAIL} through the door`);
  const replay = file === undefined ? undefined : openMessages(file);
  const counted = { messages: 0 };
  const messages = counting(replay?.messages() ?? sampled(), counted);
  const lakes = await openLakes(proof, 'replayed', demo);
  try {
    const yesterday = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS;
    let records = 0;
    for await (const batch of replayedBatches(messages, replay?.source ?? 'shop_backend', yesterday)) {
      records += batch.records.length;
      await lakes.land(batch);
    }
    report.ok('landed', `${counted.messages} messages, ${records} records`);
    const days = file === undefined ? SAMPLE_RUNS : RETAIL_RUNS;
    for (const day of days) {
      const last = day === days.at(-1);
      if (!(await provePlan(report, lakes, new Date(`${day}T00:00:00Z`), tally, last))) return;
    }
    await proveTables(report, lakes, [...landingOf(lakes), ...VIEWS], 'views and landing', tally);
  } finally {
    lakes.close();
  }
}

function* sampled(): Generator<Message> {
  for (const { type, ...body } of sampleMessages(SAMPLE.messages, SAMPLE.seed)) yield { type: String(type), body };
}

async function* counting(
  messages: AsyncIterable<Message> | Iterable<Message>,
  counted: { messages: number },
): AsyncGenerator<Message> {
  for await (const message of messages) {
    counted.messages++;
    yield message;
  }
}

const landingOf = (lakes: BothLakes): string[] =>
  lakes.tables.filter(({ kind }) => kind === 'landing').map(({ name }) => name);

async function openLakes(
  { trino, work, lakeFolder }: Proof,
  name: 'generated' | 'replayed',
  config: PaulaConfig,
): Promise<BothLakes> {
  const lakes = await openBothLakes({
    config,
    stage: stageOf(config, 'local'),
    folder: join(work, `duckdb-${name}`),
    trino: {
      url: trino.url,
      schema: name,
      location: `local:///${name}`,
      files: filesIn(join(lakeFolder, name)),
    },
  });
  await lakes.makeLanding();
  return lakes;
}

/** The demo's configuration with columns for two of its fields. */
function withBrandColumns(): PaulaConfig {
  const { fields } = demo.trackingPlan;
  const column = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      name === 'coupon' || name === 'skin_type' ? { ...field, column: true } : field,
    ]),
  );
  return parseConfig({ ...demo, trackingPlan: { ...demo.trackingPlan, fields: column } });
}
