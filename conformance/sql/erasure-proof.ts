import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type PaulaConfig, stageOf } from '../../domain/config.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { literalsOf } from '../../domain/plan.ts';
import { SWEEP_HOURS } from '../../domain/stores.ts';
import { type StoreHits, scan } from '../../local/erasure-proof/scan.ts';
import demo from '../../paula.config.ts';
import type { Trino } from '../engines/trino.ts';
import { trinoClient } from '../engines/trino-client.ts';
import type { Report } from '../report.ts';
import { type BothLakes, filesIn, openBothLakes } from './both-lakes.ts';
import { BOUND_CHARS, boundNeedles, canaryRecords, lakeCanary, lakeNeedles } from './erasure-canaries.ts';
import { type ErasureJob, openErasureJob } from './erasure-job.ts';
import { type Batch, generatedBatches } from './generated-records.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Other people's records, among which those of the erased lie: a file that held nobody else's would go as a whole. */
const OTHERS = { seed: 11, records: 600, days: 3 };

/** Later than any row of a person may stand (a receipt: 395 days and three years), earlier than the ledger's ten years. */
const RETIRED_AFTER_DAYS = 5 * 366;

const SCHEMA = 'erasure';
const PLACE = 'sql/erasure/ and domain/erasure.ts';

/** Where ids must be found before the erasure; else the proof would prove nothing. */
const PLANTED = [
  ...['events', 'links', 'consents', 'features', 'segment_members'].map((table) => `lake ${table} data`),
  ...['landing', 'landing-links', 'landing-consents'],
];

const METADATA = /^lake \w+ metadata$/;
const OUTSIDE_METADATA = /^(?!lake \w+ metadata$)/;

type Scan = ReadonlyMap<string, StoreHits>;

const sum = ({ hits }: Pick<StoreHits, 'hits'>): number => [...hits.values()].reduce((a, b) => a + b, 0);
const hitsIn = (found: Scan, store: RegExp): number =>
  [...found].reduce((all, [name, hits]) => (store.test(name) ? all + sum(hits) : all), 0);

/**
 * Proves an erasure by bytes where the lake is Iceberg: a customer is planted into landing and the plan makes tables and
 * audiences of it; then the rights job runs, twice as for every erasure, and every file of the warehouse is searched,
 * decoded: before, when the statements have deleted the rows, and at the end. Then the clock goes on until every row's
 * retention has passed, for a customer who has asked for nothing. A file that cannot be decoded fails.
 */
export async function proveErasureOnIceberg(
  report: Report,
  { trino, work, lakeFolder, say }: { trino: Trino; work: string; lakeFolder: string; say: (line: string) => void },
): Promise<void> {
  report.step('SQL: an erasure, by the bytes of the warehouse');
  const folder = join(lakeFolder, SCHEMA);
  mkdirSync(folder, { recursive: true });
  const location = `local:///${SCHEMA}`;
  const config: PaulaConfig = demo;
  const client = trinoClient(trino.url, { catalog: 'iceberg', schema: SCHEMA, user: 'paula' });
  const lakes = await openBothLakes({
    config,
    stage: stageOf(config, 'local'),
    folder: join(work, 'duckdb-erasure'),
    trino: { url: trino.url, schema: SCHEMA, location, files: filesIn(folder) },
  });
  const job = await openErasureJob({ config, lakes, trino: client, warehouse: { folder, location }, work });
  try {
    await lakes.makeLanding();
    await prove(report, { lakes, job, rowsOf: rowsOf(client), folder, say });
  } finally {
    await job.close();
    lakes.close();
  }
}

type Proof = {
  lakes: BothLakes;
  job: ErasureJob;
  rowsOf: (ids: readonly string[]) => Promise<number>;
  folder: string;
  say: (line: string) => void;
};

