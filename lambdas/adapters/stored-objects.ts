import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Objects } from '../erase/deps.ts';
import { objectStore } from './object-store.ts';

/** The objects of one bucket as an erasure walks them. */
export function storedObjects(client: S3Client, Bucket: string): Objects {
  return {
    async *list(Prefix, after) {
      const query = { Bucket, Prefix, ...(after !== undefined && { StartAfter: after }) };
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, query))
        for (const { Key, LastModified } of Contents)
          if (Key !== undefined) yield { key: Key, at: LastModified?.getTime() ?? 0 };
    },

    async get(Key) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
        return await Body?.transformToByteArray();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },

    async put(Key, Body) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    },

    async remove(Key) {
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
    },

    lines: objectStore(client, Bucket).lines,
  };
}
