import { createHash } from 'node:crypto';
import type { AwsCalls, AwsResult } from '../engines/aws-calls.ts';
import type { DeployedStage } from './deployed-stage.ts';

/** What a stage holds: by store, what each entry is found by. A lost entry is one that a later look does not find. */
export type StoredData = Readonly<Record<string, ReadonlySet<string>>>;

/** What a run of the plan leaves behind for two days, and may remove. */
const SCRATCH = /^(?:unload|athena)\//;

/** Looks into tables, bucket, stream and secret. Table `control` is left out: the plan's lease comes and goes in it. */
export async function storedData(calls: AwsCalls, stage: DeployedStage): Promise<StoredData> {
  const { tableNames, bucketName, streamName, secretArn } = stage;
  const { SecretString } = await calls.call('secretsmanager', 'get_secret_value', { SecretId: secretArn });
  return {
    'table profiles': await itemKeys(calls, tableNames.profiles),
    'table consents': await itemKeys(calls, tableNames.consents),
    bucket: await objectKeys(calls, bucketName),
    stream: await streamPositions(calls, streamName),
    // The keys may not change by a single character, and none of them may stand in a report.
    keys: new Set([createHash('sha256').update(SecretString).digest('hex')]),
  };
}

/** The stores that have lost something between two looks, each with how much. */
export function lostEntries(before: StoredData, after: StoredData): string[] {
  return Object.entries(before).flatMap(([store, entries]) => {
    const lost = [...entries].filter((entry) => !after[store]?.has(entry)).length;
    return lost === 0 ? [] : [`${store}: ${lost} of ${entries.size}`];
  });
}

/** How much there is in each store, for a report. */
export const entryCounts = (data: StoredData): string =>
  Object.entries(data)
    .map(([store, { size }]) => `${store} ${size}`)
    .join(', ');

async function itemKeys({ call }: AwsCalls, TableName: string): Promise<Set<string>> {
  const keys = new Set<string>();
  let page: AwsResult = {};
  do {
    page = await call('dynamodb', 'scan', {
      TableName,
      ...(page.LastEvaluatedKey && { ExclusiveStartKey: page.LastEvaluatedKey }),
    });
    for (const { pk, sk } of page.Items) keys.add(`${pk.S} ${sk?.S}`);
  } while (page.LastEvaluatedKey);
  return keys;
}

async function objectKeys({ call }: AwsCalls, Bucket: string): Promise<Set<string>> {
  const keys = new Set<string>();
  let page: AwsResult = {};
  do {
    page = await call('s3', 'list_objects_v2', {
      Bucket,
      ...(page.NextContinuationToken && { ContinuationToken: page.NextContinuationToken }),
    });
    for (const { Key } of page.Contents ?? []) if (!SCRATCH.test(Key)) keys.add(Key);
  } while (page.NextContinuationToken);
  return keys;
}

async function streamPositions({ call }: AwsCalls, StreamName: string): Promise<Set<string>> {
  const positions = new Set<string>();
  const { Shards } = await call('kinesis', 'list_shards', { StreamName });
  for (const { ShardId } of Shards) {
    const ShardIteratorType = 'TRIM_HORIZON';
    let page = await call('kinesis', 'get_shard_iterator', { StreamName, ShardId, ShardIteratorType });
    let ShardIterator = page.ShardIterator;
    do {
      page = await call('kinesis', 'get_records', { ShardIterator });
      for (const { SequenceNumber } of page.Records) positions.add(`${ShardId} ${SequenceNumber}`);
      ShardIterator = page.NextShardIterator;
    } while (page.Records.length > 0 && ShardIterator !== undefined);
  }
  return positions;
}
