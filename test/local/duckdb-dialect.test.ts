import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DIALECT } from '../../local/duckdb-dialect.ts';

/**
 * What Trino (Athena engine version 3) answers, from its documentation: "Date and time functions and operators",
 * "JSON functions and operators", "Conditional expressions", "Comparison functions and operators", "Aggregate functions".
 */
let instance: DuckDBInstance;
let run: (sql: string) => Promise<unknown[][]>;

beforeAll(async () => {
  instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  for (const statement of DIALECT) await connection.run(statement);
  run = async (sql) => (await connection.runAndReadAll(sql)).getRowsJson();
});
afterAll(() => instance.closeSync());

const value = async (expression: string): Promise<unknown> => (await run(`SELECT ${expression}`))[0]?.[0];

describe('time', () => {
  it.each([
    ["date_diff('day', TIMESTAMP '2026-01-01 23:00:00', TIMESTAMP '2026-01-02 01:00:00')", '0'],
    ["date_diff('day', TIMESTAMP '2026-01-01 23:00:00', TIMESTAMP '2026-01-02 23:00:00')", '1'],
    ["date_diff('hour', TIMESTAMP '2026-01-01 23:59:59', TIMESTAMP '2026-01-02 01:00:00')", '1'],
    ["date_diff('second', TIMESTAMP '2026-01-01 00:00:01.500', TIMESTAMP '2026-01-01 00:00:00')", '-1'],
    ["date_diff('month', TIMESTAMP '2026-01-31 00:00:00', TIMESTAMP '2026-03-01 00:00:00')", '1'],
    ["date_add('day', -8, TIMESTAMP '2026-03-01 12:00:00.007')", '2026-02-21 12:00:00.007'],
    ["date_add('second', -5, TIMESTAMP '2026-01-01 00:00:00')", '2025-12-31 23:59:55'],
    ["date_add('hour', 25, TIMESTAMP '2026-03-28 23:30:00')", '2026-03-30 00:30:00'],
    ["CAST(date_add('day', -1, TIMESTAMP '2026-03-01 23:59:59.999') AS date)", '2026-02-28'],
    ["date_trunc('day', TIMESTAMP '2026-03-01 23:59:59.999')", '2026-03-01 00:00:00'],
    ["date_trunc('week', TIMESTAMP '2026-11-29 10:00:00')", '2026-11-23 00:00:00'],
    ["date_format(TIMESTAMP '2026-03-01 09:05:00', '%Y-%m-%d')", '2026-03-01'],
    ["date_format(TIMESTAMP '2026-03-01 09:05:00', '%H')", '09'],
    ["TIMESTAMP '2026-03-29 02:30:00' > TIMESTAMP '2026-03-29 02:29:59.999'", true],
    ["date_add('day', 1, CAST(NULL AS timestamp))", null],
  ])('%s', async (expression, expected) => expect(await value(expression)).toEqual(expected));

  it('refuses units and letters that the two engines read differently', async () => {
    await expect(value("date_add('week', 1, TIMESTAMP '2026-01-01 00:00:00')")).rejects.toThrow('not in the subset');
    await expect(value("date_format(TIMESTAMP '2026-01-01 00:00:00', '%M')")).rejects.toThrow('in the subset');
    await expect(value("date_format(TIMESTAMP '2026-01-01 00:00:00', '%Y %i')")).rejects.toThrow();
  });
});

describe('numbers', () => {
  it.each([
    ['7 / 2', 3],
    ['-7 / 2', -3],
    ['CAST(7 AS double) / 2', 3.5],
    ['7 % 3', 1],
    ['-7 % 3', -1],
    ["CAST('1.2345' AS decimal(18, 4)) + CAST('0.0001' AS decimal(18, 4))", '1.2346'],
    ['(SELECT sum(v) FROM (VALUES (CAST(0.1 AS decimal(18, 4))), (CAST(0.2 AS decimal(18, 4)))) AS t (v))', '0.3000'],
    ["CAST('12' AS bigint)", '12'],
    ["try_cast('x' AS bigint)", null],
  ])('%s', async (expression, expected) => expect(await value(expression)).toEqual(expected));
});

