import { UNLOADS } from '../../domain/erasure.ts';
import { unloadPrefix } from '../../domain/plan.ts';
import type { RequestItem } from '../../domain/rights.ts';
import { BUNDLE_DAYS, BUNDLES, type Store, stores } from '../../domain/stores.ts';
import { tableOf } from '../../domain/tables.ts';
import type { EraseDeps, StoredObject } from './deps.ts';
import { type ErasedIds, erasedIds, isOfErased } from './erased.ts';
import { dueRequests } from './open.ts';

const DAY_MS = 86_400_000;

/** A call stops taking objects after this long: Lambda ends it after 15 minutes, and a large file takes a while. */
const BUDGET_MS = 10 * 60_000;

/** Objects that are looked at together: enough to hide their latency, few enough for the function's memory. */
const AT_ONCE = 8;

/**
 * Walks the objects of every store in the bucket for the erasures that are due, and drops what this run has unloaded and
 * bundles that have expired. Returns where to go on, or undefined at the end. Objects that come while it walks were written
 * by consumers that know the ledger, or are found by the second walk.
 */
export async function objects(
  now: number,
  run: string,
  cursor: string | undefined,
  deps: EraseDeps,
): Promise<string | undefined> {
  const started = deps.elapsed();
  const due = await dueRequests(now, deps);
  const ids = erasedIds(due, now);
  const hashes = new Set(due.flatMap((request) => (request.right === 'erasure' ? request.hashes : [])));
  const walked = stores(deps.config).filter(({ kind }) => kind === 'objects');
  const [from = 0, after] = position(cursor);
  for (const [i, store] of walked.entries()) {
    if (i < from) continue;
    let batch: StoredObject[] = [];
    for await (const object of deps.objects.list(store.part ?? '', i === from ? after : undefined)) {
      batch.push(object);
      if (batch.length < AT_ONCE) continue;
      await Promise.all(batch.map((one) => walk(one, store, { ids, hashes, now, run }, deps)));
      if (deps.elapsed() - started > BUDGET_MS) return `${i} ${object.key}`;
      batch = [];
    }
    await Promise.all(batch.map((one) => walk(one, store, { ids, hashes, now, run }, deps)));
  }
  return undefined;
}

function position(cursor: string | undefined): [number?, string?] {
  if (cursor === undefined) return [];
  const space = cursor.indexOf(' ');
  return [Number(cursor.slice(0, space)), cursor.slice(space + 1)];
}

type Walk = { ids: ErasedIds; hashes: ReadonlySet<string>; now: number; run: string };

async function walk(object: StoredObject, store: Store, walking: Walk, deps: EraseDeps): Promise<void> {
  const { key } = object;
  const { erasure, part = '' } = store;
  if (part === BUNDLES) return walkBundle(object, walking, deps);
  if (key.startsWith(BUNDLES)) return;
  if (erasure.by === 'discard') {
    // It names requests only, and `close` has yet to read it.
    if (key.startsWith(unloadPrefix(UNLOADS.known, walking.run))) return;
    if (walking.ids.size > 0 || isOwnUnload(key, walking.run)) await deps.objects.remove(key);
    return;
  }
  if (erasure.by !== 'rewrite' || walking.ids.size === 0) return;
  const file = await deps.objects.get(key);
  if (!file) return;
  const rest = await rewritten(erasure.format, file, store, walking.ids, deps);
  if (rest === 'whole') return;
  deps.count('Erased', store.name);
  if (rest === 'empty') await deps.objects.remove(key);
  else await deps.objects.put(key, rest);
}

const OWN_UNLOADS = Object.values(UNLOADS).filter((folder) => typeof folder === 'string');

const isOwnUnload = (key: string, run: string): boolean =>
  OWN_UNLOADS.some((folder) => key.startsWith(unloadPrefix(folder, run)));

/** A bundle goes when it has expired, and when one of its subjects is erased. */
async function walkBundle({ key, at }: StoredObject, { hashes, now }: Walk, deps: EraseDeps): Promise<void> {
  const id = key.slice(BUNDLES.length).split('/', 1)[0] ?? '';
  const request: RequestItem | undefined = await deps.ledger.request(id);
  const expired = !request || now - at >= BUNDLE_DAYS * DAY_MS;
  if (expired || request.hashes.some((hash) => hashes.has(hash))) await deps.objects.remove(key);
}

async function rewritten(
  format: 'parquet' | 'failed_batch' | 'lines',
  file: Uint8Array,
  { name }: Store,
  ids: ErasedIds,
  deps: EraseDeps,
): Promise<Uint8Array | string | 'whole' | 'empty'> {
  switch (format) {
    case 'parquet':
      return deps.rewriteParquet(tableOf(deps.tables, name), file, (row) => !isOfErased(row, ids));
    case 'failed_batch':
      return withoutRecords(Buffer.from(file).toString('utf8'), ids);
    case 'lines':
      return withoutLines(Buffer.from(file).toString('utf8'), ids);
  }
}

/** The part of an on-failure record that holds other people's events: the whole Kinesis event, as text. */
type FailedBatch = { payload: string };
type Payload = { Records: { kinesis: { data: string; partitionKey: string } }[] };

function withoutRecords(text: string, ids: ErasedIds): string | 'whole' | 'empty' {
  const batch = JSON.parse(text) as FailedBatch;
  const payload = JSON.parse(batch.payload) as Payload;
  const kept = payload.Records.filter(({ kinesis }) => {
    const data = Buffer.from(kinesis.data, 'base64').toString('utf8');
    const record = jsonObject(data);
    if (record) return !isOfErased(record, ids);
    // What cannot be read has no time either: it goes with anybody whom it names.
    return ![...ids.keys()].some((id) => data.includes(id) || kinesis.partitionKey === id);
  });
  if (kept.length === payload.Records.length) return 'whole';
  if (kept.length === 0) return 'empty';
  return JSON.stringify({ ...batch, payload: JSON.stringify({ ...payload, Records: kept }) });
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** An entry goes at once. A departure stays until the second walk, so that destinations hear of it and remove the member. */
function withoutLines(text: string, ids: ErasedIds): string | 'whole' | 'empty' {
  const lines = text.split('\n').filter((line) => line !== '');
  const kept = lines.filter((line) => {
    const { profile_id, entered } = JSON.parse(line) as { profile_id: string; entered: boolean };
    const erased = ids.get(profile_id);
    return !erased || (!entered && !erased.swept);
  });
  if (kept.length === lines.length) return 'whole';
  return kept.length === 0 ? 'empty' : kept.map((line) => `${line}\n`).join('');
}
