import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DynamoDBClient, ListTablesCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Lake } from '../../local/lake.ts';

/** Something that is stored, as bytes, and where. */
export type Stored = { where: string; bytes: Buffer };

const connection = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};

/** Every item of every table of a running platform, binary attributes as they are. */
export async function* storedItems(endpoint: string): AsyncGenerator<Stored> {
  const client = new DynamoDBClient({ ...connection, endpoint });
  try {
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    for (const TableName of TableNames)
      for await (const { Items = [] } of paginateScan({ client }, { TableName }))
        for (const item of Items) {
          const binary = Object.values(item).flatMap(({ B }) => (B ? [Buffer.from(B)] : []));
          yield { where: TableName, bytes: Buffer.concat([Buffer.from(JSON.stringify(item)), ...binary]) };
        }
  } finally {
    client.destroy();
  }
}

/** Every record that the streams of a running platform still hold, with its partition key. */
export async function* streamedRecords(endpoint: string): AsyncGenerator<Stored> {
  const client = new KinesisClient({ ...connection, endpoint, requestHandler: new NodeHttpHandler() });
  try {
    const { StreamNames = [] } = await client.send(new ListStreamsCommand({}));
    for (const StreamName of StreamNames) {
      const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
      for (const { ShardId } of Shards) {
        const from = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' as const };
        let iterator = (await client.send(new GetShardIteratorCommand(from))).ShardIterator;
        while (iterator) {
          const { Records = [], NextShardIterator } = await client.send(
            new GetRecordsCommand({ ShardIterator: iterator }),
          );
          for (const { Data = [], PartitionKey = '' } of Records)
            yield { where: StreamName, bytes: Buffer.concat([Buffer.from(PartitionKey), Buffer.from(Data)]) };
          iterator = Records.length > 0 ? NextShardIterator : undefined;
        }
      }
    }
  } finally {
    client.destroy();
  }
}

const GZIP = Buffer.from([0x1f, 0x8b]);
const PARQUET = Buffer.from('PAR1');

/** Every file below the folder that `leaveOut` does not name, as it is; Parquet and gzip also unpacked. */
export async function* storedFiles(folder: string, leaveOut: readonly string[], lake: Lake): AsyncGenerator<Stored> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || leaveOut.includes(entry.name)) continue;
    const where = join(entry.parentPath, entry.name);
    const bytes = readFileSync(where);
    yield { where, bytes };
    if (bytes.subarray(0, 2).equals(GZIP)) yield { where, bytes: gunzipSync(bytes) };
    if (bytes.subarray(0, 4).equals(PARQUET)) yield* rowsOf(`read_parquet('${where}')`, where, lake);
  }
}

/** Every row of every table of the lake, which its file holds packed. */
export async function* lakeRows(lake: Lake): AsyncGenerator<Stored> {
  for (const { name } of await lake.rows('SELECT table_name AS name FROM duckdb_tables()'))
    yield* rowsOf(`"${name}"`, String(name), lake);
}

async function* rowsOf(relation: string, where: string, lake: Lake): AsyncGenerator<Stored> {
  for (const { text } of await lake.rows(`SELECT CAST(to_json(r) AS VARCHAR) AS text FROM ${relation} AS r`))
    yield { where, bytes: Buffer.from(String(text)) };
}