describe('NULL', () => {
  it.each([
    ['greatest(1, NULL)', null],
    ['least(NULL, 1)', null],
    ['greatest(1, 2)', 2],
    ['least(1, 2)', 1],
    ["greatest(TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-02 00:00:00')", '2026-01-02 00:00:00'],
    ["'a' || NULL", null],
    ['nullif(1, 1)', null],
    ['coalesce(NULL, 2)', 2],
    ['(SELECT count_if(v) FROM (VALUES (CAST(NULL AS boolean))) AS t (v))', '0'],
    ['(SELECT count_if(v) FROM (VALUES (true), (false), (NULL)) AS t (v))', '1'],
    ['(SELECT count_if(v) FROM (VALUES (true)) AS t (v) WHERE false)', '0'],
    ['(SELECT sum(v) FROM (VALUES (1)) AS t (v) WHERE false)', null],
    ["(SELECT max_by(x, y) FROM (VALUES ('a', 1), (NULL, 2)) AS t (x, y))", null],
    ["(SELECT max_by(x, y) FROM (VALUES ('a', 1), ('b', NULL)) AS t (x, y))", 'a'],
    ["contains(ARRAY['a'], 'b')", false],
    ["contains(CAST(NULL AS varchar[]), 'b')", null],
    ['cardinality(CAST(NULL AS varchar[]))', null],
    ['lower(to_hex(sha256(to_utf8(CAST(NULL AS varchar)))))', null],
  ])('%s', async (expression, expected) => expect(await value(expression)).toEqual(expected));

  it('sorts last, up and down', async () => {
    expect(await run('SELECT v FROM (VALUES (1), (NULL), (2)) AS t (v) ORDER BY v')).toEqual([[1], [2], [null]]);
    expect(await run('SELECT v FROM (VALUES (1), (NULL), (2)) AS t (v) ORDER BY v DESC')).toEqual([[2], [1], [null]]);
  });
});

describe('texts and hashes', () => {
  it.each([
    // FIPS 180-4, the message "abc".
    ["to_hex(sha256(to_utf8('abc')))", 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD'],
    ["lower(to_hex(sha256(to_utf8('')))) = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'", true],
    ["to_hex(to_utf8('ü'))", 'C3BC'],
    ["length('Größe')", '5'],
    ["substr('abc', 2)", 'bc'],
    ["substr('abc', 1, 2)", 'ab'],
    ["lower('ÄB')", 'äb'],
    ["'a' < 'B'", false],
  ])('%s', async (expression, expected) => expect(await value(expression)).toEqual(expected));

  it('takes all matches of a pattern', async () => {
    expect(await value(`regexp_extract_all('a1b22', '[0-9]+')`)).toEqual(['1', '22']);
    expect(await value(`regexp_extract_all('ab', '[0-9]+')`)).toEqual([]);
    expect(await value("regexp_extract_all(CAST(NULL AS varchar), 'a')")).toEqual(null);
  });
});

describe('arrays, maps and JSON', () => {
  it.each([
    ["element_at(MAP(ARRAY['a'], ARRAY['x']), 'a')", 'x'],
    ["element_at(MAP(ARRAY['a'], ARRAY['x']), 'b')", null],
    ['cardinality(ARRAY[1, 2])', '2'],
    [`json_extract_scalar('{"a":"x"}', '$.a')`, 'x'],
    [`json_extract_scalar('{"a":2}', '$.a')`, '2'],
    [`json_extract_scalar('{"a":true}', '$.a')`, 'true'],
    [`json_extract_scalar('{"a":null}', '$.a')`, null],
    [`json_extract_scalar('{"a":{"b":1}}', '$.a')`, null],
    [`json_extract_scalar('{"a":[1]}', '$.a')`, null],
    [`json_extract_scalar('{"a":1}', '$.b')`, null],
    [`json_extract_scalar('no json', '$.a')`, null],
    [`json_extract_scalar('{"a":"\\u00fc \\"q\\""}', '$.a')`, 'ü "q"'],
    ["json_array_length('[1, 2]')", '2'],
    ["json_array_length('[]')", '0'],
    [`json_array_length('{"a":1}')`, null],
    ["json_array_length('no json')", null],
    ['json_array_length(CAST(NULL AS varchar))', null],
    [`json_extract_scalar(json_array_get('[{"a":"x"},{"a":"y"}]', 1), '$.a')`, 'y'],
    [`json_array_get('[1]', 5)`, null],
    [`json_array_get('{"a":1}', 0)`, null],
  ])('%s', async (expression, expected) => expect(await value(expression)).toEqual(expected));

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
