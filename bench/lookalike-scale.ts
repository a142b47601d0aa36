import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { lookalikePlan } from '../domain/lookalike-plan.ts';
import { LOOKALIKE_TABLES } from '../domain/lookalike-tables.ts';
import { bindPlaceholders } from '../domain/placeholders.ts';
import { duckDbDdl } from '../domain/tables.ts';
import { DIALECT } from '../local/duckdb-dialect.ts';

const SIZES = [100_000, 300_000, 1_000_000] as const;
const FEATURES_PER_PROFILE = 30;
/** Values of each of the thirty, the first ones by far the most frequent. */
const VALUES = 100;
/** One profile in fifty is in the seed, and takes more of the rarer values. */
const SEED_EVERY = 50;

/** What a run over the largest size may take on two cores. */
const LIMIT_SECONDS = 60;
const LIMIT_GIGABYTES = 4;
/** What two runs over the same rows differ by on a machine that does something else beside. */
const NOISE = 1.15;

const THREADS = 2;
/** DuckDB's own limit, beyond which it writes to a file; the rest of the four gigabytes is not counted in it. */
const MEMORY = '2500MB';

const AS_OF = "TIMESTAMP '2026-11-24 12:00:00.000'";

type Run = {
  profiles: number;
  rows: number;
  seconds: number;
  gigabytes: number;
  members: number;
  auc: number;
  slowest: string;
};

const { values } = parseArgs({ options: { profiles: { type: 'string' } } });
if (values.profiles === undefined) process.exit(tell(SIZES.map(inProcessOfItsOwn)) ? 0 : 1);
console.log(JSON.stringify(await measure(Number(values.profiles))));

/** A process's peak memory never falls, so that each size has its own. */
function inProcessOfItsOwn(profiles: number): Run {
  const args = [import.meta.filename, '--profiles', String(profiles)];
  return JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  ) as Run;
}

async function measure(profiles: number): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'paula-lookalike-scale-'));
  const instance = await DuckDBInstance.create(join(folder, 'lake.duckdb'), {
    threads: String(THREADS),
    memory_limit: MEMORY,
    temp_directory: join(folder, 'scratch'),
    preserve_insertion_order: 'false',
  });
  try {
    const connection = await instance.connect();
    const run = (sql: string) => connection.run(sql);
    for (const sql of [...DIALECT, ...LOOKALIKE_TABLES.map(duckDbDdl), ...population(profiles)]) await run(sql);
    const { statements, audience, cleanUp } = lookalikePlan({
      id: 'scale',
      seed: 'seed',
      audience: { share: 0.05 },
      exclude: [],
      definedBy: { events: ['Order Completed'], products: [], categories: [] },
    });
    const seconds = new Map<string, number>();
    const timed = async (id: string, sql: string, parameters: readonly string[]): Promise<void> => {
      const from = performance.now();
      await run(
        bindPlaceholders(
          sql,
          parameters.map(() => AS_OF),
        ),
      );
      seconds.set(id, (performance.now() - from) / 1000);
    };
    for (const { id, sql, parameters } of statements) await timed(id, sql, parameters);
    await timed(audience.id, `CREATE TABLE members AS ${audience.sql}`, audience.parameters);
    const peak = process.resourceUsage().maxRSS;
    const [row] = (
      await connection.runAndReadAll(
        `SELECT (SELECT count(*) FROM members) AS members, (SELECT count(*) FROM features) AS "rows",
           (SELECT auc FROM lookalike_quality) AS auc`,
      )
    ).getRowObjectsJson();
    for (const { id, sql } of cleanUp) await timed(`end-${id}`, sql, []);
    const [slowest, longest] = [...seconds].sort((a, b) => b[1] - a[1])[0] ?? ['', 0];
    return {
      profiles,
      rows: Number(row?.rows),
      seconds: [...seconds.values()].reduce((sum, one) => sum + one, 0),
      gigabytes: (peak * 1024) / 1e9,
      members: Number(row?.members),
      auc: Number(row?.auc),
      slowest: `${slowest} ${longest.toFixed(1)} s`,
    };
  } finally {
    instance.closeSync();
    rmSync(folder, { recursive: true });
  }
}

/** Statements that make the profiles, alike in every run of one release of DuckDB. */
function population(profiles: number): string[] {
  const draw = (i: string, slot: string): string => `((hash(${i}, ${slot}) % 1000003) / 1000003.0)`;
  return [
    'CREATE TABLE features (profile_id VARCHAR, family VARCHAR, feature VARCHAR)',
    'CREATE TABLE segment_members (segment_id VARCHAR, profile_id VARCHAR, entered_at TIMESTAMP, left_at TIMESTAMP)',
    `CREATE TABLE profiles AS
     SELECT i, 'd.' || substr(system.main.sha256(CAST(i AS VARCHAR)), 1, 43) AS profile_id FROM range(${profiles}) AS t (i)`,
    `INSERT INTO features
     SELECT profile_id, 'product', 'Product Viewed:p' || slot || '-' || CAST(floor(
       ${VALUES} * power(${draw('i', 'slot')}, CASE WHEN i % ${SEED_EVERY} = 0 AND slot < 10 THEN 2 ELSE 3 END)) AS INTEGER)
     FROM profiles CROSS JOIN range(${FEATURES_PER_PROFILE}) AS s (slot)`,
    `INSERT INTO segment_members SELECT 'seed', profile_id, ${AS_OF}, NULL FROM profiles WHERE i % ${SEED_EVERY} = 0`,
    'DROP TABLE profiles',
    'CHECKPOINT',
  ];
}

/** Prints the runs and says whether they keep to the limits. */
function tell(runs: readonly Run[]): boolean {
  console.log('  profiles        rows  seconds  us/row  peak GB  members    AUC  slowest');
  for (const { profiles, rows, seconds, gigabytes, members, auc, slowest } of runs)
    console.log(
      `${String(profiles).padStart(10)} ${String(rows).padStart(11)} ${seconds.toFixed(1).padStart(8)} ` +
        `${perRow({ rows, seconds }).toFixed(3).padStart(7)} ${gigabytes.toFixed(2).padStart(8)} ` +
        `${String(members).padStart(8)} ${auc.toFixed(3).padStart(6)}  ${slowest}`,
    );
  const first = runs[0] as Run;
  const last = runs.at(-1) as Run;
  const growth = Math.max(...runs.slice(1).map((run) => perRow(run) / perRow(first)));
  const checks = [
    holds(`seconds for ${last.profiles} profiles`, last.seconds, LIMIT_SECONDS),
    holds('gigabytes at the peak', Math.max(...runs.map(({ gigabytes }) => gigabytes)), LIMIT_GIGABYTES),
    holds(`time per row against ${first.profiles} profiles`, growth, NOISE),
  ];
  return checks.every(Boolean);
}

function perRow({ rows, seconds }: Pick<Run, 'rows' | 'seconds'>): number {
  return (seconds / rows) * 1e6;
}

function holds(about: string, seen: number, most: number): boolean {
  console.log(`${seen <= most ? 'ok    ' : 'FAILED'} ${about}: ${seen.toFixed(2)}, at most ${most}`);
  return seen <= most;
}
