import { describe, expect, it } from '@jest/globals';
import { outsideSubset } from '../../domain/sql-subset.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';

describe('the SQL subset', () => {
  it('holds every file of the platform', () => {
    const { queries, segments } = readSqlTexts();
    expect(queries.length + segments.length).toBeGreaterThan(12);
    for (const { sql } of [...queries, ...segments]) expect(outsideSubset(sql, 1)).toEqual([]);
  });

  it.each([
    ['DROP TABLE events', 'only SELECT'],
    ['CREATE TABLE t AS SELECT 1', 'only SELECT'],
    ['OPTIMIZE events REWRITE DATA USING BIN_PACK', 'only SELECT'],
    ['SELECT avg(value) FROM t', 'avg() is not in the subset'],
    ['SELECT AVG (value) FROM t', 'avg() is not in the subset'],
    ['SELECT approx_distinct(a) FROM t', 'approx_distinct() is not in the subset'],
    ['SELECT a / b FROM t', 'write CAST(x AS double) / y'],
    ['SELECT sum(a) / 2 FROM t', 'write CAST(x AS double) / y'],
    ['SELECT CAST(occurred_at AS varchar) FROM t', 'CAST to varchar is not in the subset'],
    ['SELECT coalesce(try_cast(lower(a) AS timestamp), b) FROM t', 'CAST to timestamp is not in the subset'],
    ['SELECT a::bigint FROM t', 'write CAST(x AS type)'],
    ['SELECT current_timestamp', 'SQL never asks for the time'],
    ['SELECT CURRENT_DATE', 'SQL never asks for the time'],
    ["SELECT a + INTERVAL '1' DAY FROM t", 'use date_add'],
    ['SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1', 'Athena does not know it'],
    ['SELECT 1; DELETE FROM t', 'a file holds one statement'],
    ['SELECT round(a) FROM t', 'round() is not in the subset: use one of those listed in domain/sql-subset.ts'],
    [
      'SELECT any_match(a, x -> x = 1) FROM t',
      'any_match() is not in the subset: it takes a lambda; CROSS JOIN UNNEST',
    ],
    ['SELECT Any_Value (a) FROM t', 'any_value() is not in the subset: Trino got it after'],
    ['SELECT json_value(a) FROM t', 'json_value() is not in the subset: use json_extract_scalar'],
    ['SELECT a FROM TABLE(exclude_columns(t)) AS x', 'table() is not in the subset: Athena has no table functions'],
    ['SELECT coalesce(x -> y) FROM t', '->: no lambda is in the subset'],
    ['WITH RECURSIVE r (a) AS (SELECT 1) SELECT a FROM r', 'WITH RECURSIVE: Athena documents no recursion'],
    ['WITH FUNCTION f RETURN 1 SELECT 1', 'WITH FUNCTION: Athena’s functions are built in'],
    ['SELECT a, count(*) FROM t GROUP BY AUTO', 'GROUP BY AUTO: Athena does not know it; name the columns'],
    ['SELECT a FROM t UNION ALL CORRESPONDING SELECT a FROM u', 'CORRESPONDING: Athena does not know it'],
    ['SELECT a FROM t CROSS JOIN LATERAL (SELECT 1 AS b) AS u', 'LATERAL: Athena documents UNNEST alone'],
    ['SELECT a FROM t FETCH FIRST 5 ROWS ONLY', 'FETCH FIRST: Athena documents LIMIT alone'],
    [
      'MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED BY SOURCE THEN DELETE',
      'MATCHED BY SOURCE: Athena’s MERGE does not know it',
    ],
    ['CREATE OR REPLACE VIEW v SECURITY INVOKER AS SELECT a FROM t', 'leave the options out'],
    ['SELECT 1_000', '1_000: write the number in decimal digits'],
    ['SELECT 0xff', '0xff: write the number in decimal digits'],
  ])('refuses %s', (sql, rule) => {
    expect(outsideSubset(sql, 3).map((line) => line.replace(/^3: /, ''))[0]).toContain(rule);
  });

  it.each([
    'SELECT \'now()\', "avg(x)" FROM t -- avg(x) / 2\n/* CAST(a AS varchar) */',
    'WITH recent AS (SELECT a FROM t) SELECT CAST(sum(a) AS double) / 2 FROM recent AS r (a)',
    'INSERT INTO t (a, b) VALUES (1, 2)',
    'CREATE OR REPLACE VIEW v AS SELECT a, 10.5 AS b FROM t ORDER BY source',
    'SELECT max(a) FILTER (WHERE b IN (1, 2)) FROM t CROSS JOIN UNNEST(c) WITH ORDINALITY AS n (d, e)',
    'SELECT CAST(max(a) AS decimal(18, 4)) AS varchar FROM t',
  ])('takes %s', (sql) => {
    expect(outsideSubset(sql, 1)).toEqual([]);
  });
});
