import { UNLOADS } from '../../domain/erasure.ts';
import { unloadPrefix } from '../../domain/plan.ts';
import type { EraseDeps } from './deps.ts';
import { unloadedRows } from './unloaded-rows.ts';

/** Files of deleted rows are still in the bucket. */
export class LeftOver extends Error {
  override name = 'LeftOver';
}

/**
 * Compares the files that each Iceberg table says it has with the objects that are there: without the right to delete,
 * VACUUM succeeds and removes nothing. Throws where an object from before the run is in no table's list; the requests then
 * stay open, and the next run vacuums again. `now` in milliseconds.
 */
export async function leftovers(now: number, run: string, deps: EraseDeps): Promise<void> {
  let found = 0;
  for (const { name, kind, prefix } of deps.tables) {
    if (kind !== 'iceberg') continue;
    const listed = new Set<string>();
    for await (const { file_path } of unloadedRows(unloadPrefix(UNLOADS.files(name), run), deps))
      listed.add(keyOf(String(file_path)));
    for await (const { key, at } of deps.objects.list(prefix)) {
      if (key.startsWith(`${prefix}metadata/`) || at >= now || listed.has(key)) continue;
      found += 1;
      deps.count('LeftOver', name);
    }
  }
  if (found > 0) throw new LeftOver(`${found} files of the lake belong to no table any more and are still there`);
}

/** `s3://bucket/key` without its bucket. */
const keyOf = (path: string): string => path.replace(/^s3:\/\/[^/]+\//, '');
