import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { audiencePk } from '../../domain/items.ts';
import { batchGet } from './batch-get.ts';

/** How long an expiry is kept in memory. It moves only when the plan has run, and a decision is read far more often. */
const REFRESH_MS = 60_000;

/**
 * Returns a reader of when audiences go out of date, in seconds since the epoch; 0 for one that was never published.
 * Table `control` is read for those that memory does not hold or holds for longer than a minute.
 */
export function audienceExpiries(client: DynamoDBClient, table: string) {
  const known = new Map<string, { expires: number; readAt: number }>();
  return async (audiences: readonly string[], now: number): Promise<ReadonlyMap<string, number>> => {
    const stale = audiences.filter((id) => now - (known.get(id)?.readAt ?? Number.NEGATIVE_INFINITY) > REFRESH_MS);
    if (stale.length > 0) {
      const items = await batchGet(
        client,
        table,
        stale.map((id) => ({ pk: { S: audiencePk(id) } })),
        'eventual',
      );
      const expires = new Map(items.map((item) => [item.pk?.S, Number(item.expires?.N)]));
      for (const id of stale) known.set(id, { expires: expires.get(audiencePk(id)) ?? 0, readAt: now });
    }
    return new Map(audiences.map((id) => [id, known.get(id)?.expires ?? 0]));
  };
}
