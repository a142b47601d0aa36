import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLookalike } from '../../domain/lookalike-file.ts';
import { parseQuery, parseSegment } from '../../domain/sql-file.ts';
import type { Report } from '../report.ts';
import { sqlFiles } from './other-files.ts';

/**
 * Reads every .sql file below a folder, which refuses what Athena does not document or DuckDB reads otherwise. A complaint
 * names its file and line, what is wrong and what to do. False where there was any.
 */
export function proveSubset(report: Report, folder: string): boolean {
  const { failed } = report.counts;
  const files = sqlFiles(folder);
  for (const file of files)
    for (const complaint of complaintsOf(folder, file)) {
      const [, place = file, rule = complaint] = /^([^:]+:\d+): (.*)$/.exec(complaint) ?? [];
      report.fail(rule, `sql/${place}`);
    }
  if (report.counts.failed > failed) return false;
  report.ok('every .sql file', `${files.length} files`);
  return true;
}

function complaintsOf(folder: string, file: string): string[] {
  try {
    const text = readFileSync(join(folder, file), 'utf8');
    if (file.startsWith('segments/')) parseSegment(file, text);
    else if (file.startsWith('lookalikes/')) parseLookalike(file, text);
    else parseQuery(file, text);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}
