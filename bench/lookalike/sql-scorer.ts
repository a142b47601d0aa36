import { DuckDBInstance } from '@duckdb/node-api';
import { lookalikePlan } from '../../domain/lookalike-plan.ts';
import { LOOKALIKE_TABLES } from '../../domain/lookalike-tables.ts';
import { duckDbDdl } from '../../domain/tables.ts';
import { DIALECT } from '../../local/duckdb-dialect.ts';

const ID = 'bench';
/** Training profiles are in no fold, so that every model learns from them. */
const NO_FOLD = 4;

const PLAN = lookalikePlan({
  id: ID,
  seed: 'bench_seed',
  audience: { share: 0.05 },
  exclude: [],
  // The events of the seed are taken out before the features are made.
  definedBy: { events: [], products: [], categories: [] },
});
/** The statements that learn and score what was held out; the sample is the benchmark's. */
const STATEMENTS = PLAN.statements.filter(({ id }) =>
  /^bench-(?:empty-)?(?:selection|gram|solution(?:-\d+)?|held_out)$/.test(id),
);

/** A row of an instance; those of the training seed have nothing but their profile. */
export type InstanceRow = {
  profile: string;
  heldOut: boolean;
  tie: number;
  random: number;
  activity: number;
  logistic: number;
  /** What the SQL says; 0 for a profile without features. */
  sql: number;
  /** How many features it has, which the SQL takes for activity. */
  features: number;
};

export type SqlScorer = Awaited<ReturnType<typeof openSqlScorer>>;

/** Runs the lookalike's own statements on DuckDB over the files of `instances.py`. */
export async function openSqlScorer(threads: number) {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
  const connection = await instance.connect();
  const run = async (sql: string): Promise<void> => {
    await connection.run(sql);
  };
  for (const sql of [...DIALECT, ...LOOKALIKE_TABLES.map(duckDbDdl)]) await run(sql);
  let loaded = '';

  return {
    /** Scores the eligible rows of an instance by the models that have not seen their fold. */
    async score(folder: string, rep: number): Promise<InstanceRow[]> {
      if (loaded !== folder)
        await run(
          `CREATE OR REPLACE TABLE features AS FROM read_csv('${folder}/features.csv', header = true, all_varchar = true)`,
        );
      loaded = folder;
      await run(
        `CREATE OR REPLACE TABLE instance AS FROM read_csv('${folder}/rows-${rep}.csv', header = true, all_varchar = true)`,
      );
      await run(
        `INSERT INTO lookalike_sample
         SELECT '${ID}', profile_id, CASE WHEN fold IS NULL THEN 1 ELSE 0 END, CAST(coalesce(fold, '${NO_FOLD}') AS integer), 1
         FROM instance`,
      );
      for (const { sql } of STATEMENTS) await run(sql);
      const rows = await scored();
      await run('DELETE FROM lookalike_sample');
      return rows;
    },

    close(): void {
      connection.closeSync();
      instance.closeSync();
    },
  };

  async function scored(): Promise<InstanceRow[]> {
    const result = await connection.runAndReadAll(
      `SELECT i.profile_id AS profile, i.held_out = '1' AS "heldOut", CAST(i.tie AS double) AS tie,
         CAST(i.random AS double) AS random, CAST(i.activity AS double) AS activity, CAST(i.logistic AS double) AS logistic,
         coalesce(h.score, 0) AS sql, coalesce(h.activity, 0) AS features
       FROM instance AS i LEFT JOIN lookalike_held_out AS h ON h.profile_id = i.profile_id
       WHERE i.fold IS NOT NULL ORDER BY CAST(i.profile_id AS bigint)`,
    );
    return result.getRowObjectsJson() as unknown as InstanceRow[];
  }
}
