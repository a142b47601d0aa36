import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { PaulaConfig, StageConfig } from '../../domain/config.ts';
import { boundStatement, buildErasure, callInput, type ErasureInput, type ErasureStep } from '../../domain/erasure.ts';
import { INGEST_WINDOW_DAYS } from '../../domain/ingest-window.ts';
import { unloadPrefix } from '../../domain/plan.ts';
import { objectStore } from '../../lambdas/adapters/object-store.ts';
import type { EraseAnswer } from '../../lambdas/erase.ts';
import { readErasureTexts } from '../../sql/erasure-texts.ts';
import type { Lake } from '../lake.ts';
import { lakeLease } from '../lease.ts';

/** As for the plan: one process holds the lake's file, so an earlier holder of this name is dead. */
const OWNER = 'local-rights-runner';

const DAY_MS = 86_400_000;

/** `held`: the plan, or another writer, has the lake; the next run does the work. */
export type RightsRun = { outcome: 'done' | 'idle' | 'held'; ms: number };

/**
 * The counterpart of the rights job's state machine: looks whether there is something to do, takes the lake's lease,
 * interprets the job's steps on DuckDB, S3 and the function `erase`, and gives the lease back. A `maintain` step does nothing:
 * what it does for Iceberg is done for the local lake by `compact-stores.ts`, while no platform runs on the folder.
 */
export function createRightsRunner(options: {
  config: PaulaConfig;
  stage: StageConfig;
  lake: Lake;
  s3: S3Client;
  dynamo: DynamoDBClient;
  bucket: string;
  controlTable: string;
  erase: (input: ErasureInput) => Promise<EraseAnswer>;
}) {
  const { config, stage, lake, bucket, erase } = options;
  const steps = buildErasure({ config, stage, bucket, ...readErasureTexts(config) });
  const objects = objectStore(options.s3, bucket);
  const lease = lakeLease(options.dynamo, options.controlTable, OWNER);

  async function perform(step: ErasureStep, asOf: Date, run: string, requests: string): Promise<void> {
    switch (step.kind) {
      case 'statement':
        return lake.run(boundStatement(step, asOf, requests));
      case 'unload': {
        const file = await lake.unload(boundStatement(step, asOf, requests), `${step.segment}.json.gz`);
        await objects.put(`${unloadPrefix(step.segment, run)}part-0.gz`, await readFile(file));
        return rm(file);
      }
      case 'maintain':
        return;
      case 'call': {
        const input = callInput(step, asOf, run);
        for (let answer = await erase(input); answer.cursor !== undefined; )
          answer = await erase({ ...input, cursor: answer.cursor });
      }
    }
  }

  /** Runs the job as of a time. Rejects with the error of the step that fails; its requests stay open. */
  async function run(asOf: Date): Promise<RightsRun> {
    const started = performance.now();
    const ended = (outcome: RightsRun['outcome']): RightsRun => {
      return { outcome, ms: Math.round(performance.now() - started) };
    };
    const name = randomUUID();
    const { idle, requests = '' } = await erase({ task: 'open', as_of: asOf.toISOString(), run: name });
    if (idle) return ended('idle');
    if (!(await lease.take(Date.now()))) return ended('held');
    try {
      await lake.refreshLanding(new Date(asOf.getTime() - INGEST_WINDOW_DAYS * DAY_MS).toISOString().slice(0, 10));
      for (const step of steps) await perform(step, asOf, name, requests);
      // What the walk has taken out of landing files leaves the mirror, too.
      await lake.refreshLanding(new Date(asOf.getTime() - INGEST_WINDOW_DAYS * DAY_MS).toISOString().slice(0, 10));
    } finally {
      await lease.release();
    }
    return ended('done');
  }

  return {
    run,

    /** Frees the lease that a killed predecessor on this folder has left. */
    takeOver: () => lease.release(),
  };
}
