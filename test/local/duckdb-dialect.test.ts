import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DIALECT_CASES } from '../../conformance/sql/dialect-cases.ts';
import { DIALECT } from '../../local/duckdb-dialect.ts';

let instance: DuckDBInstance;
let run: (sql: string) => Promise<unknown[][]>;

beforeAll(async () => {
  instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  for (const statement of DIALECT) await connection.run(statement);
  run = async (sql) => (await connection.runAndReadAll(sql)).getRowsJson();
});
afterAll(() => instance.closeSync());

const casesOf = (about: string) =>
  DIALECT_CASES[about]?.map(([expression, answer]) => [expression, answer] as const) ?? [];

const value = async (expression: string): Promise<unknown> => (await run(`SELECT ${expression}`))[0]?.[0];

describe('time', () => {
  it.each(casesOf('time'))('%s', async (expression, expected) => expect(await value(expression)).toEqual(expected));

  it('refuses units and letters that the two engines read differently', async () => {
    await expect(value("date_add('week', 1, TIMESTAMP '2026-01-01 00:00:00')")).rejects.toThrow('not in the subset');
    await expect(value("date_format(TIMESTAMP '2026-01-01 00:00:00', '%M')")).rejects.toThrow('in the subset');
    await expect(value("date_format(TIMESTAMP '2026-01-01 00:00:00', '%Y %i')")).rejects.toThrow();
  });
});

describe('numbers', () => {
  it.each(casesOf('numbers'))('%s', async (expression, expected) => expect(await value(expression)).toEqual(expected));
});

describe('NULL', () => {
  it.each(casesOf('NULL'))('%s', async (expression, expected) => expect(await value(expression)).toEqual(expected));

  it('sorts last, up and down', async () => {
    expect(await run('SELECT v FROM (VALUES (1), (NULL), (2)) AS t (v) ORDER BY v')).toEqual([[1], [2], [null]]);
    expect(await run('SELECT v FROM (VALUES (1), (NULL), (2)) AS t (v) ORDER BY v DESC')).toEqual([[2], [1], [null]]);
  });
});

describe('texts and hashes', () => {
  it.each(casesOf('texts and hashes'))('%s', async (expression, expected) =>
    expect(await value(expression)).toEqual(expected),
  );

  it('takes all matches of a pattern', async () => {
    expect(await value(`regexp_extract_all('a1b22', '[0-9]+')`)).toEqual(['1', '22']);
    expect(await value(`regexp_extract_all('ab', '[0-9]+')`)).toEqual([]);
    expect(await value("regexp_extract_all(CAST(NULL AS varchar), 'a')")).toEqual(null);
  });
});

describe('arrays, maps and JSON', () => {
  it.each(casesOf('arrays, maps and JSON'))('%s', async (expression, expected) =>
    expect(await value(expression)).toEqual(expected),
  );

  it('unfolds arrays beside their row, with their places', async () => {
    expect(
      await run(
        "SELECT x, v, n FROM (VALUES (1)) AS t (x) CROSS JOIN UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS u (v, n) ORDER BY n",
      ),
    ).toEqual([
      [1, 'a', '1'],
      [1, 'b', '2'],
    ]);
    expect(
      await run('SELECT n FROM (VALUES (1)) AS t (x) CROSS JOIN UNNEST(sequence(1, 3)) AS u (n) ORDER BY n'),
    ).toEqual([['1'], ['2'], ['3']]);
  });
});
