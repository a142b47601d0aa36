import { insteadOfForm, insteadOfFunction, isNewerNumber } from './athena-dialect.ts';

/**
 * The part of Athena's SQL that the platform's files keep to, because it means the same on DuckDB (with the macros of
 * `local/duckdb-dialect.ts`). What is not listed may work on both and differ in silence, so it is refused when a file is
 * read. A function is added here together with its test in `test/local/duckdb-dialect.test.ts`.
 */
const FUNCTIONS: ReadonlySet<string> = new Set([
  // Aggregates and windows. Not avg: of decimals it is a decimal on Athena and a double on DuckDB.
  ...['count', 'count_if', 'sum', 'min', 'max', 'max_by', 'row_number'],
  // NULL and choice.
  ...['coalesce', 'nullif', 'greatest', 'least', 'cast', 'try_cast'],
  // Numbers: rounded by IEEE 754 on both engines.
  'sqrt',
  // Text and bytes.
  ...['lower', 'upper', 'length', 'substr', 'regexp_extract_all', 'to_utf8', 'to_hex', 'sha256'],
  // Time: complete units, no clock.
  ...['date_add', 'date_diff', 'date_trunc', 'date_format'],
  // Arrays, maps and JSON.
  ...['contains', 'cardinality', 'sequence', 'element_at', 'map'],
  ...['json_extract_scalar', 'json_array_length', 'json_array_get'],
]);

/** Types that a CAST may name. Not varchar: a timestamp's or a double's text differs. */
const CAST_TYPES: ReadonlySet<string> = new Set(['bigint', 'integer', 'double', 'boolean', 'date', 'decimal']);

/** Words that a bracket may follow without a call being meant. */
const KEYWORDS: ReadonlySet<string> = new Set([
  ...['select', 'distinct', 'from', 'join', 'on', 'where', 'and', 'or', 'not', 'in', 'exists', 'having', 'by', 'as'],
  ...['case', 'when', 'then', 'else', 'union', 'all', 'except', 'intersect', 'over', 'filter', 'using', 'values'],
  ...['insert', 'set', 'unnest', 'between', 'like', 'is'],
]);

const REFUSED: Readonly<Record<string, string>> = {
  current_timestamp: 'SQL never asks for the time: use the parameter as_of',
  current_date: 'SQL never asks for the time: use the parameter as_of',
  localtimestamp: 'SQL never asks for the time: use the parameter as_of',
  now: 'SQL never asks for the time: use the parameter as_of',
  interval: 'use date_add, which gives the same type everywhere',
  qualify: 'Athena does not know it',
  ilike: 'Athena does not know it',
  '::': 'write CAST(x AS type)',
  ';': 'a file holds one statement',
};

/** What to do about a function that nobody has looked at yet. */
const HOW_TO_ADD = 'use one of those listed in domain/sql-subset.ts, or add it there with a macro and its tests';

const STATEMENTS = /^(select|with|insert into|merge into|delete from|update|create or replace view)\b/;

const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\n|[a-z_]\w*|\d[\w.]*|::|->|[^\s]/gi;

type Token = { text: string; line: number };

/**
 * Says what in a statement is outside the subset, as `line: rule`; nothing when it is inside. `firstLine` is the line of
 * the file on which the statement's text begins.
 */
export function outsideSubset(sql: string, firstLine: number): string[] {
  const tokens = tokensOf(sql, firstLine);
  const found: string[] = [];
  const refuse = (line: number, rule: string) => found.push(`${line}: ${rule}`);

  const opening = tokens.slice(0, 4).map(({ text }) => text);
  if (!STATEMENTS.test(opening.join(' ')))
    refuse(
      tokens[0]?.line ?? firstLine,
      'only SELECT, INSERT, MERGE, DELETE, UPDATE and CREATE OR REPLACE VIEW are run',
    );

  // A view's options (comment, security) are Trino's alone.
  if (opening.join(' ') === 'create or replace view' && tokens[5]?.text !== 'as')
    refuse(
      tokens[5]?.line ?? firstLine,
      'CREATE OR REPLACE VIEW name AS is all that Athena knows; leave the options out',
    );

  const words = tokens.map(({ text }) => text);
  const brackets: boolean[] = [];
  for (const [i, { text, line }] of tokens.entries()) {
    const before = tokens[i - 1]?.text ?? '';
    const after = tokens[i + 1]?.text ?? '';
    const rule = Object.hasOwn(REFUSED, text) ? REFUSED[text] : undefined;
    if (rule) refuse(line, `${text}: ${rule}`);
    const beyond = insteadOfForm(words, i);
    if (beyond) refuse(line, `${beyond.form}: ${beyond.instead}`);
    if (isNewerNumber(text))
      refuse(line, `${text}: write the number in decimal digits; Athena does not document this form`);
    if (text === '(') brackets.push(before === 'cast' || before === 'try_cast');
    else if (text === ')') brackets.pop();
    else if (text === 'as' && brackets.at(-1)) {
      if (!CAST_TYPES.has(after)) refuse(line, `CAST to ${after} is not in the subset`);
    } else if (text === '/') {
      if (before !== ')' || tokens[i - 2]?.text !== 'double') refuse(line, 'write CAST(x AS double) / y');
    } else if (after === '(' && isCall(text, before) && !FUNCTIONS.has(text))
      refuse(line, `${text}() is not in the subset: ${insteadOfFunction(text) ?? HOW_TO_ADD}`);
  }
  return found;
}

/** A name before a bracket is a call, unless it is an alias with its columns or the table of an INSERT. */
const isCall = (text: string, before: string): boolean =>
  /^[a-z_]/.test(text) && !KEYWORDS.has(text) && before !== 'as' && before !== 'into';

/** Lower-case tokens without comments, literals and quoted names, which cannot break a rule. */
function tokensOf(sql: string, firstLine: number): Token[] {
  const tokens: Token[] = [];
  let line = firstLine;
  for (const [text] of sql.matchAll(TOKEN)) {
    if ((/^[a-z_:;()/]/i.test(text) && !text.startsWith('/*')) || text === '->' || isNewerNumber(text))
      tokens.push({ text: text.toLowerCase(), line });
    else if (text !== '\n' && !text.startsWith('--') && !text.startsWith('/*')) tokens.push({ text: '?', line });
    line += text.split('\n').length - 1;
  }
  return tokens;
}
