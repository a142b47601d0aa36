import middy from '@middy/core';
import { audienceStore } from './adapters/audience-store.ts';
import { dynamo, s3 } from './adapters/clients.ts';
import { objectStore } from './adapters/object-store.ts';
import { PublishEnv } from './env.ts';
import { PublishRequest, publish } from './publish.ts';

const env = PublishEnv.parse(process.env);
const deps = {
  ...objectStore(s3(), env.BUCKET_NAME),
  ...audienceStore(dynamo(), { profiles: env.PROFILES_TABLE, control: env.CONTROL_TABLE }),
};

/** Last station of the plan: one audience's difference into its members' items and an export file. */
export const handler = middy().handler((event: unknown) => publish(PublishRequest.parse(event), deps));
