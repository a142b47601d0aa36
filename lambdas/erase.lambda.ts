import { gzipSync } from 'node:zlib';
import middy from '@middy/core';
import type { ErasureInput } from '../domain/erasure.ts';
import { lakeTables } from '../domain/tables.ts';
import config from '../paula.config.ts';
import { dynamo, s3 } from './adapters/clients.ts';
import { randomId } from './adapters/hashes.ts';
import { ledgerStore } from './adapters/ledger-store.ts';
import { linkStore } from './adapters/link-store.ts';
import { metrics } from './adapters/metrics.ts';
import { rewriteParquet } from './adapters/parquet-rewrite.ts';
import { profileStore } from './adapters/profile-store.ts';
import { storedObjects } from './adapters/stored-objects.ts';
import { subjectItems } from './adapters/subject-items.ts';
import { EraseEnv } from './env.ts';
import { EraseRequest, eraseTask } from './erase.ts';

const env = EraseEnv.parse(process.env);
const counters = metrics((line) => process.stdout.write(`${line}\n`));
const client = dynamo();
const deps = {
  config,
  tables: lakeTables(config),
  ledger: ledgerStore(client, env.CONSENTS_TABLE, randomId),
  items: subjectItems(client, { profiles: env.PROFILES_TABLE, consents: env.CONSENTS_TABLE }),
  links: linkStore(client, env.PROFILES_TABLE),
  read: profileStore(client, env.PROFILES_TABLE).read,
  objects: storedObjects(s3(), env.BUCKET_NAME),
  rewriteParquet,
  gzip: (text: string) => gzipSync(text),
  elapsed: () => performance.now(),
  count: counters.count,
};

/** The function of the rights job: what no statement can do. */
export const handler = middy()
  .use(counters.flush)
  .handler((event: unknown) => eraseTask(EraseRequest.parse(event) as ErasureInput, deps));
