import { UNLOADS } from '../../domain/erasure.ts';
import { type LinkItem, SK } from '../../domain/items.ts';
import { unloadPrefix } from '../../domain/plan.ts';
import { unpackProfile } from '../../domain/profile-codec.ts';
import type { RequestItem } from '../../domain/rights.ts';
import type { EraseDeps } from './deps.ts';
import { dueRequests } from './open.ts';
import { unloadedRows } from './unloaded-rows.ts';

/**
 * Walks the items of the tables for each erasure that is due: the links to and from a device end, what stands under its id
 * goes, and its receipts are reduced to proof. Devices that only the lake knows of join their person's request first.
 */
export async function items(now: number, run: string, deps: EraseDeps): Promise<void> {
  const devices = new Map<string, string[]>();
  for await (const row of unloadedRows(unloadPrefix(UNLOADS.linkedDevices, run), deps)) {
    const id = String(row.request_id);
    devices.set(id, [...(devices.get(id) ?? []), String(row.device_id)]);
  }
  for (const request of await dueRequests(now, deps)) {
    if (request.right !== 'erasure') continue;
    const { subjects = [], received_at } = await withDevices(request, devices.get(request.id) ?? [], deps);
    for (const id of subjects) await forgetSubject(id, received_at, deps);
    deps.count('Erased', 'subjects', subjects.length);
  }
}

async function withDevices(request: RequestItem, devices: readonly string[], deps: EraseDeps): Promise<RequestItem> {
  const { subjects = [] } = request;
  const added = devices.filter((id) => !subjects.includes(id));
  if (added.length === 0) return request;
  const salt = await deps.ledger.salt();
  const hashes = added.map((id) => deps.ledger.hashOf(salt, id));
  const grown = { ...request, subjects: [...subjects, ...added], hashes: [...request.hashes, ...hashes] };
  await deps.ledger.save(grown, true);
  for (const hash of hashes) await deps.ledger.noteErasure(hash, request.id, request.received_at);
  return grown;
}

/** Deletes what stands of an id from before its erasure. What has come since is a new life, with receipts of its own. */
export async function forgetSubject(
  id: string,
  erasedAt: number,
  deps: Pick<EraseDeps, 'ledger' | 'items' | 'links' | 'read'>,
): Promise<void> {
  const salt = await deps.ledger.salt();
  const hash = deps.ledger.hashOf(salt, id);
  const { erased = erasedAt } = await deps.ledger.subject(hash);
  const keys = [SK.profile, SK.link].map((sk) => ({ pk: id, sk }));
  const { profile, link } = (await deps.read(keys, 'strong')).get(id) ?? {};
  if (link?.person !== undefined && (link.since ?? 0) <= erased) await deps.links.unlink(id, link.person);
  if (!profile || unpackProfile(profile.b).firstSeen <= erased) await deps.items.forgetProfile(id);
  if (!link || lastNoted(link) <= erased) await deps.items.forgetLink(id);
  await deps.items.reduceReceipts(id, hash, erased);
}

/** When a link item last learned something, in milliseconds. An objection is in the ledger, too. */
const lastNoted = ({ since = 0, withdrawn = {}, regranted = {} }: LinkItem): number =>
  Math.max(since, ...Object.values(withdrawn), ...Object.values(regranted));
