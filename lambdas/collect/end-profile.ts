import type { ReceiptItem } from '../../domain/items.ts';
import { FOLD_NEEDS } from '../../domain/withdrawals.ts';
import type { CollectDeps } from './deps.ts';
import { isPersonId } from './person.ts';

/**
 * Deletes what profiling has made of the receipt's subject where the receipt withdraws a purpose that folding needs. It comes
 * after the withdrawal is noted, so that no consumer can bring back what is deleted here. A person's withdrawal ends what
 * stands under the person; each of its devices has been asked for itself and keeps its own answer.
 */
export async function endProfile({ pk, withdrawn }: ReceiptItem, { links }: Pick<CollectDeps, 'links'>): Promise<void> {
  const needed = FOLD_NEEDS[isPersonId(pk) ? 'server' : 'browser'];
  if (withdrawn.some((purpose) => needed.includes(purpose))) await links.forgetProfile(pk);
}
