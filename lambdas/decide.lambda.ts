import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { decisionRules } from '../domain/decision-rules.ts';
import { compileTrackingPlan } from '../domain/tracking-plan.ts';
import config from '../paula.config.ts';
import { audienceExpiries } from './adapters/audience-expiries.ts';
import { dynamo } from './adapters/clients.ts';
import { placeOf } from './adapters/error-place.ts';
import { hashes } from './adapters/hashes.ts';
import { keysLoader } from './adapters/keys.ts';
import { readsWithLedger } from './adapters/ledger-reads.ts';
import { metrics } from './adapters/metrics.ts';
import { readBrowser } from './browser.ts';
import { decide, undecided } from './decide.ts';
import { DecideEnv } from './env.ts';
import { readRequest } from './http.ts';

const env = DecideEnv.parse(process.env);
const loadKeys = keysLoader(env.KEYS_SECRET_ID);
const counters = metrics((line) => process.stdout.write(`${line}\n`));
const client = dynamo();
const deps = {
  plan: compileTrackingPlan(config),
  rules: decisionRules(config),
  hmac: hashes.hmac,
  count: counters.count,
  read: readsWithLedger(client, { profiles: env.PROFILES_TABLE, consents: env.CONSENTS_TABLE }),
  audienceExpiries: audienceExpiries(client, env.CONTROL_TABLE),
};

/** The door for decisions: "show these banners?". Where the tables do not answer, they are shown as to anybody. */
export const handler = middy(async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
  const keys = await loadKeys();
  const identify = (cookies: readonly string[], now: number) => readBrowser(cookies, keys, hashes, now);
  return decide(readRequest(event), { ...deps, keys, identify });
})
  .use(counters.flush)
  .onError((failed) => {
    counters.count('Failed', 'decide');
    console.error(`decide failed: ${placeOf(failed.error)}`);
    failed.response = undecided(readRequest(failed.event), deps.plan.siteOfOrigin);
  });
