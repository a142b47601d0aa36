import type { ReceiptItem } from './items.ts';
import type { Purpose } from './purposes.ts';

/** As much of a receipt as tells what stands. */
type Receipt = Pick<ReceiptItem, 'method' | 'site' | 'granted' | 'withdrawn' | 'expires_at'>;

const isSignal = ({ method }: Receipt): boolean => method === 'tcf';

/** The newest choice of the person's own, out of a subject's receipts, the newest first. */
export const ownReceipt = <R extends Receipt>(receipts: readonly R[]): R | undefined =>
  receipts.find((receipt) => !isSignal(receipt));

/**
 * The newest receipt of each site's TC string, by site. An own choice is whole: it takes back what it does not name, so that
 * what strings said before it no longer counts.
 */
export function signalReceipts<R extends Receipt>(receipts: readonly R[]): ReadonlyMap<string, R> {
  const bySite = new Map<string, R>();
  for (const receipt of sinceOwnChoice(receipts))
    if (isSignal(receipt) && !bySite.has(receipt.site)) bySite.set(receipt.site, receipt);
  return bySite;
}

/**
 * Every purpose that was given or taken back up to now: what an own choice does not name of them it withdraws. What was
 * withdrawn is said again, since its own telling may have failed.
 */
export const saidPurposes = (receipts: readonly Receipt[]): ReadonlySet<Purpose> =>
  new Set(sinceOwnChoice(receipts).flatMap(({ granted, withdrawn }) => [...granted, ...withdrawn]));

/** What the receipts grant that stand at a time (milliseconds): the own choice's and those of each site's string. */
export const standingPurposes = (receipts: readonly Receipt[], now: number): ReadonlySet<Purpose> =>
  new Set(
    [ownReceipt(receipts), ...signalReceipts(receipts).values()].flatMap((receipt) =>
      receipt && receipt.expires_at > now ? receipt.granted : [],
    ),
  );

/** The newest own choice and the strings' receipts that have come since. */
function sinceOwnChoice<R extends Receipt>(receipts: readonly R[]): readonly R[] {
  const own = receipts.findIndex((receipt) => !isSignal(receipt));
  return own < 0 ? receipts : receipts.slice(0, own + 1);
}
