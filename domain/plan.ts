import type { PaulaConfig, StageConfig } from './config.ts';
import { DUPLICATE_WINDOW_DAYS, INGEST_WINDOW_DAYS } from './ingest-window.ts';
import { splitAtPlaceholders } from './placeholders.ts';
import { specialCategoryFinder } from './special-categories.ts';
import { isSpecialSegment, specialSegmentRefusals } from './special-segments.ts';
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

/** A value that a statement takes for a `?`: the run's time, or an SQL literal that the configuration gives. */
export type Parameter = 'as_of' | { literal: string };

/**
 * One step of the plan. The state machine is generated from these and the local runner interprets them; neither knows
 * more. SQL is Athena's; both put the parameters between the pieces of `splitAtPlaceholders`. `create_table` makes an
 * Iceberg table; `add_column` runs only where the table lacks the column; `statement` runs one statement; `unload` writes
 * the rows of its SELECT as gzipped JSON lines under `unloadPrefix(segment, run)`; `publish` hands that prefix to the
 * publish function.
 */
export type Step =
  | { kind: 'create_table'; id: string; table: string; sql: string }
  | { kind: 'add_column'; id: string; table: string; column: string; sql: string }
  | { kind: 'statement'; id: string; sql: string; parameters: readonly Parameter[] }
  | { kind: 'unload'; id: string; segment: string; sql: string; parameters: readonly Parameter[] }
  | { kind: 'publish'; id: string; segment: string; lifetimeDays: number };

/** What a `publish` step hands to its function. `as_of` is ISO 8601 with milliseconds and Z. */
export type PublishInput = { segment: string; as_of: string; prefix: string; lifetime_days: number };

/** Where one run's difference of a segment is unloaded to, with its closing slash. `run` names the execution. */
export const unloadPrefix = (segment: string, run: string): string => `unload/${segment}/${run}/`;

/** `as_of` as an Athena literal. */
export const asOfLiteral = (asOf: Date): string => `TIMESTAMP '${asOf.toISOString().slice(0, 23).replace('T', ' ')}'`;

/** A step's parameters as SQL literals. */
export const literalsOf = (parameters: readonly Parameter[], asOf: Date): string[] =>
  parameters.map((parameter) => (parameter === 'as_of' ? asOfLiteral(asOf) : parameter.literal));

/** Days of receipt that features describe: a season's behaviour, and what a lookalike model is trained on. */
export const FEATURE_WINDOW_DAYS = 90;

/**
 * How long the lake's lease holds. The state machine ends a minute earlier, counted from its start, so that no run outlives
 * the lease that it holds. A writer that died keeps the others waiting for no longer than this.
 */
export const LEASE_SECONDS = 3600;

/** The order of the queries: what withdraws or erases comes before the events that it concerns. */
const VIEWS = ['views/withdrawals.sql', 'views/live_links.sql', 'views/profile_events.sql', 'views/order_lines.sql'];
const INGEST = ['links', 'consents', 'erasures', 'rights', 'events'].map((table) => `ingest/${table}.sql`);
const FEATURES = 'features.sql';
const MEMBERS = 'membership/members.sql';
const DIFFERENCE = 'membership/difference.sql';
const HISTORY = 'membership/history.sql';

/** The files that `buildPlan` needs besides the segments, by their paths below `sql/`. */
export const QUERY_FILES: readonly string[] = [...VIEWS, ...INGEST, FEATURES, MEMBERS, DIFFERENCE, HISTORY];

/** Columns that the platform's own tables have got since they were first made: a lake of before gets them too. */
const LATER_COLUMNS = [{ table: 'erasures', name: 'salt' }] as const;

/** Where a query takes in the columns that the tracking plan adds, with the alias that they are read from. */
const BRAND_COLUMNS = /\/\* , (?:(\w+)\.)?brand columns \*\//g;

/** Where `membership/members.sql` takes in the segment's SELECT. */
const SEGMENT_QUERY = '/* segment */';

/**
 * The steps from landing to audiences, in order. Everything in it may run twice: a table that exists stays, a MERGE writes
 * differences, and a segment's row in `audience_history` is written after its publish, so that it marks what is published.
 * `queries` holds at least `QUERY_FILES`; `bucket` is the lake's. Throws where a file or a configured destination is missing,
 * and for a segment of a special category that may not be built.
 */
export function buildPlan(input: {
  config: PaulaConfig;
  stage: StageConfig;
  bucket: string;
  queries: readonly Query[];
  segments: readonly Segment[];
}): Step[] {
  const { config, stage, bucket, queries, segments } = input;
  const { extraTerms, explicitConsentPurpose } = config.specialCategories;
  const findSpecial = specialCategoryFinder(extraTerms);
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
    names.map((name) => parameterOf(name, stage, segment));
  const statement = (id: string, file: string): Step => {
    const { sql, parameters } = queryOf(file);
    return { kind: 'statement', id, sql, parameters: parametersOf(parameters) };
  };

  const forSegment = (segment: Segment): Step[] => {
    for (const destination of segment.destinations)
      if (!config.destinations[destination])
        throw new Error(`${segment.file}: destinations: "${destination}" is not in paula.config.ts`);
    const refusals = specialSegmentRefusals(segment, findSpecial, explicitConsentPurpose);
    if (refusals.length > 0) throw new Error(refusals.map((refusal) => `${segment.file}: ${refusal}`).join('\n'));
    const { id } = segment;
    const difference = queryOf(DIFFERENCE);
    const history = queryOf(HISTORY);
    const members = wrap(queryOf(MEMBERS), segment);
    return [
      {
        kind: 'statement',
        id: `${id}-members`,
        sql: members.sql,
        parameters: parametersOf(members.parameters, segment),
      },
      {
        kind: 'unload',
        id: `${id}-difference`,
        segment: id,
        sql: isSpecialSegment(segment, findSpecial) ? withoutActivation(difference.sql) : difference.sql,
        parameters: parametersOf(difference.parameters, segment),
      },
      { kind: 'publish', id: `${id}-publish`, segment: id, lifetimeDays: segment.lifetimeDays },
      {
        kind: 'statement',
        id: `${id}-history`,
        sql: history.sql,
        parameters: parametersOf(history.parameters, segment),
      },
    ];
  };

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
    statement('features', FEATURES),
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
      return 'as_of';
    case 'ingest_window_days':
      return { literal: String(INGEST_WINDOW_DAYS) };
    case 'duplicate_window_days':
      return { literal: String(DUPLICATE_WINDOW_DAYS) };
    case 'feature_window_days':
      return { literal: String(FEATURE_WINDOW_DAYS) };
    case 'quiet_seconds':
      return { literal: String(stage.segmentQuietSeconds) };
    case 'segment_id':
      if (!segment) throw new Error('segment_id is known within a segment only');
      return { literal: `'${segment.id}'` };
    case 'sweep_hours':
      return { literal: String(SWEEP_HOURS) };
    case 'request_ids':
      throw new Error('request_ids are known within the rights job only');
  }
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
