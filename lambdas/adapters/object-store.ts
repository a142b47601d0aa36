import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';

/** Objects of one bucket. `put` takes bytes or text; `lines` unzips where the key ends with `.gz`. */
export function objectStore(client: S3Client, bucket: string) {
  return {
    async put(key: string, body: Uint8Array | string): Promise<void> {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    },

    async list(prefix: string): Promise<string[]> {
      const keys: string[] = [];
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
      return keys;
    },

    async *lines(key: string): AsyncGenerator<string> {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      if (!Body) throw new Error('an object came without a body');
      const body = Body as Readable;
      if (!key.endsWith('.gz')) {
        yield* createInterface({ input: body, crlfDelay: Number.POSITIVE_INFINITY });
        return;
      }
      const unzipped = createGunzip();
      body.on('error', (error) => unzipped.destroy(error));
      yield* createInterface({ input: body.pipe(unzipped), crlfDelay: Number.POSITIVE_INFINITY });
    },
  };
}
