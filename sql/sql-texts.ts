import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QUERY_FILES } from '../domain/plan.ts';
import { parseQuery, parseSegment, type Query, type Segment } from '../domain/sql-file.ts';

/** `faults`: of each segment that cannot be read and so is not among `segments`, its file, line and what to do. */
export type SqlTexts = { queries: Query[]; segments: Segment[]; faults: string[] };

/** Reads the plan's queries and every `segments/ID.sql` from the folder of this file, or from another of the same shape. */
export function readSqlTexts(folder: string = import.meta.dirname): SqlTexts {
  const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const segmentFiles = readdirSync(join(folder, 'segments'))
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const segments: Segment[] = [];
  const faults: string[] = [];
  for (const name of segmentFiles)
    try {
      segments.push(parseSegment(`segments/${name}`, text(`segments/${name}`)));
    } catch (error) {
      faults.push(...(error as Error).message.split('\n'));
    }
  return { queries: QUERY_FILES.map((file) => parseQuery(file, text(file))), segments, faults };
}
