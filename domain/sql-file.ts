import * as z from 'zod';
import { splitAtPlaceholders } from './placeholders.ts';
import { PURPOSES, type Purpose } from './purposes.ts';
import { SPECIAL_CATEGORIES, type SpecialCategory } from './special-categories.ts';
import { outsideSubset } from './sql-subset.ts';

/** Values that a file may ask for, one per `?` and in the order of the `?`. */
export const PARAMETER_NAMES = [
  'as_of',
  'ingest_window_days',
  'duplicate_window_days',
  'feature_window_days',
  'value_window_days',
  'history_days',
  'events_since',
  'segment_id',
  'segment_purpose',
  'minimum_size',
  'quiet_seconds',
  'sweep_hours',
  'request_ids',
] as const;

/** Values that a segment may ask for; the others belong to the plan's own queries. */
const SEGMENT_PARAMETER_NAMES = ['as_of', 'quiet_seconds'] as const;

export type ParameterName = (typeof PARAMETER_NAMES)[number];

/** A query of the plan: Athena SQL and the name of the value for each of its `?`. */
export type Query = { file: string; sql: string; parameters: readonly ParameterName[] };

/**
 * A segment: a SELECT of `profile_id` and what people are told about it. `refreshSeconds`: how old the audience may get before
 * it is built anew; 0 in every run. `lifetimeDays`: how long an audience stays valid unrefreshed. `lines`: the line of the
 * file on which each key of the header stands, and on which `sql` begins.
 */
export type Segment = Query & {
  id: string;
  lines: Readonly<Record<string, number>>;
  name: { de: string; en: string };
  description: { de: string; en: string };
  purpose: Purpose;
  refreshSeconds: number;
  lifetimeDays: number;
  destinations: readonly string[];
  /** What of GDPR Art. 9 the segment tells, as its header declares it; see `special-segments.ts`. */
  specialCategory?: SpecialCategory;
};

const list = <T extends z.ZodType<string, string>>(item: T) =>
  z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
    .pipe(z.array(item));

const QueryHeader = z.strictObject({ parameters: list(z.enum(PARAMETER_NAMES)) });

const DAY_SECONDS = 86_400;

const Words = z.string().min(1, 'must not be empty').max(300);

const UNIT_SECONDS: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400 };

/** Seconds of `every run`, `1 hour`, `2 days`. */
function secondsOf(refresh: string): number {
  const [, count = '0', unit = ''] = /^(\d+) (\w+?)s?$/.exec(refresh) ?? [];
  return Number(count) * (UNIT_SECONDS[unit] ?? 0);
}

const SegmentHeader = z.strictObject({
  'name.de': Words,
  'name.en': Words,
  'description.de': Words,
  'description.en': Words,
  purpose: z.enum(PURPOSES, `must be one of ${PURPOSES.join(', ')}`),
  refresh: z
    .string()
    .default('every run')
    .refine(
      (text) => /^(?:every run|[1-9]\d{0,2} (?:minute|hour|day)s?)$/.test(text),
      'must be "every run", or how old the audience may get, such as "1 hour" or "2 days"',
    )
    .transform(secondsOf),
  lifetime: z
    .string()
    .regex(/^\d{1,3} days?$/, 'must be a number of days, such as "30 days"')
    .transform((text) => Number.parseInt(text, 10))
    .pipe(z.int().min(1, 'must be a day at least').max(395, 'must be 395 days at most: no profile is kept longer')),
  destinations: list(z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'must be names of configured destinations')),
  parameters: list(
    z.enum(
      SEGMENT_PARAMETER_NAMES,
      `must be ${SEGMENT_PARAMETER_NAMES.join(' or ')} for each "?", in the order of the "?"`,
    ),
  ),
  'special.category': z.enum(SPECIAL_CATEGORIES).optional(),
});

/** Reads a query file: a header of `-- key: value` lines, then one statement. Errors name file, line, key and rule. */
export function parseQuery(file: string, text: string): Query {
  const { header, sql } = read(file, text, QueryHeader);
  return { file, sql, parameters: header.parameters };
}

