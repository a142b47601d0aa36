import { glueColumns, LANDING_PARTITIONS, partitionProjection, type TableDefinition } from '../../domain/tables.ts';

/**
 * What is spelled otherwise on Trino than on Athena, and nothing else: everything that is not named here goes to Trino as
 * it goes to Athena. What Athena itself makes of its own spelling is not verified by a run on Trino.
 */

/** Types of Athena's DDL, which is Hive's, in Trino's words. Iceberg keeps microseconds. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'varchar',
  int: 'integer',
  bigint: 'bigint',
  boolean: 'boolean',
  date: 'date',
  double: 'double',
  timestamp: 'timestamp(6)',
  'array<string>': 'array(varchar)',
  'map<string,string>': 'map(varchar, varchar)',
};

export type Spelling = {
  /** Where Trino finds what Athena finds below `s3://BUCKET/`; without a closing slash. */
  location: string;
  /** Snapshots older than this go with VACUUM, as Trino spells a duration. Athena has it as a table property, five days. */
  snapshotAge: string;
};

const CREATE_TABLE =
  /^CREATE TABLE IF NOT EXISTS (\w+) \(\n([\s\S]*?)\n\)\n(?:PARTITIONED BY \(([^\n]+)\)\n)?LOCATION 's3:\/\/[^/']+(\/[^']*)'\nTBLPROPERTIES \('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd'\)$/;
const ADD_COLUMN = /^ALTER TABLE (\w+) ADD COLUMNS \(`(\w+)` ([^`]+)\)$/;
const OPTIMIZE = /^OPTIMIZE (\w+) REWRITE DATA USING BIN_PACK(\s+WHERE\s[\s\S]+)?$/;
const VACUUM = /^VACUUM (\w+)$/;
const SET_PROPERTIES = /^ALTER TABLE (\w+) SET TBLPROPERTIES \(((?:'\w+' = '\w+'(?:, )?)+)\)$/;
const UNLOAD = /^UNLOAD \(([\s\S]+)\) TO '[^']+' WITH \([^()]+\)$/;
/** The same to both. */
const SAME = /^(?:SELECT|WITH|INSERT|MERGE|UPDATE|DELETE|CREATE OR REPLACE VIEW)\s/i;

/** A statement of the plan as Trino takes it: one statement, or the two that VACUUM stands for. Throws on any other form. */
export function trinoSpelling(athena: string, { location, snapshotAge }: Spelling): string[] {
  const create = CREATE_TABLE.exec(athena);
  if (create) {
    const [, table, columns = '', partitions, path = ''] = create;
    const properties = [
      "format = 'PARQUET'",
      'format_version = 2',
      `location = '${location}${withoutSlash(path)}'`,
      ...(partitions ? [`partitioning = ARRAY[${partitions.split(', ').map(quote).join(', ')}]`] : []),
    ];
    const spelled = columns.split(',\n').map((line) => {
      const [, name = '', type = ''] = /^ {2}`(\w+)` (.+)$/.exec(line) ?? [];
      return `  "${name}" ${typeOf(type)}`;
    });
    return [
      `CREATE TABLE IF NOT EXISTS ${table} (\n${spelled.join(',\n')}\n)\nWITH (\n  ${properties.join(',\n  ')}\n)`,
    ];
  }
  const add = ADD_COLUMN.exec(athena);
  if (add) return [`ALTER TABLE ${add[1]} ADD COLUMN "${add[2]}" ${typeOf(add[3] ?? '')}`];
  const optimize = OPTIMIZE.exec(athena);
  if (optimize) return [`ALTER TABLE ${optimize[1]} EXECUTE optimize${optimize[2] ?? ''}`];
  const vacuum = VACUUM.exec(athena);
  if (vacuum)
    return ['expire_snapshots', 'remove_orphan_files'].map(
      (procedure) => `ALTER TABLE ${vacuum[1]} EXECUTE ${procedure}(retention_threshold => '${snapshotAge}')`,
    );
  const properties = SET_PROPERTIES.exec(athena);
  if (properties) return [setProperties(properties[1] ?? '', properties[2] ?? '')];
  const unload = UNLOAD.exec(athena);
  if (unload) return [unload[1] ?? ''];
  if (SAME.test(athena)) return [athena];
  throw new Error(`no Trino spelling is known for: ${athena.slice(0, 80)}`);
}

/** Trino keeps properties that are not its own beside the table and heeds none: its procedures are told the same in words. */
function setProperties(table: string, list: string): string {
  const pairs = list.split(', ').map((pair) => pair.split(' = '));
  const side = (i: 0 | 1): string => `ARRAY[${pairs.map((pair) => pair[i]).join(', ')}]`;
  return `ALTER TABLE ${table} SET PROPERTIES extra_properties = MAP(${side(0)}, ${side(1)})`;
}

/** A landing table, which in AWS is a Glue resource of the stack, as Trino's DDL: the same columns, partitions and projection. */
export function landingDdl(
  table: TableDefinition,
  { schema, location, rawRetentionDays }: { schema: string; location: string; rawRetentionDays: number },
): string {
  const projection = partitionProjection(table, '', rawRetentionDays);
  const columns = [
    ...glueColumns(table).map(({ name, type }) => `  "${name}" ${hiveTypeOf(type)}`),
    ...LANDING_PARTITIONS.map(({ name }) => `  "${name}" varchar WITH (${projectionOf(name, projection)})`),
  ];
  const template = projection['storage.location.template']?.replace('s3://', location) ?? '';
  return [
    `CREATE TABLE hive.${schema}.${table.name} (\n${columns.join(',\n')}\n)`,
    'WITH (',
    `  external_location = '${location}/${withoutSlash(table.prefix)}',`,
    "  format = 'PARQUET',",
    `  partitioned_by = ARRAY[${LANDING_PARTITIONS.map(({ name }) => quote(name)).join(', ')}],`,
    `  partition_projection_enabled = ${projection['projection.enabled']},`,
    `  partition_projection_location_template = ${quote(template)}`,
    ')',
  ].join('\n');
}

/** The projection of one partition key: Glue has it among the table's parameters, Trino as properties of the column. */
function projectionOf(key: string, parameters: Readonly<Record<string, string>>): string {
  const value = (name: string): string | undefined => parameters[`projection.${key}.${name}`];
  const texts = (list: string): string => `ARRAY[${list.split(',').map(quote).join(', ')}]`;
  const spelled = {
    type: quote(value('type')?.toUpperCase() ?? ''),
    format: value('format') && quote(value('format') ?? ''),
    range: value('range') && texts(value('range') ?? ''),
    interval: value('interval'),
    interval_unit: value('interval.unit') && quote(value('interval.unit') ?? ''),
    digits: value('digits'),
  };
  return Object.entries(spelled)
    .flatMap(([name, text]) => (text === undefined ? [] : [`partition_projection_${name} = ${text}`]))
    .join(', ');
}

/** The catalogue of plain files reads times to the millisecond, which is what `land` writes. */
const hiveTypeOf = (hive: string): string => (hive === 'timestamp' ? 'timestamp(3)' : typeOf(hive));

function typeOf(hive: string): string {
  const type = /^decimal\(\d+,\d+\)$/.test(hive) ? hive : TYPES[hive];
  if (type === undefined) throw new Error(`no Trino spelling is known for the type ${hive}`);
  return type;
}

const quote = (text: string): string => `'${text}'`;
const withoutSlash = (path: string): string => path.replace(/\/$/, '');
