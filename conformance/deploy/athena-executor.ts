import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { duckDbAddColumnDdl, duckDbDdl, type TableDefinition } from '../../domain/tables.ts';
import { type Lake, openLake } from '../../local/lake.ts';
import type { AwsCalls, AwsResult } from '../engines/aws-calls.ts';
import type { MiniStack } from '../engines/ministack.ts';
import { athenaStatement, columnType } from './athena-statement.ts';

/** What `conformance/extension/athena.py` asks and takes. */
export type Question = { sql: string; database: string; outputLocation: string };
export type Answer = {
  state: 'SUCCEEDED' | 'FAILED';
  reason?: string;
  columns?: readonly string[];
  rows?: readonly (readonly (string | null)[])[];
};

export type AthenaExecutor = { stop: () => Promise<void> };

/** Every day that an object may stand for: the statements themselves say which they read. */
const ALL_DAYS = '0000-00-00';

/**
 * Executes the deployed plan's statements on DuckDB in the platform's dialect: what the local platform runs, here over the
 * Parquet objects and the Glue tables of the emulator. That the statements mean the same to Athena's own engine is
 * proven on Trino, not here.
 */
export async function startAthenaExecutor(options: {
  port: number;
  ministack: MiniStack;
  calls: AwsCalls;
  work: string;
}): Promise<AthenaExecutor> {
  const { port, ministack, calls, work } = options;
  const lakes = new Map<string, DeployedLake>();
  const s3 = new S3Client({
    endpoint: ministack.url,
    region: ministack.region,
    credentials: { accessKeyId: ministack.env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: 'test' },
    forcePathStyle: true,
  });
  // One statement after the other: the lake has one writer, and the plan waits for each.
  let busy: Promise<unknown> = Promise.resolve();
  const answer = (question: Question): Promise<Answer> => {
    const next = busy.then(async () => {
      let lake = lakes.get(question.database);
      if (!lake) {
        lake = deployedLake({ database: question.database, folder: join(work, question.database), calls, s3 });
        lakes.set(question.database, lake);
      }
      return lake.execute(question.sql);
    });
    busy = next.catch(() => undefined);
    return next.catch((error: unknown): Answer => ({ state: 'FAILED', reason: String(error) }));
  };
  const server = createServer((request, response) => {
    void body(request).then(async (text) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(await answer(JSON.parse(text) as Question)));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await busy;
      for (const lake of lakes.values()) lake.close();
      s3.destroy();
    },
  };
}

type DeployedLake = { execute: (sql: string) => Promise<Answer>; close: () => void };

function deployedLake({
  database,
  folder,
  calls,
  s3,
}: {
  database: string;
  folder: string;
  calls: AwsCalls;
  s3: S3Client;
}): DeployedLake {
  const objects = join(folder, 'objects');
  const fetched = new Map<string, string>();
  let lake: Lake | undefined;
  let shape = '';

  /** Opens the lake, and opens it anew where a deploy has changed a landing table. */
  async function openedLake(landing: readonly TableDefinition[]): Promise<Lake> {
    const wanted = JSON.stringify(landing);
    if (lake && wanted === shape) return lake;
    lake?.close();
    lake = await openLake({ folder, objects, tables: landing });
    shape = wanted;
    return lake;
  }

  /** Brings the objects of a landing prefix here, in the layout that the lake mirrors. */
  async function fetchObjects(bucket: string, prefix: string): Promise<void> {
    for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix })) {
      for (const { Key = '', ETag = '' } of page.Contents ?? []) {
        if (fetched.get(Key) === ETag) continue;
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
        const file = join(objects, Key);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(`${file}.data`, (await Body?.transformToByteArray()) ?? new Uint8Array());
        writeFileSync(`${file}.meta.json`, '{}');
        fetched.set(Key, ETag);
      }
    }
  }

  async function execute(sql: string): Promise<Answer> {
    const statement = athenaStatement(sql);
    const { bucket, tables } = await landingTables(calls, database);
    const opened = await openedLake(tables);
    switch (statement.kind) {
      case 'create_table':
        await opened.run(duckDbDdl({ ...statement, name: statement.table, kind: 'iceberg', prefix: '' }));
        return { state: 'SUCCEEDED' };
      case 'add_columns': {
        const table: TableDefinition = { name: statement.table, kind: 'iceberg', prefix: '', columns: [] };
        for (const column of statement.columns) await opened.run(duckDbAddColumnDdl(table, column));
        return { state: 'SUCCEEDED' };
      }
      case 'housekeeping':
      // The tables stand in the engine's own file: none of them has a file in the bucket to be named.
      case 'unload_files':
        return { state: 'SUCCEEDED' };
    }
    for (const { name, prefix } of tables) if (sql.includes(name)) await fetchObjects(bucket, prefix);
    await opened.refreshLanding(ALL_DAYS);
    switch (statement.kind) {
      case 'change':
        await opened.run(statement.sql);
        return { state: 'SUCCEEDED' };
      case 'unload': {
        const file = await opened.unload(statement.select, 'unloaded.gz');
        const { host, pathname } = new URL(statement.location);
        const Key = `${pathname.slice(1)}part-0.gz`;
        await s3.send(new PutObjectCommand({ Bucket: host, Key, Body: await readFile(file) }));
        await rm(file);
        return { state: 'SUCCEEDED' };
      }
      case 'query': {
        const rows = await opened.rows(statement.sql);
        const columns = Object.keys(rows[0] ?? {});
        return { state: 'SUCCEEDED', columns, rows: rows.map((row) => columns.map((name) => asText(row[name]))) };
      }
    }
  }

  return { execute, close: () => lake?.close() };
}

/** The landing tables as the deploy put them into the Glue database, and the bucket that they lie in. */
async function landingTables(
  calls: AwsCalls,
  database: string,
): Promise<{ bucket: string; tables: TableDefinition[] }> {
  const { TableList } = await calls.call('glue', 'get_tables', { DatabaseName: database });
  const projected = (TableList as AwsResult[]).filter(
    ({ Parameters }) => Parameters?.['projection.enabled'] === 'true',
  );
  const places = projected.map(({ StorageDescriptor }) => new URL(StorageDescriptor.Location));
  const [place] = places;
  if (!place) throw new Error(`${database} has no landing table`);
  const tables = projected.map(
    ({ Name, StorageDescriptor }, index): TableDefinition => ({
      name: Name,
      kind: 'landing',
      prefix: (places[index] as URL).pathname.slice(1),
      columns: (StorageDescriptor.Columns as AwsResult[]).map(({ Name: name, Type }) => ({
        name,
        type: columnType(Type),
      })),
    }),
  );
  return { bucket: place.host, tables };
}

const asText = (value: unknown): string | null => {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
};

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
