import type { PaulaConfig } from './config.ts';
import type { FieldType } from './standard-fields.ts';

/** Column types in the lake's own words; the emitters below spell them for Athena, Glue and DuckDB. */
export type ColumnType =
  | 'text'
  | 'integer'
  | 'bigint'
  | 'boolean'
  | 'decimal'
  | 'timestamp'
  | 'date'
  | 'double'
  | 'texts'
  | 'text_map';

export type Column = { name: string; type: ColumnType };

/**
 * A table of the lake. `landing`: Parquet that `land` writes under `prefix`, partitioned by dt and hour, projected, and a
 * CDK (Glue) resource. `iceberg`: made and evolved by the plan's first step.
 */
export type TableDefinition = {
  name: string;
  kind: 'landing' | 'iceberg';
  /** S3 prefix with its closing slash. */
  prefix: string;
  columns: readonly Column[];
  /** Iceberg partition expressions, e.g. `received_day`, `month(day)`. */
  partitionedBy?: readonly string[];
};

/** Digits before and after the point of every amount: ten to the fourteenth in a currency's units, four places. */
export const DECIMAL = { precision: 18, scale: 4 } as const;

/** Partition keys of every landing table: the UTC day and hour in which the batch's first record arrived. */
export const LANDING_PARTITIONS: readonly Column[] = [
  { name: 'dt', type: 'text' },
  { name: 'hour', type: 'text' },
];

const text = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'text' }));
const timestamp = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'timestamp' }));
const date = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'date' }));
const bigint = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'bigint' }));

/** Where a row stood in the stream: what makes two copies of one delivery tell-able, and an order within a shard. */
const STREAM_POSITION = text('shard', 'sequence_number');

const EVENT_COLUMNS: readonly Column[] = [
  ...text('event_id'),
  { name: 'schema_version', type: 'integer' },
  ...text('source', 'site', 'event'),
  ...timestamp('occurred_at', 'received_at'),
  { name: 'time_clamped', type: 'boolean' },
  ...text('device_id', 'person_id', 'click_id', 'campaign', 'placement', 'creative'),
  ...text('product_id', 'category', 'order_id'),
  { name: 'quantity', type: 'bigint' },
  { name: 'value', type: 'decimal' },
  ...text('currency', 'page_path', 'referrer_host', 'utm_source', 'utm_medium', 'utm_campaign'),
  ...text('device_class', 'browser', 'os', 'country'),
  { name: 'is_bot', type: 'boolean' },
  ...text('bot_reason'),
  { name: 'purposes', type: 'texts' },
  ...text('basis'),
  ...STREAM_POSITION,
  { name: 'properties', type: 'text_map' },
];

const LINK_COLUMNS: readonly Column[] = [
  ...text('device_id', 'person_id'),
  ...timestamp('since'),
  ...text('receipt_id'),
  ...timestamp('removed_at'),
];

const CONSENT_COLUMNS: readonly Column[] = [
  ...text('receipt_id', 'subject', 'site'),
  { name: 'granted', type: 'texts' },
  { name: 'withdrawn', type: 'texts' },
  ...text('method', 'notice_version'),
  ...timestamp('given_at', 'expires_at'),
  ...text('prior_receipt_id', 'controller', 'language', 'notice_digest', 'legal_basis', 'region'),
  ...text('signal_kind', 'signal_digest'),
  ...timestamp('signal_updated_at'),
  ...text('email_permission'),
  ...timestamp('email_requested_at', 'email_confirmed_at'),
  ...text('email_text_version'),
];

const ERASURE_COLUMNS: readonly Column[] = [
  ...text('tombstone', 'request_id'),
  ...timestamp('erased_at'),
  ...text('salt'),
];

const RIGHT_COLUMNS: readonly Column[] = [
  ...text('request_kind', 'subject_hash', 'salt', 'request_id'),
  ...timestamp('requested_at'),
];

/** See `sql/profile_days.sql`: what a subject did on a day of receipt, added up by what it was about. */
const PROFILE_DAY_COLUMNS: readonly Column[] = [
  { name: 'day', type: 'date' },
  ...text('subject'),
  { name: 'is_person', type: 'boolean' },
  ...text('event'),
  { name: 'occurred_on', type: 'date' },
  ...text('product_id', 'category', 'campaign', 'placement', 'device_class', 'currency'),
  ...bigint('events', 'times'),
  { name: 'value', type: 'decimal' },
  ...timestamp('first_at', 'last_at', 'first_received_at', 'last_received_at', 'unpersonalised_at', 'unactivated_at'),
];

