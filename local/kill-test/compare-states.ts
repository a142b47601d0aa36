import { comparable } from './comparable-state.ts';
import type { Row } from './item-rows.ts';
import type { StateRows } from './state-rows.ts';

/** Why two runs that lose and double nothing may still differ in a field. */
export type MaskReason = 'receipt time' | 'ttl' | 'shard and sequence number' | 'item version';

/** A field that is not compared. */
type Mask = { table: string; field: string; reason: MaskReason };

const mask = (reason: MaskReason, table: string, ...fields: string[]): Mask[] =>
  fields.map((field) => ({ table, field, reason }));

/**
 * All that is not compared. Object keys, which the shard and the sequence numbers make, are in no table; times in
 * `segment_members`, `audience_history` and the control items are the plan's `as_of` and are compared.
 */
export const MASKS: readonly Mask[] = [
  ...mask('receipt time', 'paula-profiles/profile', 'lastReceivedDay'),
  ...mask('receipt time', 'paula-profiles/link', 'since'),
  ...mask('receipt time', 'paula-consents', 'given_at', 'expires_at'),
  ...mask('receipt time', 'lake events', 'received_at', 'received_day'),
  ...mask('receipt time', 'lake links', 'since', 'removed_at'),
  ...mask('receipt time', 'lake consents', 'given_at', 'expires_at'),
  ...mask('receipt time', 'lake erasures', 'erased_at'),
  ...mask('receipt time', 'lake rejected', 'received_at'),
  ...mask('receipt time', 'lake profile_days', 'day', 'first_received_at', 'last_received_at'),
  ...mask('receipt time', 'lake profile_days', 'unpersonalised_at', 'unactivated_at'),
  ...mask('receipt time', 'lake profile_subjects', 'counts_from', 'mail_counts_from', 'erased_at'),
  ...mask('receipt time', 'lake profile_purposes', 'expires_at'),
  ...mask('ttl', 'paula-profiles/profile', 'ttl'),
  ...mask('ttl', 'paula-profiles/link', 'ttl'),
  ...mask('ttl', 'paula-consents', 'ttl'),
  ...mask('shard and sequence number', 'paula-profiles/profile', 'applied'),
  ...mask('shard and sequence number', 'lake events', 'shard', 'sequence_number'),
  ...mask('shard and sequence number', 'lake rejected', 'shard', 'sequence_number'),
  ...mask('item version', 'paula-profiles/profile', 'v'),
];

/** The fields that tell the rows of a table apart; a table that is not named here is told apart by all of its fields. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  'paula-profiles/profile': ['pk'],
  'paula-profiles/link': ['pk'],
  'paula-profiles/audiences': ['pk'],
  'paula-profiles/bought': ['pk'],
  'paula-consents': ['pk', 'sk'],
  'paula-control': ['pk'],
  'lake events': ['event_id'],
  'lake links': ['device_id', 'person_id', 'receipt_id'],
  'lake consents': ['subject', 'receipt_id'],
  'lake segment_members': ['segment_id', 'profile_id'],
  'lake audience_history': ['segment_id', 'as_of'],
};

export type Difference = { table: string; key: string; what: string };

export type Comparison = {
  /** Rows compared, by table, in the first state and in the second. */
  counts: ReadonlyMap<string, readonly [number, number]>;
  /** How many rows differ, and the first of them. */
  different: number;
  first: readonly Difference[];
};

/** Differences that are told in full; more than these seldom say more. */
const TOLD = 10;

/** Compares two states item by item and row by row, but for `masks`. */
export function compareStates(a: StateRows, b: StateRows, masks: readonly Mask[] = MASKS): Comparison {
  const counts = new Map<string, readonly [number, number]>();
  const first: Difference[] = [];
  let different = 0;
  const [left, right] = [comparable(a), comparable(b)];
  for (const table of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const [rowsA, rowsB] = [left.get(table) ?? [], right.get(table) ?? []];
    counts.set(table, [a.get(table)?.length ?? 0, b.get(table)?.length ?? 0]);
    const masked = new Set(masks.filter((each) => each.table === table).map(({ field }) => field));
    const [groupsA, groupsB] = [grouped(table, rowsA, masked), grouped(table, rowsB, masked)];
    for (const key of new Set([...groupsA.keys(), ...groupsB.keys()])) {
      const what = differenceOf(groupsA.get(key) ?? [], groupsB.get(key) ?? []);
      if (what === undefined) continue;
      different += 1;
      if (first.length < TOLD) first.push({ table, key, what });
    }
  }
  return { counts, different, first };
}

/** Rows by key, each without its masked fields; a key that occurs twice has two. */
function grouped(table: string, rows: readonly Row[], masked: ReadonlySet<string>): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const compared = Object.fromEntries(Object.entries(row).filter(([name]) => !masked.has(name)));
    const key = JSON.stringify((KEYS[table] ?? Object.keys(compared)).map((name) => compared[name] ?? null));
    const group = groups.get(key);
    if (group) group.push(compared);
    else groups.set(key, [compared]);
  }
  return groups;
}

function differenceOf(a: readonly Row[], b: readonly Row[]): string | undefined {
  if (a.length !== b.length) return `${a.length} in the first, ${b.length} in the second`;
  const [textsA, textsB] = [a.map(textOf).sort(), b.map(textOf).sort()];
  if (textsA.every((text, i) => text === textsB[i])) return undefined;
  const [rowA = {}, rowB = {}] = [a[0], b[0]];
  const fields = [...new Set([...Object.keys(rowA), ...Object.keys(rowB)])].filter(
    (name) => textOf(rowA[name]) !== textOf(rowB[name]),
  );
  return fields.map((name) => `${name}: ${short(rowA[name])} is not ${short(rowB[name])}`).join('; ');
}

/** JSON with an object's fields by name: their order says nothing. */
const textOf = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([nameA], [nameB]) => (nameA < nameB ? -1 : 1)))
      : inner,
  );

const SHORT = 300;
const short = (value: unknown): string => {
  const text = textOf(value);
  return text.length > SHORT ? `${text.slice(0, SHORT)}… (${text.length} characters)` : text;
};
