import type { Purchase } from '../../domain/profile.ts';
import { allPurchases } from '../../domain/purchases.ts';
import type { Row } from './item-rows.ts';
import type { StateRows } from './state-rows.ts';

/** What is made alike before two states are compared, in the words of the report. Nothing of it leaves a value out. */
export const MADE_ALIKE: readonly string[] = [
  'receipt ids are random: each is compared as its place among the receipts of its subject, wherever it stands',
  'purchases in a profile item and its bought item are compared as one list: how the stream was cut into batches decides which item one stands in (and spilled), and both are read together',
];

/** Gives what two runs must name or place differently the same name and place. */
export function comparable(state: StateRows): StateRows {
  return withWholeProfiles(withReceiptNames(state));
}

/** Replaces each receipt id by its place among its subject's receipts, which their sort keys give. */
function withReceiptNames(state: StateRows): StateRows {
  const names = new Map<string, string>();
  const bySubject = Map.groupBy(state.get('paula-consents') ?? [], ({ pk }) => pk);
  for (const receipts of bySubject.values()) {
    const sorted = receipts.toSorted((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1));
    for (const [i, { receipt_id }] of sorted.entries()) names.set(String(receipt_id), `receipt ${i + 1}`);
  }
  // An id that no item has stays as it is, and differs.
  const renamed = (id: unknown) => (typeof id === 'string' ? (names.get(id) ?? id) : id);
  const rename = (table: string, row: Row): Row => {
    const changes: Record<string, unknown> = {};
    for (const field of ['receipt_id', 'prior_receipt_id', 'receipt'])
      if (field in row) changes[field] = renamed(row[field]);
    // `<time of receipt>#<receipt id>`: the time is a receipt time, the id the receipt's.
    if (table === 'paula-consents') changes.sk = renamed(String(row.sk).split('#')[1]);
    return { ...row, ...changes };
  };
  return new Map([...state].map(([table, rows]) => [table, rows.map((row) => rename(table, row))]));
}

type Purchases = readonly (readonly [hash: number, purchase: Purchase])[];

/** Puts the purchases of the bought items into their profiles, as those who read the two items do. */
function withWholeProfiles(state: StateRows): StateRows {
  const bought = new Map((state.get('paula-profiles/bought') ?? []).map(({ pk, purchases }) => [pk, purchases]));
  const whole = (state.get('paula-profiles/profile') ?? []).map(({ spilled: _, ...profile }) => {
    const overflow = (bought.get(profile.pk) ?? []) as Purchases;
    bought.delete(profile.pk);
    const all = allPurchases(new Map(profile.purchases as Purchases), new Map(overflow));
    return { ...profile, purchases: [...all].sort(([a], [b]) => a - b) };
  });
  // Without a profile a bought item is nobody's: it stays, and differs.
  const orphans = [...bought].map(([pk, purchases]) => ({ pk, purchases }));
  const merged = new Map(state);
  if (state.has('paula-profiles/profile')) merged.set('paula-profiles/profile', whole);
  if (state.has('paula-profiles/bought')) merged.set('paula-profiles/bought', orphans);
  return merged;
}
