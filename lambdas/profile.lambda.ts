import middy from '@middy/core';
import type { KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { withheldFields } from '../domain/profile-fields.ts';
import config from '../paula.config.ts';
import { dynamo } from './adapters/clients.ts';
import { readsWithLedger } from './adapters/ledger-reads.ts';
import { metrics } from './adapters/metrics.ts';
import { profileStore } from './adapters/profile-store.ts';
import { ProfileEnv } from './env.ts';
import { readBatch } from './kinesis-batch.ts';
import { profile } from './profile.ts';

const env = ProfileEnv.parse(process.env);
const counters = metrics((line) => process.stdout.write(`${line}\n`));
const client = dynamo();
const { write, withdraw } = profileStore(client, env.PROFILES_TABLE);
const deps = {
  read: readsWithLedger(client, { profiles: env.PROFILES_TABLE, consents: env.CONSENTS_TABLE }),
  write,
  withdraw,
  count: counters.count,
  now: Date.now,
  retentionDays: config.purposes.profile.retentionDays,
  withheld: withheldFields(config),
};

/** Consumer of the stream: events fold into the profiles. */
export const handler = middy<KinesisStreamEvent, KinesisStreamBatchResponse>()
  .use(counters.flush)
  .handler(async (event) => {
    const failed = await profile(readBatch(event), deps);
    return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed }] };
  });
