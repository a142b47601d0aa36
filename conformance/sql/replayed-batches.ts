import { doorWithoutStores } from '../../bench/door-without-stores.ts';
import type { ReceiptItem } from '../../domain/items.ts';
import { completeKeys } from '../../domain/keys.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import type { CollectDeps } from '../../lambdas/collect/deps.ts';
import { collect } from '../../lambdas/collect.ts';
import config from '../../paula.config.ts';
import type { Batch } from './generated-records.ts';

/** As many as the event-source mapping hands to `land`. */
const BATCH = 1000;
const SHARD = 'shardId-000000000000';

/** A message of a server source; `type` names the route that it is posted to. */
export type Message = { type: string; body: Record<string, unknown> };

/**
 * Sends messages of a server source through the door in this process and cuts what it puts on the stream into batches.
 * All are received at one time, a millisecond after one another, as in a replay. Throws where the door refuses one.
 */
export async function* replayedBatches(
  messages: AsyncIterable<Message> | Iterable<Message>,
  source: string,
  from: number,
): AsyncGenerator<Batch> {
  let records: StreamRecord[] = [];
  let made = 0;
  const keys = completeKeys({}, config, () => hashes.sha256(`key ${made++}`));
  const deps = doorInMemory(keys, (record) => records.push(record));
  const authorization = `Basic ${Buffer.from(`${keys.writeKeys[source]?.[0]}:`).toString('base64')}`;
  let first = 1;
  let received = from;
  const batch = (): Batch => ({ shard: SHARD, first, arrivedAt: received, records });

  for await (const { type, body } of messages) {
    received += 1;
    const answer = await collect(
      {
        method: 'POST',
        path: `/v1/${type}`,
        query: '',
        headers: { authorization, 'content-type': 'application/json' },
        cookies: [],
        body: JSON.stringify(body),
        sourceIp: '127.0.0.1',
        userAgent: undefined,
        requestId: `replay-${received}`,
        receivedAt: received,
      },
      deps,
    );
    if (answer.statusCode !== 200) throw new Error(`the door answered ${answer.statusCode}: ${answer.body}`);
    if (records.length < BATCH) continue;
    yield batch();
    first += records.length;
    records = [];
  }
  if (records.length > 0) yield batch();
}

/** The door's use cases with receipts in memory; nobody withdraws in a replay, so there are no links to read. */
function doorInMemory(keys: CollectDeps['keys'], take: (record: StreamRecord) => void): CollectDeps {
  const receipts = new Map<string, ReceiptItem>();
  let ids = 0;
  return {
    ...doorWithoutStores(config, keys),
    receipts: {
      latest: async (subject) => receipts.get(subject),
      recent: async (subject) => [receipts.get(subject) ?? []].flat(),
      append: async (receipt) => {
        receipts.set(receipt.pk, receipt);
      },
    },
    put: async (put) => {
      for (const { record } of put) take(record);
      return [];
    },
    randomId: () => hashes.sha256(`id ${ids++}`),
  };
}
