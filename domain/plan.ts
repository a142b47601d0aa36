import { MAX_DEVICE_RETENTION_DAYS, type PaulaConfig, type StageConfig } from './config.ts';
import { DUPLICATE_WINDOW_DAYS, INGEST_WINDOW_DAYS } from './ingest-window.ts';
import { splitAtPlaceholders } from './placeholders.ts';
import { segmentFaults } from './segment-faults.ts';
import { specialCategoryFinder } from './special-categories.ts';
import { isSpecialSegment } from './special-segments.ts';
import type { ParameterName, Query, Segment } from './sql-file.ts';
import { SWEEP_HOURS } from './stores.ts';
import {
  addColumnDdl,
  athenaDdl,
  brandColumns,
  type Column,
  lakeTables,
  type TableDefinition,
  tableOf,
} from './tables.ts';

/**
 * A value that a statement takes for a `?`: the run's time, the first day of receipt of which events are read, or an SQL
 * literal that the configuration gives.
 */
export type Parameter = 'as_of' | 'events_since' | { literal: string };

/** A note of the run's time, kept between runs; see `MarkItem`. `everySeconds`: how old it may get. */
export type Mark = { name: string; everySeconds: number };

/** Whether what a mark stands for is to be done: never done, old enough, or done as of a time that this run goes back behind. */
export const isDue = ({ everySeconds }: Mark, asOf: Date, markedAt: Date | undefined): boolean =>
  markedAt === undefined || asOf < markedAt || asOf.getTime() >= markedAt.getTime() + everySeconds * 1000;

/**
 * One step of the plan. The state machine is generated from these and the local runner interprets them; neither knows
 * more. SQL is Athena's; both put the parameters between the pieces of `splitAtPlaceholders`. `create_table` makes an
 * Iceberg table; `add_column` runs only where the table lacks the column; `statement` runs one statement; `unload` writes
 * the rows of its SELECT as gzipped JSON lines under `unloadPrefix(segment, run)`; `publish` hands that prefix to the
 * publish function.
 *
 * A statement with a `mark` runs where it is due by `isDue`, and sets the mark when it is done. Steps of one `branch`
 * follow each other: where one fails, that is counted, the branch's others are left out and the plan goes on with the next
 * step. Only a failed statement with a mark that has been set before does not end its branch: what it would have renewed is
 * still there, and must go on losing whom it may not hold.
 */
export type Step = (
  | { kind: 'create_table'; id: string; table: string; sql: string }
  | { kind: 'add_column'; id: string; table: string; column: string; sql: string }
  | { kind: 'statement'; id: string; sql: string; parameters: readonly Parameter[]; mark?: Mark }
  | { kind: 'unload'; id: string; segment: string; sql: string; parameters: readonly Parameter[] }
  | { kind: 'publish'; id: string; segment: string; lifetimeDays: number; mark: string }
) & { branch?: string };

/**
 * What a `publish` step hands to its function. `as_of` is ISO 8601 with milliseconds and Z, and so is `built_at`, the time
 * from which the lifetime counts.
 */
export type PublishInput = {
  segment: string;
  as_of: string;
  built_at?: string | undefined;
  prefix: string;
  lifetime_days: number;
};

/** Where one run's difference of a segment is unloaded to, with its closing slash. `run` names the execution. */
export const unloadPrefix = (segment: string, run: string): string => `unload/${segment}/${run}/`;

/** `as_of` as an Athena literal. */
export const asOfLiteral = (asOf: Date): string => `TIMESTAMP '${asOf.toISOString().slice(0, 23).replace('T', ' ')}'`;

/**
 * A step's parameters as SQL literals. `builtUpTo` is the mark of the step; without one `events_since` is as far back as
 * any history is kept.
 */
