import { stateAfterRun } from '../../domain/rights.ts';
import type { EraseDeps } from './deps.ts';
import { knownInLake } from './known.ts';
import { dueRequests } from './open.ts';

/** Writes down how far each request has come. Ids in clear go as soon as no walk needs them any more. */
export async function close(now: number, run: string, deps: EraseDeps): Promise<void> {
  const known = await knownInLake(run, deps);
  for (const request of await dueRequests(now, deps)) {
    if (!known(request)) continue;
    const state = stateAfterRun(request, now);
    const { subjects, ...rest } = request;
    const waits = state === 'erased' || state === 'swept';
    await deps.ledger.save({ ...rest, state, since: now, ...(state === 'erased' && subjects && { subjects }) }, waits);
  }
  await deps.ledger.noteMaintenance(now);
}
