import type { PaulaConfig } from './config.ts';
import type { EventRecord } from './stream-record.ts';

/** The fields of the tracking plan that the fold reads; a test holds the list to the fold itself. */
export const FOLDED_FIELDS = [
  'campaign',
  'placement',
  'utm_source',
  'utm_medium',
  'utm_campaign',
  'referrer_host',
  'product_id',
  'category',
  'order_id',
  'quantity',
  'value',
  'currency',
  'products',
] as const;

export type FoldedField = (typeof FOLDED_FIELDS)[number];

/**
 * The folded fields that the plan does not collect for purpose `profile`. An event may carry them for another purpose, but
 * no profile is made of them: so what is folded ends with `profile` (and `storage`) and with no other withdrawal.
 */
export const withheldFields = ({ trackingPlan: { fields } }: PaulaConfig): readonly FoldedField[] =>
  FOLDED_FIELDS.filter((name) => fields[name] !== undefined && !fields[name].purposes.includes('profile'));

/** Takes the withheld fields out of a record, which is changed: it was read for the fold alone. */
export function withhold(record: EventRecord, withheld: readonly FoldedField[]): EventRecord {
  for (const name of withheld) {
    if (name === 'products') delete record.properties?.products;
    // Not deleted: an object that loses a field is slower for all who read it.
    else if (record[name] !== undefined) (record as Partial<Record<FoldedField, unknown>>)[name] = undefined;
  }
  return record;
}