/** See `sql/profile_features.sql`. */
const PROFILE_FEATURE_COLUMNS: readonly Column[] = [
  ...text('profile_id'),
  ...date('first_seen_on', 'last_seen_on'),
  ...bigint('days_since_seen', 'active_days', 'impressions', 'clicks', 'page_views', 'product_views', 'adds', 'orders'),
  ...bigint('mails_opened', 'mails_clicked', 'days_since_mail', 'funnel_step'),
  ...date('first_order_on', 'last_order_on'),
  ...bigint('days_since_order', 'orders_year'),
  { name: 'order_value', type: 'decimal' },
  ...text('order_currency', 'top_product', 'top_category', 'top_campaign', 'top_placement', 'top_device'),
];

const BRAND_COLUMN_TYPES: Readonly<Record<Exclude<FieldType, 'products'>, ColumnType>> = {
  text: 'text',
  integer: 'bigint',
  decimal: 'decimal',
  boolean: 'boolean',
  currency: 'text',
};

/** The columns that the tracking plan adds to `landing_events` and `events`, by name, so that their order never moves. */
export function brandColumns(config: PaulaConfig): readonly Column[] {
  return Object.entries(config.trackingPlan.fields)
    .flatMap(([name, { column, type }]) =>
      column && type !== 'products' ? [{ name, type: BRAND_COLUMN_TYPES[type] }] : [],
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Every table of the lake, with a column for each tracking-plan field that asks for one. */
export function lakeTables(config: PaulaConfig): readonly TableDefinition[] {
  const brand = brandColumns(config);
  return [
    landing('landing_events', 'landing/', [...EVENT_COLUMNS, ...brand]),
    landing('rejected', 'rejected/', [
      ...timestamp('received_at'),
      ...text('source', 'site', 'event', 'reason', 'path'),
      ...STREAM_POSITION,
    ]),
    landing('landing_links', 'landing-links/', [...LINK_COLUMNS, ...STREAM_POSITION]),
    landing('landing_consents', 'landing-consents/', [...CONSENT_COLUMNS, ...STREAM_POSITION]),
    landing('landing_erasures', 'landing-erasures/', [...ERASURE_COLUMNS, ...STREAM_POSITION]),
    landing('landing_rights', 'landing-rights/', [...RIGHT_COLUMNS, ...STREAM_POSITION]),
    iceberg('events', [...EVENT_COLUMNS, { name: 'received_day', type: 'date' }, ...brand], ['received_day']),
    iceberg('links', LINK_COLUMNS),
    iceberg('consents', CONSENT_COLUMNS),
    iceberg('erasures', ERASURE_COLUMNS),
    iceberg('rights', RIGHT_COLUMNS),
    // By month: a writer may have a hundred partitions open, and the first run writes more days than that.
    iceberg('profile_days', PROFILE_DAY_COLUMNS, ['month(day)']),
    iceberg('profile_subjects', [
      ...text('subject', 'profile_id'),
      { name: 'has_objected', type: 'boolean' },
      ...timestamp('counts_from', 'mail_counts_from', 'erased_at'),
    ]),
    iceberg('features', text('profile_id', 'family', 'feature')),
    iceberg('profile_features', PROFILE_FEATURE_COLUMNS),
    iceberg('profile_purposes', [...text('profile_id', 'purpose'), ...timestamp('expires_at')]),
    iceberg('segment_members', [...text('segment_id', 'profile_id'), ...timestamp('entered_at', 'left_at')]),
    iceberg('audience_history', [
      ...timestamp('as_of'),
      ...text('segment_id'),
      { name: 'size', type: 'bigint' },
      { name: 'entered', type: 'bigint' },
      { name: 'left_count', type: 'bigint' },
    ]),
  ];
}

/** A table by its name; throws where there is none. */
export function tableOf(tables: readonly TableDefinition[], name: string): TableDefinition {
  const table = tables.find((candidate) => candidate.name === name);
  if (!table) throw new Error(`the lake has no table "${name}"`);
  return table;
}

function landing(name: string, prefix: string, columns: readonly Column[]): TableDefinition {
  return { name, kind: 'landing', prefix, columns };
}

function iceberg(name: string, columns: readonly Column[], partitionedBy?: readonly string[]): TableDefinition {
  return { name, kind: 'iceberg', prefix: `lake/${name}/`, columns, ...(partitionedBy && { partitionedBy }) };
}

const HIVE_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'string',
  integer: 'int',
  bigint: 'bigint',
  boolean: 'boolean',
  decimal: `decimal(${DECIMAL.precision},${DECIMAL.scale})`,
  timestamp: 'timestamp',
  date: 'date',
  double: 'double',
  texts: 'array<string>',
  text_map: 'map<string,string>',
};

const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  boolean: 'BOOLEAN',
  decimal: `DECIMAL(${DECIMAL.precision},${DECIMAL.scale})`,
  timestamp: 'TIMESTAMP',
  date: 'DATE',
  double: 'DOUBLE',
  texts: 'VARCHAR[]',
  text_map: 'MAP(VARCHAR, VARCHAR)',
};

