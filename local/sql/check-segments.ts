import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PaulaConfig, StageConfig } from '../../domain/config.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { buildPlan, literalsOf, parameterOf } from '../../domain/plan.ts';
import type { Segment } from '../../domain/sql-file.ts';
import { duckDbDdl, lakeTables } from '../../domain/tables.ts';
import { soundSegments } from '../../sql/sound-segments.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';
import { openLake } from '../lake.ts';

/**
 * Reads every segment and lets the engine look at each over an empty lake. Returns the faults, each as a compiler says it:
 * file, line, what is wrong and what to do; empty where all is well. `folder`: where the files are, else the repository's own.
 */
export async function checkSegments(
  config: PaulaConfig,
  stage: StageConfig,
  folder?: string,
): Promise<{ segments: number; faults: string[] }> {
  const { faults, ...texts } = soundSegments(readSqlTexts(folder), config);
  const scratch = mkdtempSync(join(tmpdir(), 'paula-sql-'));
  const tables = lakeTables(config);
  const lake = await openLake({ folder: scratch, objects: join(scratch, 'objects'), tables });
  try {
    for (const table of tables) if (table.kind === 'iceberg') await lake.run(duckDbDdl(table));
    for (const step of buildPlan({ config, stage, bucket: 'any', ...texts }))
      if (step.kind === 'statement' && step.id.startsWith('view-')) await lake.run(step.sql);
    for (const segment of texts.segments) {
      const fault = await faultOf(segment, stage, lake.rows);
      if (fault !== undefined) faults.push(fault);
    }
  } finally {
    lake.close();
    rmSync(scratch, { recursive: true });
  }
  return { segments: texts.segments.length, faults };
}

const AS_OF = new Date(0);

async function faultOf(
  segment: Segment,
  stage: StageConfig,
  rows: (sql: string) => Promise<Record<string, unknown>[]>,
): Promise<string | undefined> {
  const { file, sql, parameters, lines } = segment;
  const first = lines.sql ?? 1;
  const literals = literalsOf(
    parameters.map((name) => parameterOf(name, stage, segment)),
    AS_OF,
  );
  try {
    const columns = (await rows(`DESCRIBE ${bindPlaceholders(sql, literals)}`)).map((row) => String(row.column_name));
    if (columns.join() === 'profile_id') return undefined;
    return `${file}:${first}: selects ${columns.join(', ')}; a segment selects one column, profile_id`;
  } catch (error) {
    const { message } = error as Error;
    const line = Number(/^LINE (\d+):/m.exec(message)?.[1] ?? 1);
    const [said = '', ...more] = message
      .split('\n')
      .filter((text) => text.trim() !== '' && !/^(LINE |\s*\^)/.test(text));
    return `${file}:${first + line - 1}: ${[said, ...more].join(' ').trim()}`;
  }
}
