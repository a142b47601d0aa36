import { type Column, type ColumnType, glueColumns } from '../../domain/tables.ts';

/** A statement of the plan or of an analyst in the form that an executor acts on. `location` is an s3:// folder. */
export type AthenaStatement =
  | { kind: 'create_table'; table: string; columns: readonly Column[] }
  | { kind: 'add_columns'; table: string; columns: readonly Column[] }
  | { kind: 'unload'; select: string; location: string }
  | { kind: 'unload_files' }
  | { kind: 'query'; sql: string }
  | { kind: 'change'; sql: string }
  | { kind: 'housekeeping' };

const CREATE_TABLE = /^CREATE TABLE IF NOT EXISTS (\w+) \(\n([\s\S]*?)\n\)\n[\s\S]*'table_type' = 'ICEBERG'/;
const ADD_COLUMNS = /^ALTER TABLE (\w+) ADD COLUMNS \(([^)]*(?:\(\d+,\d+\)[^)]*)*)\)$/;
/** Asks an Iceberg table which files it has. */
const UNLOAD_FILES = /^UNLOAD \(SELECT file_path FROM "\w+\$files"\) TO 's3:\/\/[^']+' WITH \(format = 'JSON'\)$/;
const UNLOAD = /^UNLOAD \(([\s\S]+)\) TO '(s3:\/\/[^']+)' WITH \(format = 'JSON'\)$/;
const QUERY = /^(?:SELECT|WITH)\s/i;
const CHANGE = /^(?:INSERT INTO|MERGE INTO|UPDATE|DELETE FROM|CREATE OR REPLACE VIEW)\s/i;
/** They rewrite files, or say when, and change no row. */
const HOUSEKEEPING = /^(?:OPTIMIZE|VACUUM|ALTER TABLE \w+ SET TBLPROPERTIES)\s/i;

/** Reads a statement; throws where it is of a form that the plan does not use, so that a new one is not passed over. */
export function athenaStatement(text: string): AthenaStatement {
  const sql = withoutLeadingComments(text);
  const create = CREATE_TABLE.exec(sql);
  if (create) return { kind: 'create_table', table: create[1] as string, columns: columnsOf(create[2] as string) };
  const add = ADD_COLUMNS.exec(sql);
  if (add) return { kind: 'add_columns', table: add[1] as string, columns: columnsOf(add[2] as string) };
  if (UNLOAD_FILES.test(sql)) return { kind: 'unload_files' };
  const unload = UNLOAD.exec(sql);
  if (unload) return { kind: 'unload', select: unload[1] as string, location: unload[2] as string };
  if (HOUSEKEEPING.test(sql)) return { kind: 'housekeeping' };
  if (QUERY.test(sql)) return { kind: 'query', sql };
  if (CHANGE.test(sql)) return { kind: 'change', sql };
  throw new Error(`a statement of a form that the plan does not have: ${sql.slice(0, 60)}`);
}

const withoutLeadingComments = (text: string): string => text.replace(/^(?:\s+|--[^\n]*\n)+/, '').trimEnd();

const COLUMN = /`(\w+)` ((?:[^,(<]|\([^)]*\)|<[^>]*>)+)/g;

function columnsOf(list: string): Column[] {
  return [...list.matchAll(COLUMN)].map(([, name = '', type = '']) => ({ name, type: columnType(type.trim()) }));
}

const COLUMN_TYPES: readonly ColumnType[] = [
  'text',
  'integer',
  'bigint',
  'boolean',
  'decimal',
  'timestamp',
  'date',
  'double',
  'texts',
  'text_map',
];

/** The lake's type of a type as Glue and Athena's DDL spell it. */
export function columnType(hiveType: string): ColumnType {
  const found = COLUMN_TYPES.find((type) => glueColumns({ columns: [{ name: '', type }] })[0]?.type === hiveType);
  if (!found) throw new Error(`the lake has no type "${hiveType}"`);
  return found;
}
