import type { PaulaConfig, StageConfig } from './config.ts';
import { withKeptFields } from './kept-fields.ts';
import { bindPlaceholders } from './placeholders.ts';
import { literalsOf, type Parameter, parameterOf, type Step } from './plan.ts';
import { PURPOSES } from './purposes.ts';
import type { Query, Segment } from './sql-file.ts';
import { LEDGER_YEARS, PROOF_YEARS, stores } from './stores.ts';
import { brandColumns, lakeTables } from './tables.ts';

/** What the function `erase` does in one call; `lambdas/erase.ts` says how. */
export type ErasureTask = 'open' | 'items' | 'objects' | 'bundles' | 'leftovers' | 'close';

/** What a `call` step hands to the function. `as_of` is ISO 8601 with milliseconds and Z; `run` names the execution. */
export type ErasureInput = {
  task: ErasureTask;
  as_of: string;
  run: string;
  cursor?: string;
  /** What people are told of each segment, by its id; for the bundles alone. */
  segments?: Readonly<Record<string, SegmentText>>;
};

/** What a segment is called and says of itself. */
export type SegmentText = Pick<Segment, 'name' | 'description'>;

/**
 * One step of the rights job. Statements and unloads are the plan's own kinds. `call` calls the function `erase`, again and
 * again while its answer has a cursor. `maintain` is a statement that Iceberg alone needs: the local lake, which is no
 * Iceberg, is written anew as a whole instead.
 */
export type ErasureStep =
  | Extract<Step, { kind: 'statement' | 'unload' }>
  | { kind: 'maintain'; id: string; table: string; sql: string }
  | { kind: 'call'; id: string; task: ErasureTask; segments?: Readonly<Record<string, SegmentText>> };

/** Stands in a statement for the ids of the requests of a run, and is replaced by them as a list of literals. */
export const REQUEST_IDS = '{request_ids}';

/** A list of request ids as it stands in SQL; ids are base64url, so none can end a literal. Empty: a list that holds none. */
export const requestIdsLiteral = (ids: readonly string[]): string =>
  ids.length === 0 ? "''" : ids.map((id) => `'${id}'`).join(', ');

/** A statement of the job with its values: the run's time, and in the place of `REQUEST_IDS` the literals of its requests. */
export const boundStatement = (
  { sql, parameters }: Pick<Extract<ErasureStep, { kind: 'statement' }>, 'sql' | 'parameters'>,
  asOf: Date,
  requests: string,
): string =>
  bindPlaceholders(
    sql,
    literalsOf(parameters, asOf).map((literal) => (literal === REQUEST_IDS ? requests : literal)),
  );

/** What a step hands to the function `erase`, in the execution `run`. */
export const callInput = (
  { task, segments }: Extract<ErasureStep, { kind: 'call' }>,
  asOf: Date,
  run: string,
): ErasureInput => ({ task, as_of: asOf.toISOString(), run, ...(segments && { segments }) });

/** How often the job looks for requests. The law gives a month; a page that shows a bundle should not wait for a day. */
export const JOB_SECONDS = 3600;

/**
 * Withdrawn and expired rows leave the lake within a day, whether or not anybody asked. The look after these hours comes up
 * to an hour later, and waits for up to half an hour for the lease.
 */
export const MAINTENANCE_HOURS = 22;

/** An access request's hash is needed for as long as its bundle could be asked for again. */
const ACCESS_DAYS = 90;

const YEAR_DAYS = 366;

/** The unloads, by the folder below `unload/` that each gets; "-" keeps them apart from segments. */
export const UNLOADS = {
  linkedDevices: 'rights-linked-devices',
  events: 'rights-events',
  segments: 'rights-segments',
  features: 'rights-features',
  known: 'rights-known',
  files: (table: string): string => `rights-files-${table}`,
} as const;

const LINKED_DEVICES = 'erasure/linked_devices.sql';
const LINKED_TOMBSTONES = 'erasure/linked_tombstones.sql';
const KNOWN = 'access/known_requests.sql';
const INGEST = ['ingest/erasures.sql', 'ingest/rights.sql'];
const ACCESS = {
  'access/events.sql': UNLOADS.events,
  'access/segments.sql': UNLOADS.segments,
  'access/features.sql': UNLOADS.features,
} as const;

/** What ends and cuts rows of withdrawn subjects; the other statements are named by the list of stores. */
const WITHDRAWN = 'erasure/withdrawn_events.sql';

/** The files that `buildErasure` needs, by their paths below `sql/`. */
export function erasureFiles(config: PaulaConfig): readonly string[] {
  const unloaded = [LINKED_DEVICES, KNOWN, ...Object.keys(ACCESS)];
  return [...INGEST, LINKED_TOMBSTONES, ...statementFiles(config), WITHDRAWN, ...unloaded];
}

/** Where a query takes in the columns that the tracking plan adds, with the alias that they are read from. */
const BRAND_COLUMNS = /\/\* , (\w+)\.brand columns \*\//g;

/**
 * The steps of the rights job, in order. Everything may run twice. Statements judge by the times in the ledger, so they are
 * the same in every run; the function knows which requests a run is about. `queries` holds at least `erasureFiles`.
 */
