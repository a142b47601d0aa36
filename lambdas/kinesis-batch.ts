import type { KinesisStreamEvent } from 'aws-lambda';

/** One record of a Kinesis batch; `arrivedAt` in milliseconds since the epoch. */
export type Delivered = { shard: string; sequenceNumber: string; arrivedAt: number; text: string };

/** Reads a Kinesis event. `eventID` is `<shard id>:<sequence number>`; the arrival is in seconds. */
export function readBatch({ Records }: KinesisStreamEvent): Delivered[] {
  return Records.map(({ eventID, kinesis }) => ({
    shard: eventID.slice(0, eventID.indexOf(':')),
    sequenceNumber: kinesis.sequenceNumber,
    arrivedAt: Math.round(kinesis.approximateArrivalTimestamp * 1000),
    text: Buffer.from(kinesis.data, 'base64').toString('utf8'),
  }));
}
