/**
 * What makes DuckDB answer as Athena (Trino) does, for the functions that `sql/` may use. A macro stands where DuckDB
 * lacks the function or has one of that name that answers otherwise; `system.main` names DuckDB's own. What is in neither
 * this list nor the tested allow-list of the .sql files is not portable.
 */
const MACROS: readonly string[] = [
  // Complete units: from 23:00 to 01:00 no day has passed. DuckDB's own counts boundaries.
  'date_diff(unit, a, b) AS date_sub(unit, a, b)',
  `date_add(unit, n, t) AS CASE unit
     WHEN 'day' THEN t + to_days(n) WHEN 'hour' THEN t + to_hours(n)
     WHEN 'minute' THEN t + to_minutes(n) WHEN 'second' THEN t + to_seconds(n)
     ELSE error('date_add of this unit is not in the subset') END`,
  // MySQL's letters, of which %Y %m %d %H mean the same to both; the others are refused.
  `date_format(t, format) AS CASE
     WHEN regexp_matches(format, '%[^YmdH]') THEN error('date_format knows %Y %m %d %H in the subset')
     ELSE strftime(t, format) END`,
  'to_utf8(text) AS encode(text)',
  'to_hex(bytes) AS hex(bytes)',
  // Bytes, where DuckDB's own gives hexadecimal text.
  'sha256(bytes) AS from_hex(system.main.sha256(bytes))',
  // NULL as soon as one of them is; DuckDB's own skip it.
  'greatest(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN a > b THEN a ELSE b END',
  'least(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN a < b THEN a ELSE b END',
  // 0 where none is true; DuckDB's own gives NULL where all are NULL.
  'count_if(x) AS count(CASE WHEN x THEN 1 END)',
  // The value at the highest y even where it is NULL.
  'max_by(x, y) AS arg_max_null(x, y)',
  // The value or NULL, where DuckDB's own gives a list.
  'element_at(map, key) AS map_extract_value(map, key)',
  'cardinality(list) AS len(list)',
  'sequence(first, last) AS generate_series(first, last)',
  // NULL for what is no JSON, not an array or not a scalar; DuckDB's own raise or give 0 or the JSON text.
  `json_array_length(json) AS CASE
     WHEN json_valid(json) AND json_type(json) = 'ARRAY' THEN CAST(system.main.json_array_length(json) AS BIGINT) END`,
  `json_array_get(json, i) AS CASE
     WHEN json_valid(json) AND json_type(json) = 'ARRAY' THEN json_extract(json, CAST(i AS BIGINT)) END`,
  `json_extract_scalar(json, path) AS CASE
     WHEN json_valid(json) AND json_type(json, path) NOT IN ('OBJECT', 'ARRAY', 'NULL')
     THEN json_extract_string(json, path) END`,
];

/** Statements that give a DuckDB connection Athena's answers; to be run once per connection. */
export const DIALECT: readonly string[] = [
  // 7 / 2 is 3, and times are UTC.
  'SET integer_division = true',
  "SET TimeZone = 'UTC'",
  ...MACROS.map((macro) => `CREATE OR REPLACE MACRO ${macro}`),
];
