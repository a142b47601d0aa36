import { zstdCompressSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { type Column, DECIMAL, type TableDefinition } from '../../domain/tables.ts';
import type { Cell } from '../land.ts';

/** Lays rows out as one zstd-compressed Parquet file; every column may be null. Rows are in the table's column order. */
export function toParquet({ columns }: TableDefinition, rows: readonly Cell[][]): Uint8Array {
  const file = parquetWriteBuffer({
    codec: 'ZSTD',
    compressors: { ZSTD: (input) => zstdCompressSync(input) },
    schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(schemaOf)],
    columnData: columns.map(({ name }, i) => ({ name, data: rows.map((row) => row[i]) })),
  });
  return new Uint8Array(file);
}

const UTF8 = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

/** The Parquet schema of one column; lists and maps in the three-level form that Athena and DuckDB read. */
function schemaOf({ name, type }: Column): SchemaElement[] {
  switch (type) {
    case 'text':
      return [{ name, ...UTF8, repetition_type: 'OPTIONAL' }];
    case 'integer':
      return [{ name, type: 'INT32', repetition_type: 'OPTIONAL' }];
    case 'bigint':
      return [{ name, type: 'INT64', repetition_type: 'OPTIONAL' }];
    case 'boolean':
      return [{ name, type: 'BOOLEAN', repetition_type: 'OPTIONAL' }];
    case 'double':
      return [{ name, type: 'DOUBLE', repetition_type: 'OPTIONAL' }];
    case 'date':
      return [{ name, type: 'INT32', converted_type: 'DATE', repetition_type: 'OPTIONAL' }];
    case 'decimal':
      return [{ name, type: 'INT64', converted_type: 'DECIMAL', ...DECIMAL, repetition_type: 'OPTIONAL' }];
    case 'timestamp':
      return [{ name, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'OPTIONAL' }];
    case 'texts':
      return [
        { name, converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', ...UTF8, repetition_type: 'OPTIONAL' },
      ];
    case 'text_map':
      return [
        { name, converted_type: 'MAP', repetition_type: 'OPTIONAL', num_children: 1 },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        { name: 'key', ...UTF8, repetition_type: 'REQUIRED' },
        { name: 'value', ...UTF8, repetition_type: 'OPTIONAL' },
      ];
  }
}
