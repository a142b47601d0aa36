import middy from '@middy/core';
import type { KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { lakeTables } from '../domain/tables.ts';
import config from '../paula.config.ts';
import { s3 } from './adapters/clients.ts';
import { objectStore } from './adapters/object-store.ts';
import { toParquet } from './adapters/parquet.ts';
import { LandEnv } from './env.ts';
import { readBatch } from './kinesis-batch.ts';
import { land } from './land.ts';

const env = LandEnv.parse(process.env);
const deps = { tables: lakeTables(config), parquet: toParquet, put: objectStore(s3(), env.BUCKET_NAME).put };

/** Consumer of the stream: Parquet into the lake's landing. */
export const handler = middy<KinesisStreamEvent, KinesisStreamBatchResponse>().handler(async (event) => {
  const failed = await land(readBatch(event), deps);
  return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed }] };
});
