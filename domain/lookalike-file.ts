import * as z from 'zod';
import { Purpose } from './purposes.ts';
import type { SpecialCategoryFinder } from './special-categories.ts';
import { isSpecialSegment, type JudgedSegment } from './special-segments.ts';

/** What makes somebody a member of the seed: events, and where products or categories are named, only the events with these. */
export type DefinedBy = {
  events: readonly string[];
  products: readonly string[];
  categories: readonly string[];
};

/**
 * A lookalike: whom its members shall be like, how many they are and what people are told about it. `audience` is a share of
 * the profiles that may be members, in (0, 0.5], or a number of profiles. `exclude` names segments whose members are left
 * out; the seed always is. `refreshSeconds`: how old the audience may get before the model is made anew. `lifetimeDays`: how
 * long the audience stays valid unrefreshed. `lines`: the line of the file on which each key stands.
 */
export type Lookalike = {
  id: string;
  file: string;
  lines: Readonly<Record<string, number>>;
  name: { de: string; en: string };
  description: { de: string; en: string };
  seed: string;
  audience: { share: number } | { size: number };
  purpose: Purpose;
  exclude: readonly string[];
  definedBy: DefinedBy;
  refreshSeconds: number;
  lifetimeDays: number;
  destinations: readonly string[];
};

/** Beyond half of all profiles nobody is like anybody. */
const LARGEST_SHARE_PERCENT = 50;

/** As a segment's. */
const LONGEST_LIFETIME_DAYS = 395;

const UNIT_SECONDS: Readonly<Record<string, number>> = { hour: 3600, day: 86_400 };

/** Whom somebody is like changes in weeks, and a model costs more than a hundred segments. */
const USUAL_REFRESH = '1 day';

/** Seconds of `6 hours`, `1 day`. */
function secondsOf(refresh: string): number {
  const [, count = '', unit = ''] = /^(\d+) (\w+?)s?$/.exec(refresh) ?? [];
  return Number(count) * (UNIT_SECONDS[unit] ?? 0);
}

const Id = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'must be the id of a segment: a-z, 0-9 and "_", 40 at most');

const list = <T extends z.ZodType<string, string>>(item: T) =>
  z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
    .pipe(z.array(item));

const Words = z.string().min(1, 'must not be empty').max(300);
const Named = z.string().max(255, 'must be names of 255 characters at most');

const Header = z
  .strictObject({
    'name.de': Words,
    'name.en': Words,
    'description.de': Words,
    'description.en': Words,
    seed: Id,
    share: z
      .string()
      .regex(/^\d{1,2}(?:\.\d{1,2})? ?%$/, 'must be a share of the profiles, such as "5 %"')
      .transform((text) => Number.parseFloat(text))
      .pipe(z.number().positive('must be more than 0 %').max(LARGEST_SHARE_PERCENT, 'must be 50 % at most'))
      .optional(),
    size: z
      .string()
      .regex(/^[1-9]\d{0,8}$/, 'must be a number of profiles, such as "20000"')
      .transform(Number)
      .optional(),
    purpose: Purpose,
    exclude: list(Id),
    'defined.events': list(Named).pipe(
      z.array(z.string()).min(1, 'must name the events that make a profile a member of the seed'),
    ),
    'defined.products': list(Named),
    'defined.categories': list(Named),
    refresh: z
      .string()
      .default(USUAL_REFRESH)
      .refine(
        (text) => /^[1-9]\d{0,2} (?:hour|day)s?$/.test(text),
        'must be how old the audience may get, such as "6 hours" or "1 day"',
      )
      .transform(secondsOf),
    lifetime: z
      .string()
      .regex(/^\d{1,3} days?$/, 'must be a number of days, such as "30 days"')
      .transform((text) => Number.parseInt(text, 10))
      .pipe(z.int().min(1).max(LONGEST_LIFETIME_DAYS)),
    destinations: list(z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'must be names of configured destinations')),
  })
  .refine(({ share, size }) => (share === undefined) !== (size === undefined), {
    path: ['share'],
    message: 'must be given, or else size, and not both',
  })
  .refine(({ refresh, lifetime }) => refresh < lifetime * 86_400, {
    path: ['refresh'],
    message: 'must be shorter than the lifetime, or the audience ends in between',
  });

