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
  ])('refuses %s', (sql, rule) => {
    expect(outsideSubset(sql, 3).map((line) => line.replace(/^3: /, ''))[0]).toContain(rule);
  });

  it.each([
    'SELECT \'now()\', "avg(x)" FROM t -- avg(x) / 2\n/* CAST(a AS varchar) */',
    'WITH recent AS (SELECT a FROM t) SELECT CAST(sum(a) AS double) / 2 FROM recent AS r (a)',
    'INSERT INTO t (a, b) VALUES (1, 2)',
    'SELECT max(a) FILTER (WHERE b IN (1, 2)) FROM t CROSS JOIN UNNEST(c) WITH ORDINALITY AS n (d, e)',
    'SELECT CAST(max(a) AS decimal(18, 4)) AS varchar FROM t',
  ])('takes %s', (sql) => {
    expect(outsideSubset(sql, 1)).toEqual([]);
  });
});
