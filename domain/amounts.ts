import type { FieldValue, Issue, SentLine } from './field-values.ts';
import { isAmount } from './money.ts';

/** Events that take back what an order brought: their amounts are stored as minus the absolute. */
const TAKES_BACK: ReadonlySet<string> = new Set(['Order Refunded', 'Order Cancelled']);

/** Events whose amounts must not be negative: money that comes in or may come in. */
const BRINGS: ReadonlySet<string> = new Set(['Order Completed', 'Product Added', 'Product Viewed']);

/**
 * Puts the amounts of an event into the one form that is stored: `value` is the whole event's (as sent, else the sum of
 * the lines, never multiplied by a quantity again), signs follow the event and not the sender.
 */
export function settleAmounts(
  event: string,
  values: Map<string, FieldValue>,
  pathOf: (field: string) => string,
  issues: Issue[],
): void {
  const lines = values.get('products') as SentLine[] | undefined;
  const takesBack = TAKES_BACK.has(event);
  if (takesBack && lines) for (const line of lines) line.quantity = -Math.abs(line.quantity);
  if (lines && !values.has('value')) {
    const total = sumOfLines(lines);
    if (total !== undefined && isAmount(total)) values.set('value', total);
    else if (total !== undefined)
      issues.push({ path: pathOf('products'), rule: 'must add up to at most 14 digits before the point' });
  }
  if (takesBack) {
    const value = values.get('value') as bigint | undefined;
    if (value !== undefined && value > 0n) values.set('value', -value);
    const quantity = values.get('quantity') as number | undefined;
    if (quantity !== undefined) values.set('quantity', -Math.abs(quantity));
    // An order's total is not known here, so a cancellation has to bring its own.
    if (event === 'Order Cancelled' && value === undefined && !issues.some(({ path }) => path === pathOf('value')))
      issues.push({ path: pathOf('value'), rule: 'is required' });
  } else if (BRINGS.has(event)) {
    if (((values.get('value') as bigint | undefined) ?? 0n) < 0n)
      issues.push({ path: pathOf('value'), rule: 'must not be negative for this event' });
    if (((values.get('quantity') as number | undefined) ?? 0) < 0)
      issues.push({ path: pathOf('quantity'), rule: 'must not be negative for this event' });
    lines?.forEach((line, i) => {
      if (line.quantity < 0)
        issues.push({ path: `${pathOf('products')}[${i}].quantity`, rule: 'must not be negative for this event' });
    });
  }
}

/** Sum of price times quantity over the lines; `undefined` where no line has a price. */
function sumOfLines(lines: readonly SentLine[]): bigint | undefined {
  let total: bigint | undefined;
  for (const line of lines) if (line.price !== undefined) total = (total ?? 0n) + line.price * BigInt(line.quantity);
  return total;
}
