/**
 * What Trino takes and Athena engine version 3 does not document, with what to write in its place. AWS names no release of
 * Trino for the engine; its user guide ("Athena engine version 3", "SELECT", "MERGE INTO", "Considerations and limitations")
 * and the functions that Trino had when the engine came out are what counts here. What a guide leaves out may work all the
 * same: nobody promises that it does tomorrow.
 */

const UNNEST = 'CROSS JOIN UNNEST the array and filter or count its rows, or use contains(array, value)';
const JSON_PATH = 'use json_extract_scalar';
/** By Trino's release notes from 420 (June 2023) on. */
const NEWER = 'Trino got it after Athena’s engine version 3 had come out';

/** Functions, lower case. Those that the guide knows are refused with the others that are not in the subset, without advice. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['any_match', 'all_match', 'none_match', 'filter', 'transform', 'reduce', 'zip_with', 'reduce_agg'].map((name) => [
      name,
      `it takes a lambda; ${UNNEST}`,
    ]),
  ),
  ...Object.fromEntries(
    ['map_filter', 'transform_keys', 'transform_values', 'map_zip_with'].map((name) => [
      name,
      'it takes a lambda; use element_at for the keys that you know',
    ]),
  ),
  ...Object.fromEntries(['json_table', 'json_value', 'json_query', 'json_exists'].map((name) => [name, JSON_PATH])),
  any_value: `${NEWER}; use min or max_by`,
  bitwise_xor_agg: `${NEWER}; there is no other`,
  cosine_distance: `${NEWER}; write the sums out`,
  dot_product: `${NEWER}; CROSS JOIN UNNEST both arrays and sum the products`,
  euclidean_distance: `${NEWER}; write the sums out`,
  t_cdf: `${NEWER}; there is no other`,
  t_pdf: `${NEWER}; there is no other`,
  table: 'Athena has no table functions; use CROSS JOIN UNNEST(sequence(first, last)) for numbers',
  exclude_columns: 'Athena has no table functions; name the columns',
  table_changes: 'Athena has no table functions; compare two states of the table',
};

/** What to write in place of a function that only Trino is known to have; undefined for any other. */
export const insteadOfFunction = (name: string): string | undefined =>
  Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;

/** A form of speech: the words that it begins with, and what to write instead. */
const FORMS: readonly { words: readonly string[]; instead: string }[] = [
  { words: ['->'], instead: `no lambda is in the subset; ${UNNEST}` },
  { words: ['with', 'recursive'], instead: 'Athena documents no recursion; write the steps out' },
  { words: ['with', 'function'], instead: 'Athena’s functions are built in; write the expression out' },
  { words: ['with', 'session'], instead: 'Athena has no session properties; leave it out' },
  { words: ['group', 'by', 'auto'], instead: 'Athena does not know it; name the columns' },
  { words: ['corresponding'], instead: 'Athena does not know it; give both SELECT lists the same columns' },
  { words: ['lateral'], instead: 'Athena documents UNNEST alone; use CROSS JOIN UNNEST or a WITH' },
  { words: ['fetch', 'first'], instead: 'Athena documents LIMIT alone; write LIMIT' },
  { words: ['fetch', 'next'], instead: 'Athena documents LIMIT alone; write LIMIT' },
  {
    words: ['matched', 'by', 'source'],
    instead: 'Athena’s MERGE does not know it; FULL OUTER JOIN the target in the source',
  },
];

/** What to write instead of a form that begins at a place in a list of lower-case words; undefined where none does. */
export function insteadOfForm(words: readonly string[], at: number): { form: string; instead: string } | undefined {
  const found = FORMS.find((form) => form.words.every((word, i) => words[at + i] === word));
  return found && { form: found.words.join(' ').toUpperCase(), instead: found.instead };
}

/** Whether a number is spelled as Trino reads it since release 420: `1_000`, `0xFF`. */
export const isNewerNumber = (text: string): boolean =>
  /^\d/.test(text) && (/^0[xob]/i.test(text) || text.includes('_'));
