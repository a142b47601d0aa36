import { describe, expect, it } from '@jest/globals';
import { compareResults } from '../../conformance/sql/compare-rows.ts';

const columns = (duckdb: string, trino: string) => ({
  duckdb: [{ name: 'a', type: duckdb }],
  trino: [{ name: 'a', type: trino }],
});

function compare(types: ReturnType<typeof columns>, duckdb: unknown[], trino: unknown[]) {
  const rows = (values: unknown[]) => values.map((value) => [value]);
  return compareResults({ columns: types.duckdb, rows: rows(duckdb) }, { columns: types.trino, rows: rows(trino) });
}

const TEXT = columns('VARCHAR', 'varchar(7)');
const DOUBLE = columns('DOUBLE', 'double');

describe('compareResults', () => {
  it.each([
    ['texts in any order', TEXT, ['b', 'a', null], [null, 'a', 'b']],
    ['64-bit integers', columns('BIGINT', 'bigint'), ['7', null], [null, 7]],
    ['booleans', columns('BOOLEAN', 'boolean'), [true, false], [false, true]],
    ['amounts', columns('DECIMAL(18,4)', 'decimal(18, 4)'), ['-1.5000'], ['-1.5000']],
    ['times', columns('TIMESTAMP', 'timestamp(6)'), ['2026-01-01 00:00:00.007'], ['2026-01-01 00:00:00.007000']],
    ['whole seconds', columns('TIMESTAMP', 'timestamp(3)'), ['2026-01-01 00:00:00'], ['2026-01-01 00:00:00.000']],
    ['lists', columns('VARCHAR[]', 'array(varchar)'), [['b', 'a']], [['b', 'a']]],
    [
      'maps',
      columns('MAP(VARCHAR, VARCHAR)', 'map(varchar, varchar)'),
      [
        [
          { key: 'b', value: '1' },
          { key: 'a', value: null },
        ],
      ],
      [{ a: null, b: '1' }],
    ],
    ['floats that are close', DOUBLE, [1e9, 0.1, null], [0.6, 1e9 + 0.5, null]],
  ])('takes %s as equal and counts the rows', (_, types, duckdb, trino) => {
    expect(compare(types, duckdb, trino)).toEqual({ rows: duckdb.length, differences: [] });
  });

  it.each([
    ['a text', TEXT, ['a'], ['b'], ['only in DuckDB: ["a"]', 'only in Trino: ["b"]']],
    ['an empty text and NULL', TEXT, [''], [null], ['only in DuckDB: [""]', 'only in Trino: [null]']],
    ['a row twice', TEXT, ['a', 'a'], ['a'], ['only in DuckDB: ["a"]']],
    ['a row missing', TEXT, ['a'], ['a', 'b'], ['only in Trino: ["b"]']],
    [
      'a millisecond',
      columns('TIMESTAMP', 'timestamp(6)'),
      ['2026-01-01 00:00:00'],
      ['2026-01-01 00:00:00.001000'],
      ['only in DuckDB: ["2026-01-01 00:00:00.000000"]', 'only in Trino: ["2026-01-01 00:00:00.001000"]'],
    ],
    [
      'the last place of an amount',
      columns('DECIMAL(18,4)', 'decimal(18, 4)'),
      ['1.0001'],
      ['1.0000'],
      ['only in Trino: ["1.0000"]', 'only in DuckDB: ["1.0001"]'],
    ],
    ['the order of a list', columns('VARCHAR[]', 'array(varchar)'), [['b', 'a']], [['a', 'b']], expect.any(Array)],
    ['a float', DOUBLE, [1, 2], [1, 2.1], ['a: DuckDB 2, Trino 2.1 in []']],
    ['a float and NULL', DOUBLE, [null, 2], [1, 2], ['a: DuckDB null, Trino 1 in []']],
  ])('tells %s', (_, types, duckdb, trino, differences) => {
    expect(compare(types, duckdb, trino).differences).toEqual(differences);
    expect(compare(types, duckdb, trino).differences).not.toEqual([]);
  });

  it('tells types and names that differ, and does not compare their rows', () => {
    expect(compare(columns('DOUBLE', 'decimal(18, 4)'), [1], ['1.0000'])).toEqual({
      rows: 0,
      differences: ['columns: DuckDB has a double; Trino has a decimal(18,4)'],
    });
    expect(
      compareResults(
        { columns: [{ name: 'a', type: 'DATE' }], rows: [] },
        { columns: [{ name: 'b', type: 'date' }], rows: [] },
      ).differences,
    ).toHaveLength(1);
  });

  it('cuts a long list of differences', () => {
    const found = compare(TEXT, ['1', '2', '3', '4', '5', '6', '7'], []).differences;
    expect(found).toHaveLength(6);
    expect(found.at(-1)).toBe('and 2 more');
  });

  it('refuses an integer that JSON has rounded', () => {
    expect(() => compare(columns('BIGINT', 'bigint'), ['9007199254740992'], [2 ** 53])).toThrow('is no exact bigint');
  });
});
