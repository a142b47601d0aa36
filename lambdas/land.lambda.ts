import middy from '@middy/core';
import type { KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { lakeTables } from '../domain/tables.ts';
import config from '../paula.config.ts';
import { s3 } from './adapters/clients.ts';
import { objectStore } from './adapters/object-store.ts';
import { toParquet } from './adapters/parquet.ts';
import { LandEnv } from './env.ts';
import { type Delivered, land } from './land.ts';

const env = LandEnv.parse(process.env);
const deps = { tables: lakeTables(config), parquet: toParquet, put: objectStore(s3(), env.BUCKET_NAME).put };

/** Consumer of the stream: Parquet into the lake's landing. */
export const handler = middy<KinesisStreamEvent, KinesisStreamBatchResponse>().handler(async ({ Records }) => {
  const failed = await land(Records.map(delivered), deps);
  return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed }] };
});

/** `eventID` is `<shard id>:<sequence number>`; the arrival is in seconds. */
function delivered({ eventID, kinesis }: KinesisStreamEvent['Records'][number]): Delivered {
  return {
    shard: eventID.slice(0, eventID.indexOf(':')),
    sequenceNumber: kinesis.sequenceNumber,
    arrivedAt: Math.round(kinesis.approximateArrivalTimestamp * 1000),
    text: Buffer.from(kinesis.data, 'base64').toString('utf8'),
  };
}
