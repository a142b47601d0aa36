import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PaulaConfig, StageConfig } from '../../domain/config.ts';
import { INGEST_WINDOW_DAYS } from '../../domain/ingest-window.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { buildPlan, literalsOf, type Step } from '../../domain/plan.ts';
import { duckDbAddColumnDdl, duckDbColumns, duckDbDdl, lakeTables, tableOf } from '../../domain/tables.ts';
import { toParquet } from '../../lambdas/adapters/parquet.ts';
import { land } from '../../lambdas/land.ts';
import { openLake } from '../../local/lake.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';
import { type TrinoClient, trinoClient } from '../engines/trino-client.ts';
import { type Comparison, compareResults } from './compare-rows.ts';
import type { Batch } from './generated-records.ts';
import { landingDdl, trinoSpelling } from './trino-spelling.ts';

const DAY_MS = 86_400_000;
/** Digits of a sequence number. */
const SEQUENCE_DIGITS = 56;
/** No snapshot is needed once its rows have been compared. */
const SNAPSHOT_AGE = '0s';

/** Where Trino's landing tables have their files. */
export type LandingFiles = {
  /** Lets a table begin at a prefix before its first file. */
  begin: (prefix: string) => Promise<void>;
  put: (key: string, body: Uint8Array) => Promise<void>;
};

export type BothLakesOptions = {
  config: PaulaConfig;
  stage: StageConfig;
  /** Holds DuckDB's file, and the landing files in the layout of the local S3 server. */
  folder: string;
  trino: {
    url: string;
    schema: string;
    /** What stands for `s3://BUCKET` on Trino. */
    location: string;
    /** Not needed where the landing tables are there and only read. */
    files?: LandingFiles;
  };
};

/** A step that was done on both engines. */
export type StepDone = {
  step: Step;
  /** Trino's ids of its queries, for `bytesRead`. */
  queries: readonly string[];
  /** Of an `unload` step: the rows that it hands on. */
  compared?: Comparison;
};

/** A statement that one engine refused. */
export class StepFailed extends Error {
  readonly step: Step;

  constructor(step: Step, engine: 'DuckDB' | 'Trino', cause: Error) {
    super(`${engine}: ${cause.message}`, { cause });
    this.step = step;
  }
}

export type BothLakes = Awaited<ReturnType<typeof openBothLakes>>;

