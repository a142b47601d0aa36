import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { stageOf } from '../../domain/config.ts';
import demo from '../../paula.config.ts';
import type { DeployedStage } from '../deploy/deployed-stage.ts';
import type { AwsCalls } from '../engines/aws-calls.ts';
import type { MiniStack } from '../engines/ministack.ts';
import { startTrino } from '../engines/trino.ts';
import type { Report } from '../report.ts';
import { type BothLakes, openBothLakes } from './both-lakes.ts';
import { provePlan, proveTables, type Tally, VIEWS } from './prove-lake.ts';

/** What Glue takes of a table as it gives it. */
const TABLE_INPUT = ['Name', 'TableType', 'Parameters', 'PartitionKeys', 'StorageDescriptor'];

/**
 * Runs the plan on Trino over what the deployed functions have landed: Glue and S3 are the emulator's, the landing tables
 * the stack's own definitions. They are copied into a second database, since the stage's own plan keeps its Iceberg tables
 * in the first. DuckDB reads the same objects, and every row is compared.
 */
export async function proveDeployedLake(
  report: Report,
  options: { ministack: MiniStack; calls: AwsCalls; stage: DeployedStage; work: string },
): Promise<void> {
  const { ministack, calls, stage, work } = options;
  report.step('SQL: Trino over the deployed lake');
  mkdirSync(work, { recursive: true });
  const credentials = {
    accessKeyId: ministack.env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: ministack.env.AWS_SECRET_ACCESS_KEY ?? '',
  };
  const schema = `${stage.database}_trino`;
  await copyLandingTables(calls, stage.database, schema);
  const trino = await startTrino({
    work,
    say: (line) => report.ok(line),
    store: {
      kind: 'aws',
      endpoint: ministack.url,
      region: ministack.region,
      accessKey: credentials.accessKeyId,
      secretKey: credentials.secretAccessKey,
    },
  });
  const s3 = new S3Client({ endpoint: ministack.url, region: ministack.region, credentials, forcePathStyle: true });
  const lakes = await openBothLakes({
    config: demo,
    stage: stageOf(demo, stage.stageName),
    folder: join(work, 'duckdb'),
    trino: { url: trino.url, schema, location: `s3://${stage.bucketName}/trino` },
  });
  try {
    const landing = lakes.tables.filter(({ kind }) => kind === 'landing');
    let objects = 0;
    for (const { prefix } of landing) objects += await mirrorObjects(s3, stage.bucketName, prefix, lakes);
    report.ok('landing objects of the deployed functions', String(objects));
    const tally: Tally = { rows: new Map(), files: new Set(), eventsBytes: new Map() };
    if (!(await provePlan(report, lakes, new Date(), tally))) return;
    await proveTables(report, lakes, [...landing.map(({ name }) => name), ...VIEWS], 'views and landing', tally);
    if (!tally.rows.get('events')) report.fail('events are compared', 'lambdas/land.lambda.ts: nothing has landed');
  } finally {
    lakes.close();
    s3.destroy();
    await trino.stop();
  }
}

async function copyLandingTables({ call }: AwsCalls, from: string, to: string): Promise<void> {
  await call('glue', 'create_database', { DatabaseInput: { Name: to } });
  const { TableList } = await call('glue', 'get_tables', { DatabaseName: from });
  for (const table of TableList as Record<string, unknown>[]) {
    if ((table.Parameters as Record<string, string>)['projection.enabled'] !== 'true') continue;
    const input = Object.fromEntries(TABLE_INPUT.flatMap((name) => (name in table ? [[name, table[name]]] : [])));
    await call('glue', 'create_table', { DatabaseName: to, TableInput: input });
  }
}

async function mirrorObjects(s3: S3Client, bucket: string, prefix: string, lakes: BothLakes): Promise<number> {
  let count = 0;
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix }))
    for (const { Key = '' } of page.Contents ?? []) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      lakes.mirror(Key, (await Body?.transformToByteArray()) ?? new Uint8Array());
      count++;
    }
  return count;
}
