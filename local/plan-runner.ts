import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { PaulaConfig, StageConfig } from '../domain/config.ts';
import { INGEST_WINDOW_DAYS } from '../domain/ingest-window.ts';
import { bindPlaceholders } from '../domain/placeholders.ts';
import { buildPlan, isDue, literalsOf, type PublishInput, type Step, unloadPrefix } from '../domain/plan.ts';
import { duckDbAddColumnDdl, duckDbDdl, lakeTables, tableOf } from '../domain/tables.ts';
import { objectStore } from '../lambdas/adapters/object-store.ts';
import { soundSegments } from '../sql/sound-segments.ts';
import { readSqlTexts } from '../sql/sql-texts.ts';
import type { Lake } from './lake.ts';
import { lakeLease } from './lease.ts';
import { planMarks } from './plan-marks.ts';

/** One process holds the lake's file, so an earlier holder of this name is dead: the lease of a killed run is taken over. */
const OWNER = 'local-plan-runner';

const DAY_MS = 86_400_000;

export type PlanRun = {
  /** Steps done or not due; 0 where another writer holds the lease. */
  steps: number;
  /** Segments whose steps failed; the others went on. */
  failed: readonly string[];
  ms: number;
};

export type PlanRunner = ReturnType<typeof createPlanRunner>;

/**
 * The state machine's counterpart: takes the lease, interprets the plan's steps on DuckDB, S3 and the publish function,
 * and gives the lease back. Runs one after the other; a step that fails ends the run with its error and frees the lease,
 * unless it belongs to a segment: then the run goes on without it. A segment that cannot be read or built is left out.
 * `say` hears of both, in words for the developer.
 * `onStep` hears of each step that is done and of the release, in time for a test to end the process in between.
 */
export function createPlanRunner(options: {
  config: PaulaConfig;
  stage: StageConfig;
  lake: Lake;
  s3: S3Client;
  dynamo: DynamoDBClient;
  bucket: string;
  controlTable: string;
  publish: (input: PublishInput) => Promise<unknown>;
  /** Where the files are; else the repository's own. */
  sqlFolder?: string;
  say?: (line: string) => void;
  onStep?: (event: { step: string; phase: 'done' | 'released' }) => void;
}) {
  const { config, stage, lake, bucket, publish, onStep, say = console.error } = options;
  const tables = lakeTables(config);
  const { faults, ...texts } = soundSegments(readSqlTexts(options.sqlFolder), config);
  for (const fault of faults) say(`left out: sql/${fault}`);
  const plan = buildPlan({ config, stage, bucket, ...texts });
  const marks = planMarks(options.dynamo, options.controlTable);
  const objects = objectStore(options.s3, bucket);
  const lease = lakeLease(options.dynamo, options.controlTable, OWNER);

  async function perform(step: Step, asOf: Date, execution: string): Promise<void> {
    switch (step.kind) {
      case 'create_table':
        return lake.run(duckDbDdl(tableOf(tables, step.table)));
      case 'add_column': {
        const table = tableOf(tables, step.table);
        const column = table.columns.find(({ name }) => name === step.column);
        if (!column) throw new Error(`"${step.table}" has no column "${step.column}"`);
        return lake.run(duckDbAddColumnDdl(table, column));
      }
      case 'statement': {
        const { mark } = step;
        const built = mark && (await marks.get(mark.name));
        if (mark && !isDue(mark, asOf, built)) return;
        await lake.run(bindPlaceholders(step.sql, literalsOf(step.parameters, asOf, built)));
        if (mark) await marks.set(mark.name, asOf);
        return;
      }
      case 'unload': {
        const sql = bindPlaceholders(step.sql, literalsOf(step.parameters, asOf));
        const file = await lake.unload(sql, `${step.segment}.json.gz`);
        await objects.put(`${unloadPrefix(step.segment, execution)}part-0.gz`, await readFile(file));
        return rm(file);
      }
      case 'publish':
        await publish({
          segment: step.segment,
          as_of: asOf.toISOString(),
          built_at: (await marks.get(step.mark))?.toISOString(),
          prefix: unloadPrefix(step.segment, execution),
          lifetime_days: step.lifetimeDays,
        });
    }
  }

  /** Does a step of a segment; says whether the segment's next ones may follow. */
  async function tried(
    step: Step,
    branch: string,
    asOf: Date,
    execution: string,
    failed: Set<string>,
  ): Promise<boolean> {
    try {
      await perform(step, asOf, execution);
      return true;
    } catch (error) {
      failed.add(branch);
      say(`segment ${branch}: ${step.id}: ${(error as Error).message}`);
      // What was built before must go on losing whom it may not hold.
      return step.kind === 'statement' && step.mark !== undefined && (await marks.get(step.mark.name)) !== undefined;
    }
  }

  async function runOnce(asOf: Date): Promise<PlanRun> {
    const started = performance.now();
    const elapsed = () => Math.round(performance.now() - started);
    if (!(await lease.take(Date.now()))) return { steps: 0, failed: [], ms: elapsed() };
    const failed = new Set<string>();
    try {
      await lake.refreshLanding(new Date(asOf.getTime() - INGEST_WINDOW_DAYS * DAY_MS).toISOString().slice(0, 10));
      const execution = randomUUID();
      let ended: string | undefined;
      for (const step of plan) {
        const { branch } = step;
        if (branch === undefined) await perform(step, asOf, execution);
        else if (branch !== ended && !(await tried(step, branch, asOf, execution, failed))) ended = branch;
        onStep?.({ step: step.id, phase: 'done' });
      }
    } finally {
      await lease.release();
      onStep?.({ step: 'lease', phase: 'released' });
    }
    return { steps: plan.length, failed: [...failed], ms: elapsed() };
  }

  let running: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const next = running.then(work);
    running = next.catch(() => undefined);
    return next;
  };

  return {
    /** Runs the plan as of a time, after a run that is under way. */
    run: (asOf: Date): Promise<PlanRun> => alone(() => runOnce(asOf)),

    /** Does other work on the lake between two runs: there is one connection, and a failure would end a run's transaction. */
    alone,

    /** Waits for the run that is under way and closes the lake. */
    async close(): Promise<void> {
      await running;
      lake.close();
    },
  };
}