export const literalsOf = (parameters: readonly Parameter[], asOf: Date, builtUpTo?: Date): string[] =>
  parameters.map((parameter) => {
    if (parameter === 'as_of') return asOfLiteral(asOf);
    if (parameter === 'events_since') return `DATE '${eventsSince(asOf, builtUpTo).toISOString().slice(0, 10)}'`;
    return parameter.literal;
  });

/**
 * Days of receipt that a run adds up anew: ingest may still write into those of its window, and into the day before it, since
 * a batch that is read by the hour of its arrival may hold a row received just before that. Withdrawals come as late.
 */
export const OPEN_DAYS = INGEST_WINDOW_DAYS + 1;

/**
 * From which day of receipt on a run reads events, when the one before was as of `builtUpTo`. A run as of an earlier time takes
 * out what came after it, and moves the mark back, so that the next ordinary run puts it in again.
 */
export function eventsSince(asOf: Date, builtUpTo?: Date): Date {
  if (builtUpTo === undefined) return new Date(asOf.getTime() - HISTORY_DAYS * DAY_MS);
  return new Date(Math.min(asOf.getTime(), builtUpTo.getTime()) - OPEN_DAYS * DAY_MS);
}

const DAY_MS = 86_400_000;

/** How far back `profile_days` looks: as long as anything of a device may be kept. */
export const HISTORY_DAYS = MAX_DEVICE_RETENTION_DAYS;

/** Days over which purchases are added up: a year, so that what is bought once a season counts. */
export const VALUE_WINDOW_DAYS = 365;

/** The mark of `profile_days`, up to which history has been added up. */
const HISTORY_MARK = 'profile_days';

/** The mark of a segment: as of when its members were last found. */
export const segmentMark = (id: string): string => `segment#${id}`;

/** Days of receipt that features describe: a season's behaviour, and what a lookalike model is trained on. */
export const FEATURE_WINDOW_DAYS = 90;

/**
 * How long the lake's lease holds. The state machine ends a minute earlier, counted from its start, so that no run outlives
 * the lease that it holds. A writer that died keeps the others waiting for no longer than this.
 */
export const LEASE_SECONDS = 3600;

/** The order of the queries: what withdraws or erases comes before the events that it concerns. */
const VIEWS = ['withdrawals', 'live_links', 'profile_events', 'order_lines', 'profile_history'].map(
  (view) => `views/${view}.sql`,
);
const INGEST = ['links', 'consents', 'erasures', 'rights', 'events'].map((table) => `ingest/${table}.sql`);
const HISTORY = 'profile_days.sql';
/** Made of the history, and of whose it is; the purposes come last, since segments are gated by them. */
const OF_HISTORY = ['profile_subjects.sql', 'features.sql', 'profile_features.sql', 'profile_purposes.sql'];
const GATE = 'membership/gate.sql';
const MEMBERS = 'membership/members.sql';
const DIFFERENCE = 'membership/difference.sql';
const PUBLISHED = 'membership/history.sql';

/** The files that `buildPlan` needs besides the segments, by their paths below `sql/`. */
export const QUERY_FILES: readonly string[] = [
  ...VIEWS,
  ...INGEST,
  HISTORY,
  ...OF_HISTORY,
  GATE,
  MEMBERS,
  DIFFERENCE,
  PUBLISHED,
];

/** Columns that the platform's own tables have got since they were first made: a lake of before gets them too. */
const LATER_COLUMNS = [{ table: 'erasures', name: 'salt' }] as const;

/** Where a query takes in the columns that the tracking plan adds, with the alias that they are read from. */
const BRAND_COLUMNS = /\/\* , (?:(\w+)\.)?brand columns \*\//g;

/** Where `membership/members.sql` takes in the segment's SELECT. */
const SEGMENT_QUERY = '/* segment */';

/** Stands before and behind the part of `membership/members.sql` that selects whom a segment admits. */
const ADMITTED = '/* admitted */';

/** Where `membership/gate.sql` takes in the purpose of each segment. */
const SEGMENT_PURPOSES = '/* segments */';

