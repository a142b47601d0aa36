import type { Step } from '../../domain/plan.ts';
import type { Report } from '../report.ts';
import { type BothLakes, StepFailed } from './both-lakes.ts';
import type { Comparison } from './compare-rows.ts';

/** What has been shown so far, over all lakes. */
export type Tally = {
  /** Rows compared, by table, view or unloaded result. */
  rows: Map<string, number>;
  /** Files below `sql/` whose statements ran on both engines. */
  files: Set<string>;
  /** Bytes of table `events` that each step of the measured run read on Trino. */
  eventsBytes: Map<string, number>;
};

export const VIEWS = ['withdrawals', 'live_links', 'profile_events', 'profile_history', 'order_lines'];

/**
 * Runs the plan as of a time on both engines and compares what each unloads and every Iceberg table after it. False where
 * a statement failed or a row differs. The bytes of `events` are looked up where the run is `measured`: Trino tells them
 * with all that it knows of a query, which costs as much as a small query.
 */
export async function provePlan(
  report: Report,
  lakes: BothLakes,
  asOf: Date,
  tally: Tally,
  measured = false,
): Promise<boolean> {
  const at = `as of ${asOf.toISOString().slice(0, 16)}`;
  const { failed } = report.counts;
  let statements = 0;
  try {
    for await (const { step, queries, compared } of lakes.runPlan(asOf)) {
      if (step.kind !== 'publish') statements++;
      for (const file of filesOf(step, lakes)) tally.files.add(file);
      if (measured) tally.eventsBytes.set(step.id, await lakes.bytesRead(queries, 'events'));
      if (compared) tell(report, `${at}: ${step.id}`, step.id, compared, placeOf(step, lakes), tally);
    }
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    report.fail(`${at}: ${error.step.id}: ${error.message}`, placeOf(error.step, lakes));
    return false;
  }
  report.ok(`${at}: every statement ran on both engines`, `${statements} statements`);
  const tables = lakes.tables.filter(({ kind }) => kind === 'iceberg').map(({ name }) => name);
  await proveTables(report, lakes, tables, at, tally);
  return report.counts.failed === failed;
}

/** Compares all rows of tables and views, and tells the numbers in one line. */
export async function proveTables(
  report: Report,
  lakes: BothLakes,
  names: readonly string[],
  when: string,
  tally: Tally,
): Promise<void> {
  const seen: string[] = [];
  for (const name of names) {
    const compared = await lakes.compareTable(name);
    const place = lakes.plan.find((step) => step.kind === 'statement' && writes(step.sql, name));
    if (note(report, `${when}: ${name}`, name, compared, place ? placeOf(place, lakes) : 'domain/tables.ts', tally))
      seen.push(`${name} ${compared.rows}`);
  }
  report.ok(`${when}: rows are the same`, seen.join(', '));
}

/** Whether a statement makes a view or writes into a table. */
const writes = (sql: string, name: string): boolean =>
  new RegExp(`^(?:MERGE INTO|INSERT INTO|CREATE OR REPLACE VIEW) ${name}\\b`).test(sql);

function tell(...args: Parameters<typeof note>): void {
  const [report, check, , compared] = args;
  if (note(...args)) report.ok(check, `${compared.rows} rows are the same`);
}

/** Counts what was compared; fails the check where anything differs. */
function note(
  report: Report,
  check: string,
  name: string,
  { rows, differences }: Comparison,
  place: string,
  tally: Tally,
): boolean {
  tally.rows.set(name, (tally.rows.get(name) ?? 0) + rows);
  if (differences.length === 0) return true;
  report.fail(`${check}: ${differences.join('\n         ')}`, place);
  return false;
}

/** The files that a step's statement was made of. */
function filesOf(step: Step, { texts }: BothLakes): string[] {
  if (step.kind !== 'statement' && step.kind !== 'unload') return [];
  // Brand columns and a segment's SELECT are put in place of a comment.
  const query = texts.queries.find(({ sql }) => step.sql.startsWith(sql.split('/*', 1)[0] ?? sql));
  const segment = texts.segments.find(({ sql }) => step.sql.includes(sql));
  return [query, segment].flatMap((text) => (text ? [text.file] : []));
}

function placeOf(step: Step, lakes: BothLakes): string {
  const files = filesOf(step, lakes).map((file) => `sql/${file}`);
  return files.length > 0 ? files.join(' and ') : `domain/tables.ts (step ${step.id})`;
}
