import { readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { decodedBytes } from './decoded-bytes.ts';
import { countHits, type Needle } from './needles.ts';

/** What was found in a store: files, their bytes, and hits by needle. */
export type StoreHits = { files: number; bytes: number; hits: Map<string, number> };

/**
 * Searches every file below a state folder, whatever it is and whoever wrote it: the list that an erasure uses is not asked.
 * Throws for a file that cannot be decoded. Stores are named by their folders, objects by their prefix in the bucket, or as
 * `nameOf` names them by the parts of a file's path below the folder.
 */
export async function scan(
  stateDir: string,
  needles: readonly Needle[],
  nameOf: (parts: readonly string[]) => string = storeOf,
): Promise<Map<string, StoreHits>> {
  const stores = new Map<string, StoreHits>();
  for (const entry of readdirSync(stateDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = nameOf(relative(stateDir, path).split(sep));
    const store = stores.get(name) ?? { files: 0, bytes: 0, hits: new Map() };
    stores.set(name, store);
    store.files += 1;
    store.bytes += statSync(path).size;
    // The name is a part of what is kept: keys of objects are file names.
    const named = Buffer.from(path);
    for (const [needle, count] of countHits(named, needles)) add(store, needle, count);
    for await (const bytes of decodedBytes(path))
      for (const [needle, count] of countHits(bytes, needles)) add(store, needle, count);
  }
  return new Map([...stores].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function add({ hits }: StoreHits, needle: string, count: number): void {
  hits.set(needle, (hits.get(needle) ?? 0) + count);
}

/** `s3/buckets/B/objects/landing/…` is the store `s3 landing`; a file of the folder itself is a store of its own. */
function storeOf(parts: readonly string[]): string {
  const [first = '', , , , prefix = ''] = parts;
  if (first !== 's3') return parts.length > 1 ? first : `file ${first}`;
  if (parts[3] !== 'objects') return `s3 ${parts[1] === 'buckets' ? 'bucket' : parts[1]}`;
  return `s3 ${prefix.replace(/\.(data|meta\.json)$/, '')}`;
}
