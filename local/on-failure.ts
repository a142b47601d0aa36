import { createHash, randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { KinesisStreamEvent } from 'aws-lambda';
import * as z from 'zod';
import type { Discarded } from './batch-delivery.ts';

/** Where Lambda puts what its event-source mappings give up. */
const PREFIX = 'aws/lambda/';

/**
 * The invocation record that Lambda writes for a discarded batch into an S3 destination: the whole event is in `payload`,
 * as text. Source: "Retain discarded batch records for a Kinesis Data Streams event source in Lambda", developer guide.
 */
export const FailureRecord = z.looseObject({
  requestContext: z.looseObject({
    requestId: z.string(),
    functionArn: z.string(),
    condition: z.string(),
    approximateInvokeCount: z.int(),
  }),
  responseContext: z
    .looseObject({ statusCode: z.int(), executedVersion: z.string(), functionError: z.string().nullable() })
    .optional(),
  version: z.literal('1.0'),
  timestamp: z.iso.datetime(),
  KinesisBatchInfo: z.looseObject({
    shardId: z.string(),
    startSequenceNumber: z.string(),
    endSequenceNumber: z.string(),
    approximateArrivalOfFirstRecord: z.iso.datetime(),
    approximateArrivalOfLastRecord: z.iso.datetime(),
    batchSize: z.int(),
    streamArn: z.string(),
  }),
  payload: z.string(),
});

export type FailureRecord = z.infer<typeof FailureRecord>;

/** An object of the destination, as far as a list says it. `at` is ISO 8601. */
export type FailedBatch = { key: string; at: string; bytes: number };

/** The ARN of a local function; its last part names the consumer. */
export const functionArn = (region: string, consumer: string): string =>
  `arn:aws:lambda:${region}:000000000000:function:${consumer}`;

/** The consumer that a failed batch belongs to. */
export const consumerOf = (record: FailureRecord): string => record.requestContext.functionArn.split(':').at(-1) ?? '';

/** Builds the record of a discarded batch. `at` in milliseconds. */
export function failureRecord(
  { records, condition, invokeCount, threw }: Discarded,
  source: { region: string; consumer: string; shardId: string; streamArn: string },
  at: number,
): FailureRecord {
  const arrival = (index: number): string =>
    new Date((records.at(index)?.kinesis.approximateArrivalTimestamp ?? 0) * 1000).toISOString();
  const payload: KinesisStreamEvent = { Records: [...records] };
  return {
    requestContext: {
      requestId: randomUUID(),
      functionArn: functionArn(source.region, source.consumer),
      condition,
      approximateInvokeCount: invokeCount,
    },
    // Records that have grown too old were not handed over, so there is no response.
    ...(invokeCount > 0 && {
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: threw ? 'Unhandled' : null },
    }),
    version: '1.0',
    timestamp: new Date(at).toISOString(),
    KinesisBatchInfo: {
      shardId: source.shardId,
      startSequenceNumber: records[0]?.kinesis.sequenceNumber ?? '',
      endSequenceNumber: records.at(-1)?.kinesis.sequenceNumber ?? '',
      approximateArrivalOfFirstRecord: arrival(0),
      approximateArrivalOfLastRecord: arrival(-1),
      batchSize: records.length,
      streamArn: source.streamArn,
    },
    payload: JSON.stringify(payload),
  };
}

/** `aws/lambda/ESM-UUID/SHARD/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-RANDOM-UUID`, Lambda's own naming. */
export function failureKey(consumer: string, shardId: string, at: number): string {
  const [day, time] = new Date(at).toISOString().slice(0, 19).split('T') as [string, string];
  return `${PREFIX}${mappingId(consumer)}/${shardId}/${day.replaceAll('-', '/')}/${day}T${time.replaceAll(':', '.')}-${randomUUID()}`;
}

/** A mapping has a UUID; the local one is made of the consumer's name, so that it is the same after every start. */
function mappingId(consumer: string): string {
  const hex = createHash('sha256').update(`event-source-mapping/${consumer}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** The on-failure destination of one bucket. */
export function onFailureDestination(s3: S3Client, bucket: string) {
  return {
    async put(key: string, record: FailureRecord): Promise<void> {
      const Body = JSON.stringify(record);
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentType: 'application/json' }));
    },
    async list(): Promise<FailedBatch[]> {
      const found: FailedBatch[] = [];
      for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: PREFIX }))
        for (const { Key = '', LastModified, Size = 0 } of page.Contents ?? [])
          found.push({ key: Key, at: LastModified?.toISOString() ?? '', bytes: Size });
      return found;
    },
    /** Throws NoSuchKey where there is none, and a ZodError where the object is no failure record. */
    async get(key: string): Promise<FailureRecord> {
      if (!key.startsWith(PREFIX)) throw new Error(`"${key}" is not a key of the on-failure destination`);
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return FailureRecord.parse(JSON.parse((await Body?.transformToString()) ?? ''));
    },
    async remove(key: string): Promise<void> {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
  };
}

export type OnFailureDestination = ReturnType<typeof onFailureDestination>;
