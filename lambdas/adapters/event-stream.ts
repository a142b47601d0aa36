import { setTimeout as pause } from 'node:timers/promises';
import { type KinesisClient, PutRecordsCommand, type PutRecordsRequestEntry } from '@aws-sdk/client-kinesis';
import type { StreamRecord } from '../../domain/stream-record.ts';

/** Limits of one PutRecords call: 500 records and 10 MiB; a margin is kept for keys. */
const MAX_RECORDS = 500;
const MAX_BYTES = 9 * 1024 * 1024;

/** Attempts and their first pause; it doubles, with jitter, so that throttled doors do not knock in step. */
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 50;

/**
 * Returns a function that puts records on the stream and retries what a partial failure leaves, with back-off. It returns
 * the indices that still failed; it does not throw for a service that fails, since the door answers that itself.
 */
export function eventStream(client: KinesisClient, streamName: string) {
  return async (records: readonly { key: string; record: StreamRecord }[]): Promise<number[]> => {
    const failed: number[] = [];
    const entries = records.map(({ key, record }) => ({
      PartitionKey: key,
      Data: Buffer.from(JSON.stringify(record)),
    }));
    for (const chunk of chunks(entries)) failed.push(...(await putChunk(client, streamName, entries, chunk)));
    return failed;
  };
}

function* chunks(entries: readonly PutRecordsRequestEntry[]): Generator<number[]> {
  let chunk: number[] = [];
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    const size = entry.Data?.byteLength ?? 0;
    if (chunk.length === MAX_RECORDS || (chunk.length > 0 && bytes + size > MAX_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(index);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

async function putChunk(
  client: KinesisClient,
  streamName: string,
  entries: readonly PutRecordsRequestEntry[],
  chunk: number[],
): Promise<number[]> {
  let pending = chunk;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    try {
      const { Records } = await client.send(
        new PutRecordsCommand({
          StreamName: streamName,
          Records: pending.map((index) => entries[index] as PutRecordsRequestEntry),
        }),
      );
      pending = pending.filter((_, i) => Records?.[i]?.ErrorCode !== undefined);
    } catch (error) {
      if (attempt === ATTEMPTS - 1) console.error(`PutRecords failed: ${(error as Error).name}`);
    }
    if (pending.length === 0) return [];
  }
  return pending;
}
