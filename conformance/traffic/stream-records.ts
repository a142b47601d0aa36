import { GetRecordsCommand, GetShardIteratorCommand, ListShardsCommand } from '@aws-sdk/client-kinesis';
import type { Stores } from './stores.ts';

/** A record as it stands on the stream. */
export type Streamed = { shard: string; sequence: string; text: string };

/** Everything that the stream holds now, shard after shard. */
export async function streamRecords({ kinesis, stream }: Pick<Stores, 'kinesis' | 'stream'>): Promise<Streamed[]> {
  const records: Streamed[] = [];
  // One page: a stage has a handful of shards, and a page holds a thousand.
  const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: stream }));
  for (const { ShardId: shard = '' } of Shards) {
    const from = { StreamName: stream, ShardId: shard, ShardIteratorType: 'TRIM_HORIZON' as const };
    let iterator = (await kinesis.send(new GetShardIteratorCommand(from))).ShardIterator;
    while (iterator) {
      const page = await kinesis.send(new GetRecordsCommand({ ShardIterator: iterator }));
      for (const { SequenceNumber = '', Data = new Uint8Array() } of page.Records ?? [])
        records.push({ shard, sequence: SequenceNumber, text: Buffer.from(Data).toString() });
      iterator = page.Records?.length ? page.NextShardIterator : undefined;
    }
  }
  return records;
}
