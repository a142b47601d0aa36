import { join } from 'node:path';
import { lookalikePlan } from '../../domain/lookalike-plan.ts';
import { LOOKALIKE_TABLES } from '../../domain/lookalike-tables.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { athenaDdl, duckDbDdl, type TableDefinition } from '../../domain/tables.ts';
import { openLake } from '../../local/lake.ts';
import { type TrinoClient, trinoClient } from '../engines/trino-client.ts';
import type { Report } from '../report.ts';
import { simulatedProfiles } from './simulated-profiles.ts';
import { trinoSpelling } from './trino-spelling.ts';

const PLACE = 'domain/lookalike-plan.ts';
const SCHEMA = 'lookalike';
const LOCATION = `local:///${SCHEMA}`;
const AS_OF = "TIMESTAMP '2026-11-24 12:00:00.000'";

/** Enough for a seed that may be published, and for every feature to have its support. */
const SIMULATED = { seed: 11, profiles: 3000 };
/** A statement may have a million characters on Trino. */
const ROWS_PER_INSERT = 9000;

/** How far two engines may be apart, of the largest absolute score: they add up in their own order. */
const TOLERANCE = 1e-6;

/** The tables that the plan fills before: of these the lookalike reads. */
const READ: readonly TableDefinition[] = [
  {
    name: 'features',
    kind: 'iceberg',
    prefix: 'lake/features/',
    columns: ['profile_id', 'family', 'feature'].map((name) => ({ name, type: 'text' })),
  },
  {
    name: 'segment_members',
    kind: 'iceberg',
    prefix: 'lake/segment_members/',
    columns: [
      { name: 'segment_id', type: 'text' },
      { name: 'profile_id', type: 'text' },
      { name: 'entered_at', type: 'timestamp' },
      { name: 'left_at', type: 'timestamp' },
    ],
  },
];

type Engine = { run: (athena: string) => Promise<void>; rows: (sql: string) => Promise<unknown[][]> };

/**
 * Runs every statement of a lookalike over the same rows on DuckDB and on Trino, and compares model, quality, scores and
 * audience. `work` is a folder of this run.
 */
export async function proveLookalike(
  report: Report,
  { trino, work }: { trino: { url: string }; work: string },
): Promise<void> {
  report.step('SQL: a lookalike on both engines');
  const tables = [...READ, ...LOOKALIKE_TABLES];
  const lake = await openLake({
    folder: join(work, 'duckdb-lookalike'),
    objects: join(work, 'no-objects'),
    tables: [],
  });
  try {
    for (const table of tables) await lake.run(duckDbDdl(table));
    const duckdb: Engine = {
      run: lake.run,
      rows: async (sql) => (await lake.rows(sql)).map((row) => Object.values(row)),
    };
    const onTrino = trinoEngine(trinoClient(trino.url, { catalog: 'iceberg', schema: SCHEMA, user: 'paula' }));
    await onTrino.client.query(`CREATE SCHEMA IF NOT EXISTS hive.${SCHEMA}`);
    for (const table of tables) await onTrino.run(athenaDdl(table, 'lake'));
    for (const engine of [duckdb, onTrino]) for (const sql of population()) await engine.run(sql);

    const { statements, audience, cleanUp } = lookalikePlan({
      id: 'like_orderers',
      seed: 'orderers',
      audience: { share: 0.05 },
      exclude: [],
      definedBy: { events: ['Order Completed'], products: [], categories: [] },
    });
    const bound = (sql: string, names: readonly string[]): string =>
      bindPlaceholders(
        sql,
        names.map(() => AS_OF),
      );
    for (const { id, sql, parameters } of statements)
      for (const [name, engine] of Object.entries({ DuckDB: duckdb, Trino: onTrino }))
        try {
          await engine.run(bound(sql, parameters));
        } catch (error) {
          report.fail(`${id} on ${name}: ${(error as Error).message}`, PLACE);
          return;
        }
    report.ok('every statement of a lookalike ran on both engines', `${statements.length} statements`);
    await compareNumbers(report, 'scores', 'SELECT profile_id, score FROM lookalike_scores', [duckdb, onTrino]);
    await compareNumbers(report, 'weights', "SELECT family || ' ' || feature, weight FROM lookalike_model", [
      duckdb,
      onTrino,
    ]);
    for (const measure of ['auc', 'lift_1', 'lift_5', 'lift_10', 'activity_auc', 'activity_lift_5', 'random_auc'])
      await compareNumbers(report, measure, `SELECT lookalike_id, ${measure} FROM lookalike_quality`, [
        duckdb,
        onTrino,
      ]);
    await compareTexts(report, 'the audience', bound(audience.sql, audience.parameters), [duckdb, onTrino]);
    for (const { sql } of cleanUp) for (const engine of [duckdb, onTrino]) await engine.run(sql);
    const left = await onTrino.rows('SELECT count(*) FROM lookalike_scores');
    if (Number(left[0]?.[0]) === 0) report.ok('no score is left after the run');
    else report.fail('no score is left after the run', PLACE);
  } finally {
    lake.close();
  }
}

