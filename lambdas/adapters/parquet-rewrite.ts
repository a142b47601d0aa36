import { zstdDecompressSync } from 'node:zlib';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { Column, TableDefinition } from '../../domain/tables.ts';
import type { Cell } from '../land.ts';
import { toParquet } from './parquet.ts';

/**
 * Reads a file that `toParquet` has written and lays out the rows that are kept, in the table's columns. A column that the
 * file does not have is NULL in all of them. `keep` sees a row by column name, times as Date.
 */
export async function rewriteParquet(
  table: TableDefinition,
  file: Uint8Array,
  keep: (row: Readonly<Record<string, unknown>>) => boolean,
): Promise<Uint8Array | 'whole' | 'empty'> {
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
  const metadata = parquetMetadata(buffer);
  // As whole numbers: the reader would make a double of a decimal, and amounts must come out as they went in.
  for (const element of metadata.schema) if (element.converted_type === 'DECIMAL') delete element.converted_type;
  const rows = await parquetReadObjects({
    file: buffer,
    metadata,
    compressors: { ZSTD: (input) => new Uint8Array(zstdDecompressSync(input)) },
  });
  const kept = rows.filter(keep);
  if (kept.length === rows.length) return 'whole';
  if (kept.length === 0) return 'empty';
  return toParquet(
    table,
    kept.map((row) => table.columns.map((column) => cellOf(column, row[column.name]))),
  );
}

/** A value as the writer takes it: a map comes back as an object. */
function cellOf({ type }: Column, value: unknown): Cell {
  if (value === undefined || value === null) return null;
  if (type === 'text_map' && !Array.isArray(value))
    return Object.entries(value as Record<string, string>).map(([key, entry]) => ({ key, value: entry }));
  return value as Cell;
}
