import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { Stores } from './stores.ts';

/**
 * Writes what tables and bucket hold into a folder: each object under its key below `s3`, each table as a file of one JSON
 * document an item. The stream, which forgets by itself, is left out.
 */
export async function dumpStores({ dynamodb, s3, tables, bucket }: Stores, folder: string): Promise<void> {
  const put = (name: string, body: Uint8Array | string): void => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, body);
  };
  for (const [name, TableName] of Object.entries(tables)) {
    const items: string[] = [];
    for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName, ConsistentRead: true }))
      items.push(...Items.map((item) => JSON.stringify(item, plain)));
    put(name, items.join('\n'));
  }
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: bucket }))
    for (const { Key = '' } of Contents) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      put(join('s3', Key), (await Body?.transformToByteArray()) ?? new Uint8Array());
    }
}

/** Bytes as a text in which their ASCII can be read. */
const plain = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value;
