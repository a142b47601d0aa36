import { createHash } from 'node:crypto';
import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { type EventRecord, SCHEMA_VERSION } from '../../domain/stream-record.ts';
import type { Stores } from './stores.ts';
import type { Streamed } from './stream-records.ts';

/** A name that is not drawn at random, in the form of a hash, as ids of devices and events are. */
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** The device that the made-up events of a check fold into. */
export const deviceOf = (check: string): string => `d.${hashOf(check)}`;

/** A page view as the door puts it on the stream, for the device of a check. */
export function pageView(check: string, n: number, at: number): EventRecord {
  return {
    kind: 'event',
    schema_version: SCHEMA_VERSION,
    event_id: hashOf(`${check} ${n}`),
    source: 'web',
    site: 'shop',
    event: 'Page Viewed',
    occurred_at: at,
    received_at: at,
    device_id: deviceOf(check),
    is_bot: false,
    purposes: ['storage', 'measurement', 'profile'],
    basis: 'consent',
  };
}

/** Puts texts on the stream one after the other into one shard, past the door. Throws where the stream does not take them. */
export async function putInOrder(
  { kinesis, stream }: Stores,
  texts: readonly string[],
  partition: string,
): Promise<Streamed[]> {
  const Records = texts.map((text) => ({ Data: Buffer.from(text), PartitionKey: partition }));
  const answer = await kinesis.send(new PutRecordsCommand({ StreamName: stream, Records }));
  return (answer.Records ?? []).map(({ SequenceNumber, ShardId }, i) => {
    if (!SequenceNumber || !ShardId) throw new Error('the stream did not take a record');
    return { shard: ShardId, sequence: SequenceNumber, text: texts[i] ?? '' };
  });
}