/**
 * The steps from landing to audiences, in order. Everything in it may run twice: a table that exists stays, a MERGE writes
 * differences, and a segment's row in `audience_history` is written after its publish, so that it marks what is published.
 * `queries` holds at least `QUERY_FILES`; `bucket` is the lake's. Throws where a file is missing, and for a segment with
 * faults: whoever goes on without it asks `segmentFaults` before.
 */
export function buildPlan(input: {
  config: PaulaConfig;
  stage: StageConfig;
  bucket: string;
  queries: readonly Query[];
  segments: readonly Segment[];
}): Step[] {
  const { config, stage, bucket, queries, segments } = input;
  const findSpecial = specialCategoryFinder(config.specialCategories.extraTerms);
  const tables = lakeTables(config);
  const events = tableOf(tables, 'events');
  const columns = brandColumns(config);
  const added = [
    ...columns.map((column) => ({ table: events, column })),
    ...LATER_COLUMNS.map(({ table, name }) => {
      const changed = tableOf(tables, table);
      return { table: changed, column: columnOf(changed, name) };
    }),
  ];

  const queryOf = (file: string): Query => {
    const query = queries.find((candidate) => candidate.file === file);
    if (!query) throw new Error(`sql/${file} is missing`);
    const sql = query.sql.replace(BRAND_COLUMNS, (_, alias?: string) =>
      columns.map(({ name }) => `, ${alias ? `${alias}.` : ''}"${name}"`).join(''),
    );
    return { ...query, sql };
  };
  const parametersOf = (names: readonly ParameterName[], segment?: Segment): Parameter[] =>
    names.map((name) =>
      name === 'minimum_size' ? { literal: String(config.minimumSegmentSize) } : parameterOf(name, stage, segment),
    );
  const statement = (id: string, file: string, segment?: Segment) => {
    const { sql, parameters } = queryOf(file);
    return { kind: 'statement', id, sql, parameters: parametersOf(parameters, segment) } as const;
  };

  const forSegment = (segment: Segment): Step[] => {
    const faults = segmentFaults(segment, config);
    if (faults.length > 0) throw new Error(faults.join('\n'));
    const { id } = segment;
    const difference = queryOf(DIFFERENCE);
    const members = wrap(queryOf(MEMBERS), segment);
    return [
      {
        kind: 'statement',
        id: `${id}-members`,
        branch: id,
        sql: members.sql,
        parameters: parametersOf(members.parameters, segment),
        mark: { name: segmentMark(id), everySeconds: segment.refreshSeconds },
      },
      {
        kind: 'unload',
        id: `${id}-difference`,
        branch: id,
        segment: id,
        sql: isSpecialSegment(segment, findSpecial) ? withoutActivation(difference.sql) : difference.sql,
        parameters: parametersOf(difference.parameters, segment),
      },
      {
        kind: 'publish',
        id: `${id}-publish`,
        branch: id,
        segment: id,
        lifetimeDays: segment.lifetimeDays,
        mark: segmentMark(id),
      },
      { ...statement(`${id}-history`, PUBLISHED, segment), branch: id },
    ];
  };

  const gate = statement('gate', GATE);
  const purposes = segments.map(({ id, purpose }) => `('${id}', '${purpose}')`).join(', ');

  return [
    ...tables
      .filter(({ kind }) => kind === 'iceberg')
      .map((table): Step => {
        return { kind: 'create_table', id: `table-${table.name}`, table: table.name, sql: athenaDdl(table, bucket) };
      }),
    ...added.map(({ table, column }): Step => {
      const sql = addColumnDdl(table, column);
      const id = `column-${table.name}-${column.name}`;
      return { kind: 'add_column', id, table: table.name, column: column.name, sql };
    }),
    ...VIEWS.map((file) => statement(`view-${nameOf(file)}`, file)),
    ...INGEST.map((file) => statement(`ingest-${nameOf(file)}`, file)),
    { ...statement(nameOf(HISTORY), HISTORY), mark: { name: HISTORY_MARK, everySeconds: 0 } },
    ...OF_HISTORY.map((file) => statement(nameOf(file), file)),
    ...(segments.length > 0 ? [{ ...gate, sql: gate.sql.replace(SEGMENT_PURPOSES, () => purposes) }] : []),
    ...segments.flatMap(forSegment),
  ];
}