/** Opens the lake on DuckDB and on Trino; the same landing files and the same steps of the plan go to both. */
export async function openBothLakes({ config, stage, folder, trino }: BothLakesOptions) {
  const objects = join(folder, 'objects');
  const tables = lakeTables(config);
  const texts = readSqlTexts();
  const plan = buildPlan({ config, stage, bucket: 'lake', ...texts });
  const lake = await openLake({ folder, objects, tables });
  const client: TrinoClient = trinoClient(trino.url, { catalog: 'iceberg', schema: trino.schema, user: 'paula' });
  const spelling = { location: trino.location, snapshotAge: SNAPSHOT_AGE };

  let mirroredSince = '';

  const files = (): LandingFiles => {
    if (!trino.files) throw new Error('this lake lands nothing');
    return trino.files;
  };

  const mirror = (key: string, body: Uint8Array): void => {
    const object = join(objects, key);
    mkdirSync(dirname(object), { recursive: true });
    writeFileSync(`${object}.data`, body);
    writeFileSync(`${object}.meta.json`, '{}');
  };

  async function onTrino(athena: string): Promise<string[]> {
    const ids: string[] = [];
    for (const sql of trinoSpelling(athena, spelling)) ids.push((await client.query(sql)).id);
    return ids;
  }

  async function compareQuery(duckdb: string, onTrinoToo: string = duckdb): Promise<Comparison & { id: string }> {
    const described = await lake.rows(`DESCRIBE ${duckdb}`);
    const columns = described.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
    const rows = (await lake.rows(duckdb)).map((row) => columns.map(({ name }) => row[name]));
    const found = await client.query(onTrinoToo);
    return { ...compareResults({ columns, rows }, found), id: found.id };
  }

  async function perform(step: Step, asOf: Date): Promise<StepDone> {
    const bound = 'parameters' in step ? bindPlaceholders(step.sql, literalsOf(step.parameters, asOf)) : '';
    switch (step.kind) {
      case 'create_table':
        await onDuckDb(step, duckDbDdl(tableOf(tables, step.table)));
        return { step, queries: await trying(step, step.sql) };
      case 'add_column': {
        const table = tableOf(tables, step.table);
        const column = table.columns.find(({ name }) => name === step.column);
        if (!column) throw new Error(`"${step.table}" has no column "${step.column}"`);
        await onDuckDb(step, duckDbAddColumnDdl(table, column));
        const { columns } = await client.query(`SELECT * FROM ${table.name} WHERE false`);
        const known = columns.some(({ name }) => name === step.column);
        return { step, queries: known ? [] : await trying(step, step.sql) };
      }
      case 'statement':
        await onDuckDb(step, bound);
        return { step, queries: await trying(step, bound) };
      case 'unload': {
        const [select = ''] = trinoSpelling(
          `UNLOAD (${bound}) TO 's3://lake/unload/' WITH (format = 'JSON')`,
          spelling,
        );
        try {
          const { id, ...compared } = await compareQuery(bound, select);
          return { step, queries: [id], compared };
        } catch (error) {
          throw new StepFailed(step, 'Trino', error as Error);
        }
      }
      case 'publish':
        return { step, queries: [] };
    }
  }

  async function onDuckDb(step: Step, sql: string): Promise<void> {
    try {
      await lake.run(sql);
    } catch (error) {
      throw new StepFailed(step, 'DuckDB', error as Error);
    }
  }

  async function trying(step: Step, athena: string): Promise<string[]> {
    try {
      return await onTrino(athena);
    } catch (error) {
      throw new StepFailed(step, 'Trino', error as Error);
    }
  }

  return {
    plan,
    texts,
    tables,

    /** Makes the landing tables on Trino, as the stack makes them in Glue; one that is there is made anew. */
    async makeLanding(): Promise<void> {
      await client.query(`CREATE SCHEMA IF NOT EXISTS hive.${trino.schema}`);
      for (const table of tables.filter(({ kind }) => kind === 'landing')) {
        await files().begin(table.prefix);
        await client.query(`DROP TABLE IF EXISTS hive.${trino.schema}.${table.name}`);
        await client.query(
          landingDdl(table, {
            schema: trino.schema,
            location: trino.location,
            rawRetentionDays: config.rawRetentionDays,
          }),
        );
      }
    },

    /** Gives DuckDB its copy of a landing file that Trino has. */
    mirror,

    /** Lets `land` write a batch for both. */
    async land({ shard, first, arrivedAt, records }: Batch): Promise<void> {
      const batch = records.map((record, i) => ({
        shard,
        sequenceNumber: String(first + i).padStart(SEQUENCE_DIGITS, '0'),
        arrivedAt,
        text: JSON.stringify(record),
      }));
      const put = async (key: string, body: Uint8Array): Promise<void> => {
        mirror(key, body);
        await files().put(key, body);
      };
      const failed = await land(batch, { tables, parquet: toParquet, put });
      if (failed !== undefined) throw new Error(`land cannot read record ${failed}`);
    },

    /** Runs the plan as of a time, statement by statement, on DuckDB and then on Trino. Throws `StepFailed`. */
    async *runPlan(asOf: Date): AsyncGenerator<StepDone> {
      mirroredSince = new Date(asOf.getTime() - INGEST_WINDOW_DAYS * DAY_MS).toISOString().slice(0, 10);
      await lake.refreshLanding(mirroredSince);
      for (const step of plan) yield await perform(step, asOf);
    },

    /** Compares all rows of a table or view; of a landing table those of the last run's window, which DuckDB mirrors. */
    async compareTable(name: string): Promise<Comparison> {
      const landing = tables.find((table) => table.name === name && table.kind === 'landing');
      // The mirror keeps the name of each row's object beside the table's own columns.
      const columns = landing
        ? duckDbColumns(landing)
            .map((column) => `"${column.name}"`)
            .join(', ')
        : '*';
      const since = landing ? ` WHERE dt >= '${mirroredSince}'` : '';
      const { id: _, ...compared } = await compareQuery(`SELECT ${columns} FROM ${name}${since}`);
      return compared;
    },

    /** Runs a statement of Athena's on Trino alone. */
    onTrino,

    /** Bytes that finished queries read from the files of a table. */
    async bytesRead(queries: readonly string[], table: string): Promise<number> {
      let bytes = 0;
      for (const id of queries) bytes += (await client.bytesRead(id)).get(table) ?? 0;
      return bytes;
    },

    /** Runs a statement on both engines; of a SELECT the rows are compared. */
    async onBoth(sql: string): Promise<Comparison> {
      if (/^(?:SELECT|WITH)\b/i.test(sql)) {
        const { id: _, ...compared } = await compareQuery(sql);
        return compared;
      }
      await lake.run(sql);
      await onTrino(sql);
      return { rows: 0, differences: [] };
    },

    /** Closes DuckDB; what is in the folder stays and can be opened again. */
    close: lake.close,
  };
}

/** Landing files in a folder, as the file metastore's tables have them. */
export function filesIn(folder: string): LandingFiles {
  return {
    async begin(prefix) {
      mkdirSync(join(folder, prefix), { recursive: true });
    },
    async put(key, body) {
      const file = join(folder, key);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, body);
    },
  };
}
