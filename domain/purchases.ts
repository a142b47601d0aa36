import { MAX_ALL_PURCHASES, MAX_PURCHASES, type Profile, type Purchase } from './profile.ts';

type Purchases = ReadonlyMap<number, Purchase>;

/**
 * All purchases of a profile. What stands in both items counts as the profile item has it: an entry is brought back there
 * whenever it changes. What the fold has forgotten may still stand in the `bought` item, until that is written again.
 */
export function allPurchases(resident: Purchases, bought: Purchases | undefined): Purchases {
  if (!bought || bought.size === 0) return resident;
  const all = new Map([...bought, ...resident]);
  forgetOldest(all);
  return all;
}

/** Forgets the oldest purchases past the bound: after each order, so that the cut of batches makes no difference. */
export function forgetOldest(purchases: Map<number, Purchase>): void {
  const excess = purchases.size - MAX_ALL_PURCHASES;
  if (excess <= 0) return;
  for (const [hash] of oldestFirst([...purchases]).slice(0, excess)) purchases.delete(hash);
}

/** True where a fold needs the `bought` item beside the profile as it was read. */
export const needsBought = (profile: Profile): boolean => profile.spilled || profile.purchases.size > MAX_PURCHASES;

/**
 * Divides the purchases after a fold between the two items: `resident` stay in the profile item, and `bought` is what its
 * overflow now has to hold, where it changes. `before` is the profile as read, without its overflow; `after` the fold of
 * both. Only entries that were in the profile item and did not change move, so their value is the same wherever it is read:
 * the two items need no transaction, as long as `bought` is written first. New entries may exceed the bound until the
 * next write.
 */
export function divide(
  before: Purchases,
  overflow: Purchases,
  after: Purchases,
): { resident: Purchases; bought?: Purchases } {
  if (overflow.size === 0 && before.size <= MAX_PURCHASES) return { resident: after };
  const resident = new Map(after);
  for (const [hash, purchase] of overflow) if (!before.has(hash) && after.get(hash) === purchase) resident.delete(hash);
  if (before.size <= MAX_PURCHASES) return { resident };

  const unchanged = oldestFirst([...before].filter(([hash, purchase]) => after.get(hash) === purchase));
  const moving = unchanged.slice(0, resident.size - MAX_PURCHASES);
  if (moving.length === 0) return { resident };
  for (const [hash] of moving) resident.delete(hash);
  // Not what the profile item holds, nor what is forgotten; but what has just changed, until the profile item is written.
  const staying = [...overflow].filter(([hash]) => !before.has(hash) && after.has(hash));
  return { resident, bought: new Map(oldestFirst([...staying, ...moving])) };
}

/** By day, then by hash, so that the same purchases are always cut alike. */
const oldestFirst = (entries: [number, Purchase][]): [number, Purchase][] =>
  entries.sort(([hashA, a], [hashB, b]) => a.day - b.day || hashA - hashB);
