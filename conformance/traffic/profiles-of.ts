import { SK } from '../../domain/items.ts';
import { compareStates, type MASKS } from '../../local/kill-test/compare-states.ts';
import { itemRows, type Row } from '../../local/kill-test/item-rows.ts';
import type { StoryRun } from '../story/run-story.ts';
import { retold } from './retold.ts';
import type { Stores } from './stores.ts';

/** All items of a run by table, told in the words of its story. */
export type ProfileTables = ReadonlyMap<string, readonly Row[]>;

/** The sort keys of table `profiles`; those of table `consents` are data. */
const KINDS: ReadonlySet<unknown> = new Set(Object.values(SK));

/** Reads every profile, link, list of audiences, receipt and audience of a platform on which a story was run. */
export async function profilesOf({ dynamodb, tables }: Stores, run: StoryRun): Promise<ProfileTables> {
  const found = new Map<string, Row[]>();
  for (const [table, name] of Object.entries(tables))
    for await (const row of itemRows(dynamodb, name)) {
      const kind = KINDS.has(row.sk) ? `paula-${table}/${row.sk}` : `paula-${table}`;
      const rows = found.get(kind);
      if (rows) rows.push(row);
      else found.set(kind, [row]);
    }
  return retold(found, run);
}

/** All that is not compared: where in the stream a record stood, and how often a profile was written. */
export const NOT_COMPARED: typeof MASKS = [
  { table: 'paula-profiles/profile', field: 'applied', reason: 'shard and sequence number' },
  { table: 'paula-profiles/profile', field: 'v', reason: 'item version' },
];

export type ProfileComparison = {
  items: number;
  /** Values compared: texts, numbers and so on, in lists and maps each by itself. */
  fields: number;
  different: number;
  /** The first differences, each with its item and fields. */
  differences: readonly string[];
};

/** Compares the items of two runs of the same story field by field. */
export function compareProfiles(a: ProfileTables, b: ProfileTables): ProfileComparison {
  const { counts, different, first } = compareStates(a, b, NOT_COMPARED);
  let fields = 0;
  for (const [table, rows] of a) {
    const left = new Set(NOT_COMPARED.filter((mask) => mask.table === table).map(({ field }) => field));
    for (const row of rows)
      for (const [name, value] of Object.entries(row)) if (!left.has(name)) fields += leavesOf(value);
  }
  return {
    items: [...counts.values()].reduce((sum, [count]) => sum + count, 0),
    fields,
    different,
    differences: first.map(({ table, key, what }) => `${table} ${key}: ${what}`),
  };
}

function leavesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, each) => sum + leavesOf(each), 0);
}
