import { expect, it } from '@jest/globals';
import { athenaStatement, columnType } from '../../conformance/deploy/athena-statement.ts';
import { stageOf } from '../../domain/config.ts';
import { buildErasure } from '../../domain/erasure.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { buildPlan, literalsOf } from '../../domain/plan.ts';
import { addColumnDdl, lakeTables, tableOf } from '../../domain/tables.ts';
import config from '../../paula.config.ts';
import { readErasureTexts } from '../../sql/erasure-texts.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';

const tables = lakeTables(config);
const plan = buildPlan({ config, stage: stageOf(config, 'dev'), bucket: 'lake', ...readSqlTexts() });

it('reads every statement of the plan', () => {
  const asOf = new Date('2026-11-24T12:00:00Z');
  const kinds = plan.flatMap((step) => {
    if (step.kind === 'publish') return [];
    if (step.kind === 'create_table' || step.kind === 'add_column') return [athenaStatement(step.sql).kind];
    const sql = bindPlaceholders(step.sql, literalsOf(step.parameters, asOf));
    const text = step.kind === 'unload' ? `UNLOAD (${sql}) TO 's3://lake/unload/x/' WITH (format = 'JSON')` : sql;
    return [athenaStatement(text).kind];
  });
  expect(kinds).toHaveLength(plan.filter(({ kind }) => kind !== 'publish').length);
  expect(new Set(kinds)).toEqual(new Set(['create_table', 'add_columns', 'change', 'unload']));
});

it('reads the columns of a table out of its DDL', () => {
  for (const step of plan) {
    if (step.kind !== 'create_table') continue;
    const statement = athenaStatement(step.sql);
    expect(statement).toMatchObject({ table: step.table, columns: tableOf(tables, step.table).columns });
  }
});

it('reads columns that are added, of every type', () => {
  const events = tableOf(tables, 'events');
  const types = ['text', 'integer', 'bigint', 'boolean', 'decimal', 'timestamp', 'date', 'double', 'texts', 'text_map'];
  for (const type of types) {
    const column = { name: 'added', type: type as ReturnType<typeof columnType> };
    const expected = { kind: 'add_columns', table: 'events', columns: [column] };
    expect(athenaStatement(addColumnDdl(events, column))).toEqual(expected);
  }
  expect(athenaStatement('ALTER TABLE t ADD COLUMNS (`a` decimal(18,4), `b` string)')).toMatchObject({
    columns: [
      { name: 'a', type: 'decimal' },
      { name: 'b', type: 'text' },
    ],
  });
});

it('takes an unload apart', () => {
  expect(athenaStatement("UNLOAD (SELECT (1)) TO 's3://lake/unload/a/' WITH (format = 'JSON')")).toEqual({
    kind: 'unload',
    select: 'SELECT (1)',
    location: 's3://lake/unload/a/',
  });
});

it('reads every statement of the rights job', () => {
  const steps = buildErasure({ config, stage: stageOf(config, 'dev'), bucket: 'lake', ...readErasureTexts(config) });
  const kinds = steps.flatMap((step) => {
    if (step.kind === 'call') return [];
    if (step.kind === 'maintain') return [athenaStatement(step.sql).kind];
    const sql = bindPlaceholders(step.sql, literalsOf(step.parameters, new Date('2026-11-24T12:00:00Z')));
    const text = step.kind === 'unload' ? `UNLOAD (${sql}) TO 's3://lake/unload/x/' WITH (format = 'JSON')` : sql;
    return [athenaStatement(text).kind];
  });
  expect(new Set(kinds)).toEqual(new Set(['change', 'unload', 'housekeeping', 'unload_files']));
});

it('refuses forms and types that the plan does not have', () => {
  for (const sql of [
    'DROP TABLE events',
    'MSCK REPAIR TABLE t',
    "UNLOAD (SELECT 1) TO 's3://a/' WITH (format = 'ORC')",
  ])
    expect(() => athenaStatement(sql)).toThrow('form');
  expect(() => columnType('struct<a:int>')).toThrow('struct<a:int>');
});
