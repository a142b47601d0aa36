import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { asOfLiteral } from '../../domain/plan.ts';
import { parseQuery } from '../../domain/sql-file.ts';
import type { Report } from '../report.ts';
import type { BothLakes } from './both-lakes.ts';
import type { Tally } from './prove-lake.ts';

/** What stands for the parameters of files that another job than the plan runs: request ids as the generated records have them. */
const LITERALS: Readonly<Record<string, string>> = {
  sweep_hours: '24',
  request_ids: Array.from({ length: 30 }, (_, n) => `'request-${n}'`).join(', '),
};

/** A lookalike's file states what its statements are made of; `lookalike.ts` runs these. */
export const isLookalike = (file: string): boolean => file.startsWith('lookalikes/');

/** Every .sql file below a folder, by its path from there. */
export const sqlFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.replaceAll(sep, '/'))
    .sort();

/** Runs the files that are no step of the plan on both engines, as of a time, and compares what they select. */
export async function proveOtherFiles(
  report: Report,
  lakes: BothLakes,
  folder: string,
  asOf: Date,
  tally: Tally,
): Promise<void> {
  for (const file of sqlFiles(folder)) {
    if (tally.files.has(file) || isLookalike(file)) continue;
    const { rows, differences } = await runFile(lakes, folder, file, asOf);
    tally.rows.set(file, (tally.rows.get(file) ?? 0) + rows);
    if (differences.length > 0) report.fail(`${file}: ${differences.join('\n         ')}`, `sql/${file}`);
    else {
      tally.files.add(file);
      report.ok(`${file}: ran on both engines`, `${rows} rows selected`);
    }
  }
}

/** What two engines make of a file; what either of them refuses is a difference. */
async function runFile(lakes: BothLakes, folder: string, file: string, asOf: Date) {
  try {
    const { sql, parameters } = parseQuery(file, readFileSync(join(folder, file), 'utf8'));
    const literals = parameters.map((name) => {
      const literal = name === 'as_of' ? asOfLiteral(asOf) : LITERALS[name];
      if (literal === undefined) throw new Error(`parameter ${name} has no value in conformance/sql/other-files.ts`);
      return literal;
    });
    return await lakes.onBoth(bindPlaceholders(sql, literals));
  } catch (error) {
    return { rows: 0, differences: [(error as Error).message] };
  }
}