export function buildErasure(input: {
  config: PaulaConfig;
  stage: StageConfig;
  bucket: string;
  queries: readonly Query[];
  segments: readonly Segment[];
}): ErasureStep[] {
  const { config, stage, bucket, queries } = input;
  const segments = Object.fromEntries(input.segments.map(({ id, name, description }) => [id, { name, description }]));
  const statement = (id: string, file: string): ErasureStep => {
    const { sql, parameters } = queryOf(file, queries);
    return { kind: 'statement', id, sql, parameters: parameters.map((name) => parameterFor(name, stage)) };
  };
  const unload = (id: string, folder: string, file: string): ErasureStep => {
    const { sql, parameters } = queryOf(file, queries);
    const branded = sql.replace(BRAND_COLUMNS, (_, alias: string) =>
      brandColumns(config)
        .map(({ name }) => `, ${alias}."${name}"`)
        .join(''),
    );
    return {
      kind: 'unload',
      id,
      segment: folder,
      sql: branded,
      parameters: parameters.map((name) => parameterFor(name, stage)),
    };
  };
  const iceberg = lakeTables(config).filter(({ kind }) => kind === 'iceberg');

  return [
    ...INGEST.map((file) => statement(`rights-${nameOf(file)}`, file)),
    unload('linked-devices', UNLOADS.linkedDevices, LINKED_DEVICES),
    statement('linked-tombstones', LINKED_TOMBSTONES),
    unload('known-requests', UNLOADS.known, KNOWN),
    { kind: 'call', id: 'items', task: 'items' },
    ...statementFiles(config).map((file) => statement(`erase-${nameOf(file)}`, file)),
    withdrawn(config, queries),
    ...retention(config),
    ...iceberg.flatMap(({ name }) => maintenance(name, bucket)),
    ...Object.entries(ACCESS).map(([file, folder]) => unload(`access-${nameOf(file)}`, folder, file)),
    { kind: 'call', id: 'bundles', task: 'bundles', segments },
    { kind: 'call', id: 'leftovers', task: 'leftovers' },
    { kind: 'call', id: 'objects', task: 'objects' },
    { kind: 'call', id: 'close', task: 'close' },
  ];
}

/** Of each table that is erased by a statement, its file. */
const statementFiles = (config: PaulaConfig): string[] =>
  stores(config).flatMap(({ erasure }) => (erasure.by === 'statement' ? [erasure.file] : []));

function queryOf(file: string, queries: readonly Query[]): Query {
  const query = queries.find((candidate) => candidate.file === file);
  if (!query) throw new Error(`sql/${file} is missing`);
  return query;
}

const parameterFor = (name: Query['parameters'][number], stage: StageConfig): Parameter =>
  name === 'request_ids' ? { literal: REQUEST_IDS } : parameterOf(name, stage);

const nameOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1, -'.sql'.length);

const withdrawn = (config: PaulaConfig, queries: readonly Query[]): ErasureStep => {
  const { sql } = queryOf(WITHDRAWN, queries);
  return { kind: 'statement', id: 'erase-withdrawn', sql: withKeptFields(sql, config), parameters: [] };
};

/** Rows that no purpose holds any longer. `days` back from the run's time. */
function retention({ purposes }: PaulaConfig): ErasureStep[] {
  const before = (days: number): string => `date_add('day', -${days}, ?)`;
  const held = PURPOSES.map((purpose) => {
    const since = `CAST(${before(purposes[purpose].retentionDays)} AS date)`;
    return `(contains(purposes, '${purpose}') AND received_day >= ${since})`;
  });
  const shortest = Math.min(...PURPOSES.map((purpose) => purposes[purpose].retentionDays));
  const rule = (table: string, where: string): ErasureStep => ({
    kind: 'statement',
    id: `retention-${table}`,
    sql: `DELETE FROM ${table}\nWHERE ${where}`,
    parameters: [...where].flatMap((char): Parameter[] => (char === '?' ? ['as_of'] : [])),
  });
  return [
    rule(
      'events',
      `received_day < CAST(${before(shortest)} AS date) AND basis <> 'anonymous'\n  AND NOT (${held.join('\n    OR ')})`,
    ),
    rule('profile_days', `day < CAST(${before(purposes.profile.retentionDays)} AS date)`),
    rule('links', `coalesce(removed_at, since) < ${before(purposes.identity_merge.retentionDays)}`),
    rule('consents', `expires_at < ${before(PROOF_YEARS * YEAR_DAYS)}`),
    rule('erasures', `erased_at < ${before(LEDGER_YEARS * YEAR_DAYS)}`),
    rule(
      'rights',
      `(request_kind = 'access' AND requested_at < ${before(ACCESS_DAYS)})\n  OR requested_at < ${before(LEDGER_YEARS * YEAR_DAYS)}`,
    ),
  ];
}

/**
 * Athena's defaults keep snapshots for five days, orphans as long, a hundred metadata files (which hold the lowest and
 * highest value of columns), and a data file with fewer than five delete files as it is. An erasure needs all of it at once.
 * Nothing else writes while the lease is held, so no file of a statement under way is taken for an orphan.
 */
const AT_ONCE = {
  vacuum_max_snapshot_age_seconds: '1',
  vacuum_min_snapshots_to_keep: '1',
  vacuum_max_metadata_files_to_keep: '1',
  optimize_rewrite_delete_file_threshold: '1',
} as const;

/** Deletes leave delete files beside the data: rewrite, expire, remove orphans, and say which files the table still has. */
function maintenance(table: string, bucket: string): ErasureStep[] {
  const properties = Object.entries(AT_ONCE).map(([name, value]) => `'${name}' = '${value}'`);
  const folder = UNLOADS.files(table);
  const step = (verb: string, sql: string): ErasureStep => ({ kind: 'maintain', id: `${verb}-${table}`, table, sql });
  return [
    step('properties', `ALTER TABLE ${table} SET TBLPROPERTIES (${properties.join(', ')})`),
    step('optimize', `OPTIMIZE ${table} REWRITE DATA USING BIN_PACK`),
    step('vacuum', `VACUUM ${table}`),
    step(
      'files',
      `UNLOAD (SELECT file_path FROM "${table}$files") TO 's3://${bucket}/unload/${folder}/{run}/' WITH (format = 'JSON')`,
    ),
  ];
}
