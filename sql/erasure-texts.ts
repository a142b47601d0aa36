import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PaulaConfig } from '../domain/config.ts';
import { erasureFiles } from '../domain/erasure.ts';
import { parseQuery, type Query, type Segment } from '../domain/sql-file.ts';
import { readSqlTexts } from './sql-texts.ts';

/** Reads the queries of the rights job, and the segments, whose texts an access bundle tells. */
export function readErasureTexts(config: PaulaConfig): { queries: Query[]; segments: Segment[] } {
  const queries = erasureFiles(config).map((file) =>
    parseQuery(file, readFileSync(join(import.meta.dirname, file), 'utf8')),
  );
  return { queries, segments: readSqlTexts().segments };
}
