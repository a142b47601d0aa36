import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { PaulaConfig, StageConfig } from '../domain/config.ts';
import { INGEST_WINDOW_DAYS } from '../domain/ingest-window.ts';
import { bindPlaceholders } from '../domain/placeholders.ts';
import { buildPlan, literalsOf, type PublishInput, type Step, unloadPrefix } from '../domain/plan.ts';
import { duckDbAddColumnDdl, duckDbDdl, lakeTables, tableOf } from '../domain/tables.ts';
import { objectStore } from '../lambdas/adapters/object-store.ts';
import { readSqlTexts } from '../sql/sql-texts.ts';
import type { Lake } from './lake.ts';
import { lakeLease } from './lease.ts';

/** One process holds the lake's file, so an earlier holder of this name is dead: the lease of a killed run is taken over. */
const OWNER = 'local-plan-runner';

const DAY_MS = 86_400_000;

export type PlanRun = {
  /** Steps done; 0 where another writer holds the lease. */
  steps: number;
  ms: number;
};

export type PlanRunner = ReturnType<typeof createPlanRunner>;

/**
 * The state machine's counterpart: takes the lease, interprets the plan's steps on DuckDB, S3 and the publish function,
 * and gives the lease back. Runs one after the other; a step that fails ends the run with its error and frees the lease.
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
  onStep?: (event: { step: string; phase: 'done' | 'released' }) => void;
}) {
  const { config, stage, lake, bucket, publish, onStep } = options;
  const tables = lakeTables(config);
  const plan = buildPlan({ config, stage, bucket, ...readSqlTexts() });
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
      case 'statement':
        return lake.run(bindPlaceholders(step.sql, literalsOf(step.parameters, asOf)));
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
          prefix: unloadPrefix(step.segment, execution),
          lifetime_days: step.lifetimeDays,
        });
    }
  }

  async function runOnce(asOf: Date): Promise<PlanRun> {
    const started = performance.now();
    const elapsed = () => Math.round(performance.now() - started);
    if (!(await lease.take(Date.now()))) return { steps: 0, ms: elapsed() };
    try {
      await lake.refreshLanding(new Date(asOf.getTime() - INGEST_WINDOW_DAYS * DAY_MS).toISOString().slice(0, 10));
      const execution = randomUUID();
      for (const step of plan) {
        await perform(step, asOf, execution);
        onStep?.({ step: step.id, phase: 'done' });
      }
    } finally {
      await lease.release();
      onStep?.({ step: 'lease', phase: 'released' });
    }
    return { steps: plan.length, ms: elapsed() };
  }

  let running: Promise<unknown> = Promise.resolve();

  return {
    /** Runs the plan as of a time, after a run that is under way. */
    run(asOf: Date): Promise<PlanRun> {
      const next = running.then(() => runOnce(asOf));
      running = next.catch(() => undefined);
      return next;
    },

    /** Waits for the run that is under way and closes the lake. */
    async close(): Promise<void> {
      await running;
      lake.close();
    },
  };
}
