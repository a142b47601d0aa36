import { UNLOADS } from '../../domain/erasure.ts';
import { unloadPrefix } from '../../domain/plan.ts';
import type { RequestItem } from '../../domain/rights.ts';
import type { EraseDeps } from './deps.ts';
import { unloadedRows } from './unloaded-rows.ts';

/**
 * Whether the lake knew all subjects of a request when this run's statements began: what a door says reaches it by way of
 * the stream, minutes later. A request that was not known yet stays open for the next run.
 */
export async function knownInLake(run: string, deps: EraseDeps): Promise<(request: RequestItem) => boolean> {
  const counts = new Map<string, number>();
  for await (const row of unloadedRows(unloadPrefix(UNLOADS.known, run), deps))
    counts.set(String(row.request_id), Number(row.subjects));
  return ({ id, hashes }) => (counts.get(id) ?? 0) >= hashes.length;
}