/**
 * Reads `segments/ID.sql`; the file's name is the segment's id, and there is no second copy of it. Errors are one to a line:
 * file, line, what is wrong and what to do.
 */
export function parseSegment(file: string, text: string): Segment {
  const id = /(?:^|\/)([a-z][a-z0-9_]{0,39})\.sql$/.exec(file)?.[1];
  if (!id) throw new Error(`${file}:1: a segment's file is named by its id: a-z, 0-9 and "_", 40 at most`);
  const { header, sql, lines } = read(file, text, SegmentHeader);
  const place = `${file}:${lines.sql}`;
  if (!/^(select|with)\b/i.test(sql)) throw new Error(`${place}: a segment is one SELECT of profile_id`);
  if (!/\bprofile_id\b/i.test(sql))
    throw new Error(`${place}: a segment selects one column, profile_id; profile_events, profile_features have it`);
  if (header.lifetime * DAY_SECONDS < header.refresh)
    throw new Error(
      `${file}:${lines.refresh}: refresh: must be shorter than the lifetime, or the audience ends in between`,
    );
  return {
    id,
    file,
    sql,
    lines,
    name: { de: header['name.de'], en: header['name.en'] },
    description: { de: header['description.de'], en: header['description.en'] },
    purpose: header.purpose,
    refreshSeconds: header.refresh,
    lifetimeDays: header.lifetime,
    destinations: header.destinations,
    parameters: header.parameters,
    ...(header['special.category'] !== undefined && { specialCategory: header['special.category'] }),
  };
}

/** What a header line that is missing looks like. */
const EXAMPLES: Readonly<Record<string, string>> = {
  'name.de': 'Warenkorb-Abbrecher',
  'name.en': 'Cart abandoners',
  'description.de': 'Hat etwas in den Warenkorb gelegt und danach nicht bestellt.',
  'description.en': 'Put something into the cart and has not ordered since.',
  purpose: 'profile',
  lifetime: '30 days',
};

function read<S extends z.ZodType<{ parameters: readonly ParameterName[] }>>(file: string, text: string, schema: S) {
  const rows = text.split('\n');
  const values: Record<string, string> = {};
  const lines: Record<string, number> = {};
  let end = 0;
  for (; rows[end]?.startsWith('--'); end++) {
    const [, key, value] = /^-- ([a-z.]+):(?: (.*))?$/.exec(rows[end] ?? '') ?? [];
    if (key === undefined) throw new Error(`${file}:${end + 1}: a header line is "-- key: value"`);
    if (key in values) throw new Error(`${file}:${end + 1}: ${key}: appears twice`);
    values[key] = (value ?? '').trim();
    lines[key] = end + 1;
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const found = parsed.error.issues.flatMap((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])];
      return keys.map((key) => `${file}:${lines[key] ?? 1}: ${key}: ${ruleOf(issue, key, key in values)}`);
    });
    throw new Error(found.join('\n'));
  }
  const body = rows.slice(end).join('\n');
  const outside = outsideSubset(body, end + 1);
  if (outside.length > 0) throw new Error(outside.map((rule) => `${file}:${rule}`).join('\n'));
  // Athena tells DDL from DML by how a statement begins.
  const lead = /^(?:\s|--[^\n]*\n)*/.exec(body)?.[0] ?? '';
  const sql = body.slice(lead.length).trimEnd();
  lines.sql = end + lead.split('\n').length;
  const placeholders = splitAtPlaceholders(sql).length - 1;
  const { parameters } = parsed.data;
  if (placeholders !== parameters.length)
    throw new Error(
      `${file}:${lines.parameters ?? 1}: parameters: must name one value for each "?"; ` +
        `there are ${placeholders} "?" and ${parameters.length} names`,
    );
  return { header: parsed.data, sql, lines };
}

function ruleOf(issue: z.core.$ZodIssue, key: string, present: boolean): string {
  if (issue.code === 'unrecognized_keys') return 'is not a key of this header';
  if (present) return issue.message;
  const example = EXAMPLES[key];
  return example === undefined ? 'is missing' : `is missing; write it, such as "-- ${key}: ${example}"`;
}
