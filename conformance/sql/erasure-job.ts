import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type PaulaConfig, stageOf } from '../../domain/config.ts';
import { boundStatement, buildErasure, callInput, type ErasureStep } from '../../domain/erasure.ts';
import { completeKeys } from '../../domain/keys.ts';
import { unloadPrefix } from '../../domain/plan.ts';
import type { RequestItem } from '../../domain/rights.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import { ledgerStore } from '../../lambdas/adapters/ledger-store.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { rewriteParquet } from '../../lambdas/adapters/parquet-rewrite.ts';
import { profileStore } from '../../lambdas/adapters/profile-store.ts';
import { subjectItems } from '../../lambdas/adapters/subject-items.ts';
import type { EraseDeps } from '../../lambdas/erase/deps.ts';
import { eraseTask } from '../../lambdas/erase.ts';
import { erase } from '../../lambdas/rights/requests.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import { readErasureTexts } from '../../sql/erasure-texts.ts';
import type { TrinoClient } from '../engines/trino-client.ts';
import type { BothLakes } from './both-lakes.ts';
import { folderObjects } from './folder-objects.ts';

const TABLES = { profiles: 'profiles', consents: 'consents' };
const BUCKET = 'lake';
const UNLOAD = /^UNLOAD \(([\s\S]+)\) TO 's3:\/\/[^/]+\/([^']+)\/' WITH \(format = 'JSON'\)$/;

export type ErasureJob = Awaited<ReturnType<typeof openErasureJob>>;

/**
 * The rights job over a lake on Trino: every step as the state machine has it, statements and maintenance on Trino, the
 * calls by the function's own code over an embedded DynamoDB and the warehouse's folder, which stands for the bucket.
 */
export async function openErasureJob(options: {
  config: PaulaConfig;
  lakes: BothLakes;
  trino: TrinoClient;
  /** The warehouse, and how Trino calls it. */
  warehouse: { folder: string; location: string };
  /** The embedded DynamoDB's files go there. */
  work: string;
}) {
  const { config, lakes, trino, warehouse, work } = options;
  const stage = stageOf(config, 'local');
  const dynamo = await startDynamo(join(work, 'dynamo'), stage.region, [
    { name: TABLES.profiles, sk: true },
    { name: TABLES.consents, sk: true },
  ]);
  const client = new DynamoDBClient({
    endpoint: dynamo.endpoint,
    region: stage.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const objects = folderObjects(warehouse.folder);
  const shared = {
    ledger: ledgerStore(client, TABLES.consents, randomId),
    items: subjectItems(client, TABLES),
    links: linkStore(client, TABLES.profiles),
    count: () => undefined,
  };
  const deps: EraseDeps = {
    ...shared,
    config,
    tables: lakes.tables,
    read: profileStore(client, TABLES.profiles).read,
    objects,
    rewriteParquet,
    gzip: (text) => gzipSync(text),
    elapsed: () => performance.now(),
  };
  const steps = buildErasure({ config, stage, bucket: BUCKET, ...readErasureTexts(config) });

  /** What UNLOAD would write: a line of JSON for each row. Paths are told as the bucket's. */
  async function unload(select: string, prefix: string): Promise<void> {
    const { columns, rows } = await trino.query(select);
    const lines = rows.map((row) => {
      const fields = columns.map(({ name }, i) => [name, row[i]] as const);
      return `${JSON.stringify(Object.fromEntries(fields)).replaceAll(warehouse.location, `s3://${BUCKET}`)}\n`;
    });
    await objects.put(`${prefix}part-0.gz`, gzipSync(lines.join('')));
  }

  async function perform(step: ErasureStep, asOf: Date, run: string, requests: string): Promise<void> {
    switch (step.kind) {
      case 'statement':
        await lakes.onTrino(boundStatement(step, asOf, requests));
        return;
      case 'unload':
        return unload(boundStatement(step, asOf, requests), unloadPrefix(step.segment, run));
      case 'maintain': {
        const [, select, prefix] = UNLOAD.exec(step.sql.replaceAll('{run}', run)) ?? [];
        if (select !== undefined) return unload(select, `${prefix}/`);
        await lakes.onTrino(step.sql);
        return;
      }
      case 'call': {
        const input = callInput(step, asOf, run);
        let { cursor } = await eraseTask(input, deps);
        while (cursor !== undefined) ({ cursor } = await eraseTask({ ...input, cursor }, deps));
      }
    }
  }

  return {
    keys: completeKeys({}, config, () => hashes.sha256(randomId())),

    /** Takes an erasure as the door does; answers with what the door puts on the stream. `at` in milliseconds. */
    async ask(subjects: readonly string[], at: number): Promise<{ request: RequestItem; records: StreamRecord[] }> {
      const records: StreamRecord[] = [];
      const request = await erase(
        { subjects, channel: 'person', at },
        {
          ...hashes,
          ...shared,
          plan: compileTrackingPlan(config),
          keys: this.keys,
          randomId,
          put: async (put) => {
            records.push(...put.map(({ record }) => record));
            return [];
          },
          bundle: async () => undefined,
        },
      );
      return { request, records };
    },

    /** Where a request stands. */
    async stateOf(id: string): Promise<RequestItem['state'] | undefined> {
      return (await shared.ledger.request(id))?.state;
    },

    /** Runs the job as of a time; `look` is called before the first step of maintenance, when rows are deleted and files are not. */
    async run(asOf: Date, look: () => Promise<void> = async () => undefined): Promise<void> {
      const run = `run-${asOf.getTime()}`;
      const { requests = '' } = await eraseTask({ task: 'open', as_of: asOf.toISOString(), run }, deps);
      const first = steps.find(({ kind }) => kind === 'maintain');
      for (const step of steps) {
        if (step === first) await look();
        try {
          await perform(step, asOf, run, requests);
        } catch (error) {
          throw new Error(`step ${step.id} of the rights job: ${(error as Error).message}`, { cause: error });
        }
      }
    },

    async close(): Promise<void> {
      client.destroy();
      await dynamo.stop();
    },
  };
}
