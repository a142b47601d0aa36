import * as z from 'zod';
import { splitAtPlaceholders } from './placeholders.ts';
import { Purpose } from './purposes.ts';
import { SPECIAL_CATEGORIES, type SpecialCategory } from './special-categories.ts';
import { outsideSubset } from './sql-subset.ts';

/** Values that a file may ask for, one per `?` and in the order of the `?`. */
export const PARAMETER_NAMES = [
  'as_of',
  'ingest_window_days',
  'duplicate_window_days',
  'feature_window_days',
  'segment_id',
  'quiet_seconds',
  'sweep_hours',
  'request_ids',
] as const;

/** Values that a segment may ask for; the others belong to the plan's own queries. */
const SEGMENT_PARAMETER_NAMES = ['as_of', 'quiet_seconds'] as const;

export type ParameterName = (typeof PARAMETER_NAMES)[number];

/** A query of the plan: Athena SQL and the name of the value for each of its `?`. */
export type Query = { file: string; sql: string; parameters: readonly ParameterName[] };

/** A segment: a SELECT of `profile_id` and what people are told about it. `lifetimeDays`: how long an audience stays valid unrefreshed. */
export type Segment = Query & {
  id: string;
  name: { de: string; en: string };
  description: { de: string; en: string };
  purpose: Purpose;
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

const Words = z.string().min(1, 'must not be empty').max(300);

const SegmentHeader = z.strictObject({
  'name.de': Words,
  'name.en': Words,
  'description.de': Words,
  'description.en': Words,
  purpose: Purpose,
  lifetime: z
    .string()
    .regex(/^\d{1,3} days?$/, 'must be a number of days, such as "30 days"')
    .transform((text) => Number.parseInt(text, 10))
    .pipe(z.int().min(1).max(395)),
  destinations: list(z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'must be names of configured destinations')),
  parameters: list(z.enum(SEGMENT_PARAMETER_NAMES)),
  'special.category': z.enum(SPECIAL_CATEGORIES).optional(),
});

/** Reads a query file: a header of `-- key: value` lines, then one statement. Errors name file, line, key and rule. */
export function parseQuery(file: string, text: string): Query {
  const { header, sql } = read(file, text, QueryHeader);
  return { file, sql, parameters: header.parameters };
}

/** Reads `segments/ID.sql`; the file's name is the segment's id, and there is no second copy of it. */
export function parseSegment(file: string, text: string): Segment {
  const id = /(?:^|\/)([a-z][a-z0-9_]{0,39})\.sql$/.exec(file)?.[1];
  if (!id) throw new Error(`${file}: a segment's file is named by its id: a-z, 0-9 and "_", 40 at most`);
  const { header, sql } = read(file, text, SegmentHeader);
  if (!/^(select|with)\b/i.test(sql)) throw new Error(`${file}: a segment is one SELECT of profile_id`);
  return {
    id,
    file,
    sql,
    name: { de: header['name.de'], en: header['name.en'] },
    description: { de: header['description.de'], en: header['description.en'] },
    purpose: header.purpose,
    lifetimeDays: header.lifetime,
    destinations: header.destinations,
    parameters: header.parameters,
    ...(header['special.category'] !== undefined && { specialCategory: header['special.category'] }),
  };
}

function read<S extends z.ZodType<{ parameters: readonly ParameterName[] }>>(file: string, text: string, schema: S) {
  const lines = text.split('\n');
  const values: Record<string, string> = {};
  const lineOf: Record<string, number> = {};
  let end = 0;
  for (; lines[end]?.startsWith('--'); end++) {
    const [, key, value] = /^-- ([a-z.]+):(?: (.*))?$/.exec(lines[end] ?? '') ?? [];
    if (key === undefined) throw new Error(`${file}:${end + 1}: a header line is "-- key: value"`);
    if (key in values) throw new Error(`${file}:${end + 1}: ${key}: appears twice`);
    values[key] = (value ?? '').trim();
    lineOf[key] = end + 1;
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const found = parsed.error.issues.flatMap((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])];
      return keys.map((key) => `${file}:${lineOf[key] ?? 1}: ${key}: ${ruleOf(issue, key in values)}`);
    });
    throw new Error(found.join('\n'));
  }
  const body = lines.slice(end).join('\n');
  const outside = outsideSubset(body, end + 1);
  if (outside.length > 0) throw new Error(outside.map((rule) => `${file}:${rule}`).join('\n'));
  // Athena tells DDL from DML by how a statement begins.
  const sql = body.replace(/^(\s|--[^\n]*\n)*/, '').trimEnd();
  const placeholders = splitAtPlaceholders(sql).length - 1;
  const { parameters } = parsed.data;
  if (placeholders !== parameters.length)
    throw new Error(
      `${file}:${lineOf.parameters ?? 1}: parameters: must name one value for each "?"; ` +
        `there are ${placeholders} "?" and ${parameters.length} names`,
    );
  return { header: parsed.data, sql };
}

function ruleOf(issue: z.core.$ZodIssue, present: boolean): string {
  if (issue.code === 'unrecognized_keys') return 'is not a key of this header';
  return present ? issue.message : 'is missing';
}
