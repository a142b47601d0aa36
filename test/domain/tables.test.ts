import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../domain/config.ts';
import { STANDARD_FIELDS } from '../../domain/standard-fields.ts';
import {
  addColumnDdl,
  athenaDdl,
  brandColumns,
  duckDbDdl,
  glueColumns,
  lakeTables,
  partitionProjection,
  tableOf,
} from '../../domain/tables.ts';
import demo from '../../paula.config.ts';

const tables = lakeTables(demo);
const names = (table: string): string[] => tableOf(tables, table).columns.map(({ name }) => name);

/** The demo with two fields of the brand's own as columns. */
const branded = parseConfig({
  ...demo,
  trackingPlan: {
    ...demo.trackingPlan,
    fields: {
      ...demo.trackingPlan.fields,
      skin_type: { type: 'text', purposes: ['profile'], column: true },
      margin: { type: 'decimal', purposes: ['measurement'], column: true },
    },
  },
});

describe('lakeTables', () => {
  it('has one row for all that a standard field may hold, products excepted, and the same columns in landing', () => {
    for (const field of Object.keys(STANDARD_FIELDS))
      if (field !== 'products') expect(names('events')).toContain(field);
    expect(names('events').filter((name) => name !== 'received_day')).toEqual(names('landing_events'));
    expect(names('landing_consents')).toEqual([...names('consents'), 'shard', 'sequence_number']);
  });

  it('adds a column for each field of the brand that asks for one, in landing too', () => {
    expect(brandColumns(demo)).toEqual([]);
    expect(brandColumns(branded)).toEqual([
      { name: 'margin', type: 'decimal' },
      { name: 'skin_type', type: 'text' },
    ]);
    for (const table of ['landing_events', 'events'])
      expect(tableOf(lakeTables(branded), table).columns.slice(-2)).toEqual(brandColumns(branded));
  });

  it('keeps tables apart in the bucket', () => {
    const prefixes = tables.map(({ prefix }) => prefix);
    for (const prefix of prefixes) expect(prefixes.filter((other) => other.startsWith(prefix))).toEqual([prefix]);
  });

  it('has no column that could hold an address, a user agent or a URL', () => {
    const all = tables.flatMap(({ columns }) => columns.map(({ name }) => name));
    // Which permission there is and since when; its text's version is a date.
    const permission = /^email_(permission|requested_at|confirmed_at|text_version)$/;
    const suspicious = all.filter((name) => /(^|_)(ip|address|user_agent|url|email|query)($|_)/.test(name));
    expect(suspicious.filter((name) => !permission.test(name))).toEqual([]);
  });
});

describe('emitters', () => {
  it('spell an Iceberg table for Athena', () => {
    expect(athenaDdl(tableOf(tables, 'segment_members'), 'my-lake')).toBe(
      [
        'CREATE TABLE IF NOT EXISTS segment_members (',
        '  `segment_id` string,',
        '  `profile_id` string,',
        '  `entered_at` timestamp,',
        '  `left_at` timestamp',
        ')',
        "LOCATION 's3://my-lake/lake/segment_members/'",
        "TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd')",
      ].join('\n'),
    );
    expect(athenaDdl(tableOf(tables, 'events'), 'my-lake')).toMatch(/\)\nPARTITIONED BY \(received_day\)\nLOCATION/);
    expect(() => athenaDdl(tableOf(tables, 'landing_events'), 'my-lake')).toThrow('is a Glue resource');
  });

  it('spell types for Glue and DuckDB', () => {
    const some = ['value', 'purposes', 'properties', 'occurred_at', 'quantity', 'schema_version', 'is_bot'];
    const events = tableOf(tables, 'events');
    expect(glueColumns(events).filter(({ name }) => some.includes(name))).toEqual([
      { name: 'schema_version', type: 'int' },
      { name: 'occurred_at', type: 'timestamp' },
      { name: 'quantity', type: 'bigint' },
      { name: 'value', type: 'decimal(18,4)' },
      { name: 'is_bot', type: 'boolean' },
      { name: 'purposes', type: 'array<string>' },
      { name: 'properties', type: 'map<string,string>' },
    ]);
    expect(duckDbDdl(tableOf(tables, 'rejected'))).toContain('"path" VARCHAR');
    expect(duckDbDdl(tableOf(tables, 'rejected'))).toContain('"dt" VARCHAR');
    expect(glueColumns(tableOf(tables, 'rejected')).map(({ name }) => name)).not.toContain('dt');
  });

  it('spell a new column and the projection of partitions', () => {
    expect(addColumnDdl(tableOf(tables, 'events'), { name: 'margin', type: 'decimal' })).toBe(
      'ALTER TABLE events ADD COLUMNS (`margin` decimal(18,4))',
    );
    expect(partitionProjection(tableOf(tables, 'rejected'), 'my-lake', 30)).toMatchObject({
      'projection.dt.range': 'NOW-30DAYS,NOW+1DAYS',
      'projection.hour.digits': '2',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Athena's own placeholders
      'storage.location.template': 's3://my-lake/rejected/dt=${dt}/hour=${hour}/',
    });
  });
});
