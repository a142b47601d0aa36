import { MAINTENANCE_HOURS, requestIdsLiteral } from '../../domain/erasure.ts';
import { needsWalk, type RequestItem, stateAfterRun, waitsUntil } from '../../domain/rights.ts';
import type { EraseDeps } from './deps.ts';

/** What a run has to do. `requests` are the ids as a list of SQL literals; none of them names anybody. */
export type Opened = { idle: boolean; requests: string };

const HOUR_MS = 3_600_000;

/** The requests that a run at a time (milliseconds) works on. */
export async function dueRequests(now: number, { ledger }: EraseDeps): Promise<RequestItem[]> {
  const open = await ledger.openRequests();
  return open.filter((request) => request.state === 'open' || needsWalk(request, now));
}

/** Says what the run has to do, and finishes what only waited for the backups to end. */
export async function open(now: number, deps: EraseDeps): Promise<Opened> {
  for (const request of await deps.ledger.openRequests()) {
    const until = waitsUntil(request);
    if (request.state === 'swept' && until !== undefined && now >= until)
      await deps.ledger.save({ ...request, state: stateAfterRun(request, now), since: now }, false);
  }
  const due = await dueRequests(now, deps);
  const maintain = now - (await deps.ledger.maintainedAt()) >= MAINTENANCE_HOURS * HOUR_MS;
  return { idle: due.length === 0 && !maintain, requests: requestIdsLiteral(due.map(({ id }) => id)) };
}
