import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { compileTrackingPlan } from '../domain/tracking-plan.ts';
import config from '../paula.config.ts';
import { audienceExpiries } from './adapters/audience-expiries.ts';
import { dynamo } from './adapters/clients.ts';
import { placeOf } from './adapters/error-place.ts';
import { hashes } from './adapters/hashes.ts';
import { keysLoader } from './adapters/keys.ts';
import { metrics } from './adapters/metrics.ts';
import { profileStore } from './adapters/profile-store.ts';
import { readBrowser } from './browser.ts';
import { decide, undecided } from './decide.ts';
import { DecideEnv } from './env.ts';
import { readRequest } from './http.ts';

const env = DecideEnv.parse(process.env);
const loadKeys = keysLoader(env.KEYS_SECRET_ID);
const counters = metrics((line) => process.stdout.write(`${line}\n`));
const client = dynamo();
const deps = {
  siteOfOrigin: compileTrackingPlan(config).siteOfOrigin,
  read: profileStore(client, env.PROFILES_TABLE).read,
  audienceExpiries: audienceExpiries(client, env.CONTROL_TABLE),
};

/** The door for decisions: "show this banner?". Where the tables do not answer, the banner is shown as to anybody. */
export const handler = middy(async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
  const keys = await loadKeys();
  const identify = (cookies: readonly string[], now: number) => readBrowser(cookies, keys, hashes, now);
  return decide(readRequest(event), { ...deps, identify });
})
  .use(counters.flush)
  .onError((failed) => {
    counters.count('Failed', 'decide');
    console.error(`decide failed: ${placeOf(failed.error)}`);
    failed.response = undecided(readRequest(failed.event), deps.siteOfOrigin);
  });