async function prove(report: Report, { lakes, job, rowsOf, folder, say }: Proof): Promise<void> {
  // A minute ahead: what is written from now on is older than any run, as it is for a job that runs hourly.
  const now = Date.now() + MINUTE_MS;
  const others = generatedBatches({ ...OTHERS, from: now - (OTHERS.days + 1) * DAY_MS });
  const erased = lakeCanary(job.keys, true);
  const bystander = lakeCanary(job.keys, false);
  const needles = lakeNeedles(erased, job.keys);
  const bystanderNeedles = lakeNeedles(bystander, job.keys);
  const ids = [erased.device, erased.person];
  const bystanderIds = [bystander.device, bystander.person];
  const search = () => scan(folder, needles, storeOf);
  const bounds = () => scan(folder, boundNeedles(erased), storeOf);

  const records = [...canaryRecords(erased, others, now), ...canaryRecords(bystander, others, now)];
  for (const batch of withRecords(others, records)) await lakes.land(batch);
  await runPlan(lakes, new Date(now));
  const before = await search();
  const boundsBefore = await bounds();
  const bystanderRows = await rowsOf(bystanderIds);
  const checks: [holds: boolean, check: string, seen: string][] = PLANTED.map((store) => [
    (before.get(store)?.hits.size ?? 0) > 0,
    `${store}: found before the erasure`,
    `${sum(before.get(store) ?? { hits: new Map() })} hits`,
  ]);

  const { request, records: told } = await job.ask([erased.person], now + MINUTE_MS);
  await lakes.land({ shard: SHARD, first: FIRST_TOLD, arrivedAt: now + MINUTE_MS, records: told });
  let deleted: Scan = new Map();
  let rowsAfterDelete = -1;
  await job.run(new Date(now + 10 * MINUTE_MS), async () => {
    rowsAfterDelete = await rowsOf(ids);
    deleted = await search();
  });
  const stateAfterFirst = await job.stateOf(request.id);
  await runPlan(lakes, new Date(now + 20 * MINUTE_MS));
  await job.run(new Date(now + SWEEP_HOURS * HOUR_MS + HOUR_MS));
  const after = await search();
  const boundsAfter = await bounds();
  const stateAfterSecond = await job.stateOf(request.id);
  const bystanderAfter = await scan(folder, bystanderNeedles, storeOf);
  const bystanderRowsAfter = await rowsOf(bystanderIds);

  const retired = now + RETIRED_AFTER_DAYS * DAY_MS;
  // Twice: what is made of events follows them at the plan's next run, and its bytes at the job's.
  for (const at of [retired, retired + DAY_MS]) {
    await runPlan(lakes, new Date(at));
    await job.run(new Date(at + HOUR_MS));
  }
  const bystanderRetired = await scan(folder, bystanderNeedles, storeOf);

  table(say, before, deleted, after);
  const left = hitsIn(deleted, /^lake events data$/);
  checks.push(
    [rowsAfterDelete === 0 && left > 0, 'DELETE alone leaves the bytes behind', `${left} hits in files of no row`],
    [hitsIn(after, /./) === 0, 'nothing is found after the erasure', leftIn(after)],
    // Iceberg keeps an entry of a file that a commit has taken away until its manifest is written anew, which Athena has no
    // statement for; the entry ends with the table's next commits.
    [
      hitsIn(boundsBefore, METADATA) > 0 && hitsIn(boundsAfter, OUTSIDE_METADATA) === 0,
      `the first ${BOUND_CHARS} characters of an id, as bounds of a column, are at most in manifests`,
      `${hitsIn(boundsBefore, METADATA)} there before; ${leftIn(boundsAfter)} at the end`,
    ],
    [
      stateAfterFirst === 'erased' && stateAfterSecond === 'swept',
      'the request is erased, then swept',
      `${stateAfterFirst}, ${stateAfterSecond}`,
    ],
    [
      bystanderRows > 0 && bystanderRows === bystanderRowsAfter && hitsIn(bystanderAfter, /^lake events data$/) > 0,
      'whoever has asked for nothing is still there',
      `${bystanderRowsAfter} of ${bystanderRows} rows`,
    ],
    // Landing ends by the bucket's lifecycle rule, which nothing here runs.
    [
      hitsIn(bystanderRetired, /^lake /) === 0,
      'nobody is found in a table when the retentions have passed',
      leftIn(bystanderRetired, /^lake /),
    ],
  );
  for (const [holds, check, seen] of checks)
    if (holds) report.ok(check, seen);
    else report.fail(`${check}: ${seen}`, PLACE);
  const found = new Set([...before.values()].flatMap(({ hits }) => [...hits.keys()]));
  const names = [...new Set(needles.map(({ name }) => name))];
  report.ok('sought and found before', names.filter((name) => found.has(name)).join(', '));
  report.ok('sought and never there', names.filter((name) => !found.has(name)).join(', '));
}

const SHARD = 'shardId-000000000000';
/** Behind every number that a generated batch has: no object may take another's name. */
const FIRST_PLANTED = 1_000_000;
const FIRST_TOLD = 2_000_000;

/** Puts records into the last batch of other people's. */
function withRecords(batches: readonly Batch[], records: readonly ReturnType<typeof canaryRecords>[number][]): Batch[] {
  const last = batches.at(-1);
  if (!last) throw new Error('there are no other people');
  return [...batches.slice(0, -1), { ...last, first: FIRST_PLANTED, records: [...last.records, ...records] }];
}

/** The plan's statements on Trino alone; its tables are new, so no column is missing. */
async function runPlan(lakes: BothLakes, asOf: Date): Promise<void> {
  for (const step of lakes.plan) {
    if (step.kind === 'create_table') await lakes.onTrino(step.sql);
    if (step.kind === 'statement') await lakes.onTrino(bindPlaceholders(step.sql, literalsOf(step.parameters, asOf)));
  }
}

/** Counts the rows of `events` that are about some subjects. */
function rowsOf(client: ReturnType<typeof trinoClient>) {
  return async (ids: readonly string[]): Promise<number> => {
    const list = ids.map((id) => `'${id}'`).join(', ');
    const { rows } = await client.query(
      `SELECT count(*) FROM events WHERE device_id IN (${list}) OR person_id IN (${list})`,
    );
    return Number(rows[0]?.[0]);
  };
}

/** `lake/events/data/…` is the store `lake events data`, `landing/…` is `landing`. */
const storeOf = ([first = '', tableName = '', part = '']: readonly string[]): string =>
  first === 'lake' ? `lake ${tableName} ${part}` : first;

const leftIn = (found: Scan, stores = /./): string =>
  [...found]
    .flatMap(([store, { hits }]) =>
      stores.test(store) ? [...hits].map(([needle, count]) => `${needle} ${count} times in ${store}`) : [],
    )
    .join(', ') || 'no hit';

/** A line for each store: bytes and hits before, when rows were deleted, and at the end. */
function table(say: (line: string) => void, ...scans: readonly Scan[]): void {
  const cell = (text: string | number): string => String(text).padStart(11);
  const line = (name: string, cells: readonly (string | number)[]): void =>
    say(`         ${name.padEnd(32)}${cells.map(cell).join('')}`);
  line('', ['before', '', 'deleted', '', 'at the end', '']);
  line('store', ['bytes', 'hits', 'bytes', 'hits', 'bytes', 'hits']);
  for (const store of [...new Set(scans.flatMap((found) => [...found.keys()]))].sort())
    line(
      store,
      scans.flatMap((found) => {
        const { bytes = 0, hits = new Map() } = found.get(store) ?? {};
        return [bytes, sum({ hits })];
      }),
    );
}
