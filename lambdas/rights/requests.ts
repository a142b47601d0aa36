import { ledgerTtl, proofTtl, REPEAT_MS, type RequestItem, type Right } from '../../domain/rights.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { linkTtl, personLinkTtl, StreamUnavailable } from '../collect/receipts.ts';
import type { RightsDeps } from './deps.ts';

/** Who asks for what: the ids that it is about, the first of them the one that names the asker. */
export type Asked = { subjects: readonly string[]; channel: RequestItem['channel']; at: number };

/** A finished bundle is handed out again for a day; after that a new one is made, with what has come since. */
const FRESH_MS = 24 * 3_600_000;

/**
 * Takes a request for access: the job makes the bundle. A repeated call finds the request that it has made before; one that
 * is still open is told to the lake again, in case that is what failed.
 */
export async function askAccess(asked: Asked, deps: RightsDeps): Promise<RequestItem> {
  const { salt, hashes } = await hashed(asked, deps);
  const { access } = await deps.ledger.subject(hashes[0] ?? '');
  const before = access === undefined ? undefined : await deps.ledger.request(access);
  const current = before?.state === 'open' || (before?.state === 'ready' && asked.at - before.since < FRESH_MS);
  if (before && current && before.state === 'ready') return before;
  const request = before && current ? before : newRequest('access', hashes, asked, deps);
  await deps.ledger.save(request, true);
  for (const hash of request.hashes) await deps.ledger.noteAccess(hash, request.id, asked.at);
  await tell(
    request.hashes.map((subject_hash) => ({
      kind: 'right',
      request_kind: 'access',
      subject_hash,
      salt,
      request_id: request.id,
      requested_at: request.received_at,
    })),
    deps,
  );
  return request;
}

/**
 * Notes an objection to direct marketing (Art. 21(2)): on each link item, which fold and decision read; in the ledger, where
 * it outlives the item; and for the lake. What profiling has made goes at once. The first objection stands.
 */
export async function object(asked: Asked, deps: RightsDeps): Promise<RequestItem> {
  const { at, channel, subjects } = asked;
  const { salt, hashes } = await hashed(asked, deps);
  const request: RequestItem = { ...newRequest('objection', hashes, asked, deps), state: 'done' };
  delete request.subjects;
  for (const [i, id] of subjects.entries()) {
    await deps.ledger.noteObjection(hashes[i] ?? '', at);
    await deps.items.object(id, at, isPerson(id) || channel === 'person' ? personLinkTtl(at) : linkTtl(at));
    await deps.items.forgetProfile(id);
  }
  await tell(
    hashes.map((subject_hash) => ({
      kind: 'right',
      request_kind: 'objection',
      subject_hash,
      salt,
      request_id: request.id,
      requested_at: at,
    })),
    deps,
  );
  await deps.ledger.save(request, false);
  return request;
}

/** Takes an erasure (Art. 17): from now on late copies are refused; the job walks the stores. */
export async function erase(asked: Asked, deps: RightsDeps): Promise<RequestItem> {
  const { salt, hashes } = await hashed(asked, deps);
  const { erasure } = await deps.ledger.subject(hashes[0] ?? '');
  const before = erasure === undefined ? undefined : await deps.ledger.request(erasure);
  const repeated = before !== undefined && asked.at - before.received_at < REPEAT_MS;
  const request = repeated ? before : newRequest('erasure', hashes, asked, deps);
  if (!repeated) await deps.ledger.save(request, true);
  for (const hash of request.hashes) await deps.ledger.noteErasure(hash, request.id, request.received_at);
  await tell(
    request.hashes.map((tombstone) => ({
      kind: 'erasure',
      tombstone,
      request_id: request.id,
      erased_at: request.received_at,
      salt,
    })),
    deps,
  );
  return request;
}

const isPerson = (id: string): boolean => id.startsWith('p.');

async function hashed({ subjects }: Asked, { ledger }: RightsDeps): Promise<{ salt: string; hashes: string[] }> {
  const salt = await ledger.salt();
  return { salt, hashes: subjects.map((id) => ledger.hashOf(salt, id)) };
}

function newRequest(right: Right, hashes: string[], { subjects, channel, at }: Asked, deps: RightsDeps): RequestItem {
  const ttl = right === 'access' ? proofTtl(at) : Math.max(proofTtl(at), ledgerTtl(at));
  return { id: deps.randomId(), right, channel, received_at: at, state: 'open', since: at, hashes, subjects, ttl };
}

/** Puts records on the stream under keys that say nothing; throws `StreamUnavailable` where it does not take them all. */
async function tell(records: readonly StreamRecord[], { put, randomId }: RightsDeps): Promise<void> {
  const failed = await put(records.map((record) => ({ key: randomId(), record })));
  if (failed.length > 0) throw new StreamUnavailable();
}