/**
 * Reads `lookalikes/ID.sql`: a header of `-- key: value` lines and nothing else, since the statements are the same for every
 * lookalike. The file's name is the id. Errors name file, line, key and rule, one to a line.
 */
export function parseLookalike(file: string, text: string): Lookalike {
  const id = /(?:^|\/)([a-z][a-z0-9_]{0,39})\.sql$/.exec(file)?.[1];
  if (!id) throw new Error(`${file}: a lookalike's file is named by its id: a-z, 0-9 and "_", 40 at most`);
  const { values, lines } = headerOf(file, text);
  const parsed = Header.safeParse(values);
  if (!parsed.success) {
    const found = parsed.error.issues.flatMap((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])];
      return keys.map((key) => `${file}:${lines[key] ?? 1}: ${key}: ${ruleOf(issue, key in values)}`);
    });
    throw new Error(found.join('\n'));
  }
  const header = parsed.data;
  return {
    id,
    file,
    lines,
    name: { de: header['name.de'], en: header['name.en'] },
    description: { de: header['description.de'], en: header['description.en'] },
    seed: header.seed,
    audience: header.size === undefined ? { share: (header.share ?? 0) / 100 } : { size: header.size },
    purpose: header.purpose,
    exclude: header.exclude,
    definedBy: {
      events: header['defined.events'],
      products: header['defined.products'],
      categories: header['defined.categories'],
    },
    refreshSeconds: header.refresh,
    lifetimeDays: header.lifetime,
    destinations: header.destinations,
  };
}

function headerOf(file: string, text: string): { values: Record<string, string>; lines: Record<string, number> } {
  const values: Record<string, string> = {};
  const lines: Record<string, number> = {};
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = `${file}:${i + 1}`;
    if (!line.startsWith('--'))
      throw new Error(`${place}: a lookalike has no statement of its own; write a segment and name it as the seed`);
    const [, key, value] = /^-- ([a-z.]+):(?: (.*))?$/.exec(line) ?? [];
    if (key === undefined) throw new Error(`${place}: a header line is "-- key: value"`);
    if (key in values) throw new Error(`${place}: ${key}: appears twice`);
    values[key] = (value ?? '').trim();
    lines[key] = i + 1;
  }
  return { values, lines };
}

function ruleOf(issue: z.core.$ZodIssue, present: boolean): string {
  if (issue.code === 'unrecognized_keys') return 'is not a key of this header';
  return present || issue.code === 'custom' ? issue.message : 'is missing';
}

/**
 * The rules that a lookalike breaks beside the segments, each with file, line and key; empty where it may be built. A seed that tells of
 * what GDPR Art. 9 protects is refused, and so is a lookalike that names such a thing: its members would be told by it.
 */
export function lookalikeFaults(
  lookalike: Lookalike,
  segments: readonly JudgedSegment[],
  find: SpecialCategoryFinder,
): string[] {
  const faults: string[] = [];
  const fault = (key: string, rule: string) =>
    faults.push(`${lookalike.file}:${lookalike.lines[key] ?? 1}: ${key}: ${rule}`);
  if (segments.some(({ id }) => id === lookalike.id))
    fault('id', `there is a segment "${lookalike.id}"; give the file another name`);
  const seed = segments.find(({ id }) => id === lookalike.seed);
  if (!seed) fault('seed', `there is no segment "${lookalike.seed}"`);
  else if (isSpecialSegment(seed, find))
    fault('seed', `segment "${seed.id}" tells of a special category (GDPR Art. 9) and is never a seed`);
  for (const id of lookalike.exclude)
    if (!segments.some((segment) => segment.id === id)) fault('exclude', `there is no segment "${id}"`);
  for (const [key, text] of wordsOf(lookalike)) {
    const found = find(text);
    if (found) fault(key, `"${found.term}" tells of ${found.category} (GDPR Art. 9)`);
  }
  return faults;
}

function wordsOf({ id, name, description, definedBy }: Lookalike): [key: string, text: string][] {
  return [
    ['id', id],
    ['name.de', name.de],
    ['name.en', name.en],
    ['description.de', description.de],
    ['description.en', description.en],
    ...definedBy.products.map((text): [string, string] => ['defined.products', text]),
    ...definedBy.categories.map((text): [string, string] => ['defined.categories', text]),
  ];
}
