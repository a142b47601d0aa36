import { type SegmentText, UNLOADS } from '../../domain/erasure.ts';
import { isLive, SK } from '../../domain/items.ts';
import { unloadPrefix } from '../../domain/plan.ts';
import { unpackBought, unpackProfile } from '../../domain/profile-codec.ts';
import { allPurchases } from '../../domain/purchases.ts';
import type { RequestItem } from '../../domain/rights.ts';
import { bundleCsv, bundleOf, type Row } from '../../domain/rights-bundle.ts';
import { bundleKey } from '../rights/bundle-key.ts';
import type { EraseDeps } from './deps.ts';
import { knownInLake } from './known.ts';
import { dueRequests } from './open.ts';
import { unloadedRows } from './unloaded-rows.ts';

/** Makes the bundle of each access request whose subjects the lake knows by now. */
export async function bundles(
  now: number,
  run: string,
  segmentTexts: Readonly<Record<string, SegmentText>>,
  deps: EraseDeps,
): Promise<void> {
  const known = await knownInLake(run, deps);
  const due = (await dueRequests(now, deps)).filter((request) => request.right === 'access' && known(request));
  if (due.length === 0) return;
  const of = new Set(due.map(({ id }) => id));
  const [events, segments, features] = await Promise.all(
    [UNLOADS.events, UNLOADS.segments, UNLOADS.features].map((folder) =>
      byRequest(unloadPrefix(folder, run), of, deps),
    ),
  );
  for (const request of due) {
    const bundle = bundleOf(deps.config, {
      request,
      ...(await itemParts(request, now, deps)),
      events: events?.get(request.id) ?? [],
      segments: segments?.get(request.id) ?? [],
      features: features?.get(request.id) ?? [],
      segmentTexts,
      madeAt: now,
    });
    await deps.objects.put(bundleKey(request.id, 'json'), deps.gzip(`${JSON.stringify(bundle, null, 2)}\n`));
    await deps.objects.put(bundleKey(request.id, 'csv'), deps.gzip(bundleCsv(bundle)));
  }
}

async function byRequest(prefix: string, of: ReadonlySet<string>, deps: EraseDeps): Promise<Map<string, Row[]>> {
  const rows = new Map<string, Row[]>();
  for await (const row of unloadedRows(prefix, deps)) {
    const id = String(row.request_id);
    if (!of.has(id)) continue;
    const sofar = rows.get(id);
    if (sofar) sofar.push(row);
    else rows.set(id, [row]);
  }
  return rows;
}

/** What the tables know of the subjects. */
async function itemParts({ subjects = [], hashes }: RequestItem, now: number, deps: EraseDeps) {
  const keys = subjects.flatMap((pk) => [SK.profile, SK.bought].map((sk) => ({ pk, sk })));
  const stored = await deps.read(keys, 'strong');
  const nowSeconds = Math.floor(now / 1000);
  const profiles = subjects.flatMap((id) => {
    const { profile, bought } = stored.get(id) ?? {};
    if (!profile || !isLive(profile, nowSeconds)) return [];
    const unpacked = unpackProfile(profile.b);
    return [{ ...unpacked, purchases: allPurchases(unpacked.purchases, bought && unpackBought(bought.b)) }];
  });
  const receipts: Row[] = [];
  for (const id of subjects) receipts.push(...(await deps.items.receipts(id)));
  const objections: number[] = [];
  for (const hash of hashes) {
    const { objected } = await deps.ledger.subject(hash);
    if (objected !== undefined) objections.push(objected);
  }
  const devices = subjects.filter((id) => id.startsWith('d.')).length;
  return { profiles, devices, receipts, ...(objections.length > 0 && { objected: Math.min(...objections) }) };
}