/** Columns as a Glue table wants them; partition keys are not among them. */
export function glueColumns({ columns }: Pick<TableDefinition, 'columns'>): { name: string; type: string }[] {
  return columns.map(({ name, type }) => ({ name, type: HIVE_TYPES[type] }));
}

/**
 * Glue parameters that make Athena compute a landing table's partitions instead of listing them. The range is what the
 * bucket can hold: the retention of raw data, and a day ahead for a clock that runs before Athena's.
 */
export function partitionProjection(
  table: TableDefinition,
  bucket: string,
  rawRetentionDays: number,
): Record<string, string> {
  return {
    'projection.enabled': 'true',
    'projection.dt.type': 'date',
    'projection.dt.format': 'yyyy-MM-dd',
    'projection.dt.range': `NOW-${rawRetentionDays}DAYS,NOW+1DAYS`,
    'projection.dt.interval': '1',
    'projection.dt.interval.unit': 'DAYS',
    'projection.hour.type': 'integer',
    'projection.hour.range': '0,23',
    'projection.hour.digits': '2',
    'storage.location.template': `s3://${bucket}/${table.prefix}dt=\${dt}/hour=\${hour}/`,
  };
}

/** Athena DDL that makes an Iceberg table (Athena makes format version 2) and changes nothing where it exists. */
export function athenaDdl(table: TableDefinition, bucket: string): string {
  if (table.kind !== 'iceberg') throw new Error(`"${table.name}" is a Glue resource, not made by DDL`);
  const columns = glueColumns(table).map(({ name, type }) => `  \`${name}\` ${type}`);
  return [
    `CREATE TABLE IF NOT EXISTS ${table.name} (`,
    columns.join(',\n'),
    ')',
    ...(table.partitionedBy ? [`PARTITIONED BY (${table.partitionedBy.join(', ')})`] : []),
    `LOCATION 's3://${bucket}/${table.prefix}'`,
    "TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd')",
  ].join('\n');
}

/** Athena DDL that adds one column; it fails where the column exists, so it is an `add_column` step of the plan. */
export function addColumnDdl(table: TableDefinition, column: Column): string {
  return `ALTER TABLE ${table.name} ADD COLUMNS (\`${column.name}\` ${HIVE_TYPES[column.type]})`;
}

/** Columns as DuckDB wants them; a landing table has its partition keys among them. */
export function duckDbColumns({ kind, columns }: TableDefinition): { name: string; type: string }[] {
  const all = kind === 'landing' ? [...columns, ...LANDING_PARTITIONS] : columns;
  return all.map(({ name, type }) => ({ name, type: DUCKDB_TYPES[type] }));
}

/** DuckDB DDL of the same table. */
export function duckDbDdl(table: TableDefinition): string {
  const lines = duckDbColumns(table).map(({ name, type }) => `  "${name}" ${type}`);
  return `CREATE TABLE IF NOT EXISTS ${table.name} (\n${lines.join(',\n')}\n)`;
}

/** DuckDB's counterpart of `addColumnDdl`. */
export function duckDbAddColumnDdl(table: TableDefinition, column: Column): string {
  return `ALTER TABLE ${table.name} ADD COLUMN IF NOT EXISTS "${column.name}" ${DUCKDB_TYPES[column.type]}`;
}
