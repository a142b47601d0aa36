import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QUERY_FILES } from '../domain/plan.ts';
import { parseQuery, parseSegment, type Query, type Segment } from '../domain/sql-file.ts';

/** Reads the plan's queries and every `segments/ID.sql` from the folder of this file, or from another of the same shape. */
export function readSqlTexts(folder: string = import.meta.dirname): { queries: Query[]; segments: Segment[] } {
  const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const segmentFiles = readdirSync(join(folder, 'segments'))
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return {
    queries: QUERY_FILES.map((file) => parseQuery(file, text(file))),
    segments: segmentFiles.map((name) => parseSegment(`segments/${name}`, text(`segments/${name}`))),
  };
}
