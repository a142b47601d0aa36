import { describe, expect, it } from '@jest/globals';
import { landingDdl, trinoSpelling } from '../../conformance/sql/trino-spelling.ts';
import { addColumnDdl, athenaDdl, lakeTables, tableOf } from '../../domain/tables.ts';
import demo from '../../paula.config.ts';

const tables = lakeTables(demo);
const SPELLING = { location: 'local:///lake', snapshotAge: '5d' };
const spelled = (athena: string) => trinoSpelling(athena, SPELLING);

describe('trinoSpelling', () => {
  it('knows the DDL of every Iceberg table and of a column that is added', () => {
    const iceberg = tables.filter(({ kind }) => kind === 'iceberg');
    expect(iceberg.length).toBeGreaterThan(5);
    for (const table of iceberg) {
      const [ddl = '', ...more] = spelled(athenaDdl(table, 'bucket'));
      expect(more).toEqual([]);
      expect(ddl).not.toContain('`');
      for (const column of table.columns) {
        expect(ddl).toContain(`"${column.name}" `);
        expect(spelled(addColumnDdl(table, column))).toHaveLength(1);
      }
    }
  });

  it('spells columns, place, partitions and format', () => {
    const table = {
      name: 'notes',
      kind: 'iceberg',
      prefix: 'lake/notes/',
      partitionedBy: ['day'],
      columns: [
        { name: 'id', type: 'text' },
        { name: 'amount', type: 'decimal' },
        { name: 'at', type: 'timestamp' },
        { name: 'day', type: 'date' },
        { name: 'marks', type: 'text_map' },
      ],
    } as const;
    expect(spelled(athenaDdl(table, 'bucket'))).toEqual([
      [
        'CREATE TABLE IF NOT EXISTS notes (',
        '  "id" varchar,',
        '  "amount" decimal(18,4),',
        '  "at" timestamp(6),',
        '  "day" date,',
        '  "marks" map(varchar, varchar)',
        ')',
        'WITH (',
        "  format = 'PARQUET',",
        '  format_version = 2,',
        "  location = 'local:///lake/lake/notes',",
        "  partitioning = ARRAY['day']",
        ')',
      ].join('\n'),
    ]);
    expect(spelled(addColumnDdl(table, { name: 'tags', type: 'texts' }))).toEqual([
      'ALTER TABLE notes ADD COLUMN "tags" array(varchar)',
    ]);
  });

  it.each([
    ['OPTIMIZE events REWRITE DATA USING BIN_PACK', ['ALTER TABLE events EXECUTE optimize']],
    [
      "OPTIMIZE events REWRITE DATA USING BIN_PACK WHERE received_day > DATE '2026-01-01'",
      ["ALTER TABLE events EXECUTE optimize WHERE received_day > DATE '2026-01-01'"],
    ],
    [
      'VACUUM events',
      [
        "ALTER TABLE events EXECUTE expire_snapshots(retention_threshold => '5d')",
        "ALTER TABLE events EXECUTE remove_orphan_files(retention_threshold => '5d')",
      ],
    ],
    [
      "ALTER TABLE events SET TBLPROPERTIES ('vacuum_a' = '1', 'optimize_b' = '2')",
      ["ALTER TABLE events SET PROPERTIES extra_properties = MAP(ARRAY['vacuum_a', 'optimize_b'], ARRAY['1', '2'])"],
    ],
    [
      "UNLOAD (SELECT a FROM t WHERE b IN (1, 2)) TO 's3://bucket/unload/x/' WITH (format = 'JSON')",
      ['SELECT a FROM t WHERE b IN (1, 2)'],
    ],
    ['MERGE INTO t USING s ON t.a = s.a', ['MERGE INTO t USING s ON t.a = s.a']],
    ['CREATE OR REPLACE VIEW v AS SELECT 1', ['CREATE OR REPLACE VIEW v AS SELECT 1']],
  ])('%s', (athena, trino) => expect(spelled(athena)).toEqual(trino));

  it('refuses what it does not know', () => {
    expect(() => spelled('MSCK REPAIR TABLE t')).toThrow('no Trino spelling is known for: MSCK REPAIR TABLE t');
    expect(() => spelled('ALTER TABLE t ADD COLUMNS (`a` uniontype<int>)')).toThrow('for the type uniontype<int>');
  });
});

describe('landingDdl', () => {
  it('spells the partition projection that the stack gives to Glue', () => {
    const ddl = landingDdl(tableOf(tables, 'landing_links'), {
      schema: 'lake',
      location: 'local:///lake',
      rawRetentionDays: 30,
    });
    expect(ddl.split('\n')).toEqual([
      'CREATE TABLE hive.lake.landing_links (',
      '  "device_id" varchar,',
      '  "person_id" varchar,',
      '  "since" timestamp(3),',
      '  "receipt_id" varchar,',
      '  "removed_at" timestamp(3),',
      '  "shard" varchar,',
      '  "sequence_number" varchar,',
      "  \"dt\" varchar WITH (partition_projection_type = 'DATE', partition_projection_format = 'yyyy-MM-dd', partition_projection_range = ARRAY['NOW-30DAYS', 'NOW+1DAYS'], partition_projection_interval = 1, partition_projection_interval_unit = 'DAYS'),",
      "  \"hour\" varchar WITH (partition_projection_type = 'INTEGER', partition_projection_range = ARRAY['0', '23'], partition_projection_digits = 2)",
      ')',
      'WITH (',
      "  external_location = 'local:///lake/landing-links',",
      "  format = 'PARQUET',",
      "  partitioned_by = ARRAY['dt', 'hour'],",
      '  partition_projection_enabled = true,',
      '  partition_projection_location_template = ' + "'local:///lake/landing-links/dt=$" + '{dt}/hour=$' + "{hour}/'",
      ')',
    ]);
  });
});