/** The difference of a segment that is never activated: no entry of it is exported, whatever was consented to. */
const withoutActivation = (difference: string): string =>
  `SELECT d.profile_id, d.entered, false AS activation FROM (\n${difference}\n) AS d`;

function columnOf({ name: table, columns }: TableDefinition, name: string): Column {
  const column = columns.find((candidate) => candidate.name === name);
  if (!column) throw new Error(`table "${table}" has no column "${name}"`);
  return column;
}

const nameOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1, -'.sql'.length);

/** The value that a query gets for a name. Throws for a name that only a segment, or only the rights job, has a value for. */
export function parameterOf(name: ParameterName, stage: StageConfig, segment?: Segment): Parameter {
  switch (name) {
    case 'as_of':
    case 'events_since':
      return name;
    case 'ingest_window_days':
      return { literal: String(INGEST_WINDOW_DAYS) };
    case 'duplicate_window_days':
      return { literal: String(DUPLICATE_WINDOW_DAYS) };
    case 'feature_window_days':
      return { literal: String(FEATURE_WINDOW_DAYS) };
    case 'value_window_days':
      return { literal: String(VALUE_WINDOW_DAYS) };
    case 'history_days':
      return { literal: String(HISTORY_DAYS) };
    case 'quiet_seconds':
      return { literal: String(stage.segmentQuietSeconds) };
    case 'segment_id':
    case 'segment_purpose':
      if (!segment) throw new Error(`${name} is known within a segment only`);
      return { literal: `'${name === 'segment_id' ? segment.id : segment.purpose}'` };
    case 'sweep_hours':
      return { literal: String(SWEEP_HOURS) };
    case 'minimum_size':
      throw new Error('minimum_size is known to the plan only');
    case 'request_ids':
      throw new Error('request_ids are known within the rights job only');
  }
}

/**
 * The SELECT of whom a segment admits now, gate and all, as the plan runs it inside its statement. Throws where a file that
 * it is made of is missing.
 */
export function admittedBy(
  segment: Segment,
  { stage, queries }: { stage: StageConfig; queries: readonly Query[] },
): { sql: string; parameters: readonly Parameter[] } {
  const members = queries.find(({ file }) => file === MEMBERS);
  if (!members) throw new Error(`sql/${MEMBERS} is missing`);
  const [before = '', admitted] = members.sql.split(ADMITTED);
  if (admitted === undefined) throw new Error(`sql/${MEMBERS} has no ${ADMITTED}`);
  const from = splitAtPlaceholders(before).length - 1;
  const count = splitAtPlaceholders(admitted).length - 1;
  const part = { ...members, sql: admitted.trim(), parameters: members.parameters.slice(from, from + count) };
  const { sql, parameters } = wrap(part, segment);
  return { sql, parameters: parameters.map((name) => parameterOf(name, stage, segment)) };
}

/** Puts the segment's SELECT into its place in the query, and its parameters between the query's own. */
function wrap(query: Query, segment: Segment): Pick<Query, 'sql' | 'parameters'> {
  const [before, after] = query.sql.split(SEGMENT_QUERY);
  if (before === undefined || after === undefined) throw new Error(`sql/${query.file} has no ${SEGMENT_QUERY}`);
  const count = splitAtPlaceholders(before).length - 1;
  return {
    sql: before + segment.sql + after,
    parameters: [...query.parameters.slice(0, count), ...segment.parameters, ...query.parameters.slice(count)],
  };
}