function trinoEngine(client: TrinoClient): Engine & { client: TrinoClient } {
  return {
    client,
    run: async (athena) => {
      for (const sql of trinoSpelling(athena, { location: LOCATION, snapshotAge: '0s' })) await client.query(sql);
    },
    rows: async (sql) => (await client.query(sql)).rows,
  };
}

/** The rows go in as one long text: Trino takes ten seconds for a VALUES of 5,000 rows. */
function population(): string[] {
  const profiles = simulatedProfiles(SIMULATED);
  const features = profiles.flatMap(({ profileId, features: of }) =>
    of.map(({ family, feature }) => JSON.stringify({ id: profileId, family, feature })),
  );
  const seed = profiles.flatMap(({ profileId, isSeed }) => (isSeed ? JSON.stringify({ id: profileId }) : []));
  const inserts = (table: string, columns: string, rows: readonly string[]): string[] =>
    Array.from({ length: Math.ceil(rows.length / ROWS_PER_INSERT) }, (_, i) => {
      const some = rows.slice(i * ROWS_PER_INSERT, (i + 1) * ROWS_PER_INSERT).join('');
      return `INSERT INTO ${table} SELECT ${columns} FROM UNNEST(regexp_extract_all('${some}', '\\{[^}]*\\}')) AS t (r)`;
    });
  const of = (name: string): string => `json_extract_scalar(r, '$.${name}')`;
  return [
    ...inserts('features', `${of('id')}, ${of('family')}, ${of('feature')}`, features),
    ...inserts('segment_members', `'orderers', ${of('id')}, ${AS_OF}, CAST(NULL AS timestamp)`, seed),
  ];
}

/** Compares numbers by their key; a key that one engine lacks is a difference. */
async function compareNumbers(report: Report, what: string, sql: string, engines: readonly Engine[]): Promise<void> {
  const [left = new Map(), right = new Map()] = await Promise.all(
    engines.map(
      async (engine) => new Map((await engine.rows(sql)).map(([key, value]) => [String(key), Number(value)])),
    ),
  );
  const largest = Math.max(...[...left.values()].map(Math.abs));
  const apart = Math.max(...[...left].map(([key, value]) => Math.abs(value - (right.get(key) ?? Number.NaN))));
  const relative = apart / largest;
  if (left.size > 0 && left.size === right.size && relative <= TOLERANCE)
    report.ok(
      `${what} are the same`,
      `${left.size} rows, at most ${relative.toExponential(1)} of ${largest.toFixed(3)} apart`,
    );
  else
    report.fail(`${what}: DuckDB has ${left.size} rows, Trino ${right.size}, ${relative} of ${largest} apart`, PLACE);
}

async function compareTexts(report: Report, what: string, sql: string, engines: readonly Engine[]): Promise<void> {
  const [left = [], right = []] = await Promise.all(
    engines.map(async (engine) => (await engine.rows(sql)).map((row) => row.join(' ')).sort()),
  );
  if (left.length > 0 && left.join('\n') === right.join('\n'))
    report.ok(`${what} is the same`, `${left.length} profiles`);
  else report.fail(`${what}: DuckDB has ${left.length} profiles, Trino ${right.length}, or others`, PLACE);
}
