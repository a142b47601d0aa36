import type { PaulaConfig } from './config.ts';
import { PURPOSES, type Purpose } from './purposes.ts';
import { STANDARD_FIELDS } from './standard-fields.ts';
import { brandColumns } from './tables.ts';

/** The marks in `sql/erasure/withdrawn_events.sql` that the tracking plan fills in. */
const MARKS = {
  keptColumns: '/* , kept columns */',
  cutColumns: '/* , cut columns */',
  keptNames: "ARRAY['kept names']",
  keptValues: "ARRAY['kept values']",
} as const;

/**
 * Fills the query in which a withdrawal cuts rows with the fields of the tracking plan: each is kept where one of its
 * purposes lives. One that the plan no longer has is collected for nothing, and goes. Throws where a mark is missing.
 */
export function withKeptFields(sql: string, config: PaulaConfig): string {
  const { fields } = config.trackingPlan;
  const columns = [
    ...Object.keys(STANDARD_FIELDS).filter((name) => STANDARD_FIELDS[name] !== 'products'),
    ...brandColumns(config).map(({ name }) => name),
  ];
  // A brand's field that has got a column stands in the properties of older rows.
  const properties = Object.keys(fields).filter(
    (name) => !(name in STANDARD_FIELDS) || fields[name]?.type === 'products',
  );
  const live = (table: string, name: string): string => anyOf(table, fields[name]?.purposes ?? []);
  const kept = (name: string, value: string): string =>
    `CASE WHEN element_at(r.properties, '${name}') IS NOT NULL AND (${live('r', name)}) THEN ARRAY[${value}] ELSE ARRAY[] END`;

  const filled: Readonly<Record<keyof typeof MARKS, string>> = {
    keptColumns: columns
      .map((name) => `, CASE WHEN ${live('k', name)} THEN k."${name}" END AS "${name}"`)
      .join('\n    '),
    cutColumns: columns.map((name) => `, "${name}" = s."${name}"`).join(''),
    keptNames: properties.map((name) => kept(name, `'${name}'`)).join(ALSO) || NONE,
    keptValues: properties.map((name) => kept(name, `element_at(r.properties, '${name}')`)).join(ALSO) || NONE,
  };
  let whole = sql;
  for (const [part, mark] of Object.entries(MARKS)) {
    if (!whole.includes(mark)) throw new Error(`the query has no ${mark}`);
    whole = whole.replace(mark, () => filled[part as keyof typeof MARKS]);
  }
  return whole;
}

/** Between the lists of a field each. No list begins with a bare ARRAY[], which would take a list for one of its entries. */
const ALSO = '\n        || ';
const NONE = "CASE WHEN false THEN ARRAY[''] ELSE ARRAY[] END";

const anyOf = (table: string, purposes: readonly Purpose[]): string =>
  PURPOSES.filter((purpose) => purposes.includes(purpose))
    .map((purpose) => `${table}.live_${purpose}`)
    .join(' OR ') || 'false';
