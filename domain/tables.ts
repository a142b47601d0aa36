import type { PaulaConfig } from './config.ts';

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
  /** Iceberg partition expressions, e.g. `received_day`. */
  partitionedBy?: readonly string[];
};

/** Every table of the lake, with a column for each tracking-plan field that asks for one. */
export function lakeTables(config: PaulaConfig): readonly TableDefinition[] {
  void config;
  throw new Error('filled in with the land station');
}
