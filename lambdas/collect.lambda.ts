import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Keys } from '../domain/keys.ts';
import { compileTrackingPlan } from '../domain/tracking-plan.ts';
import config from '../paula.config.ts';
import { dynamo, kinesis } from './adapters/clients.ts';
import { countryOf, loadCountryTable } from './adapters/country-table.ts';
import { placeOf } from './adapters/error-place.ts';
import { eventStream } from './adapters/event-stream.ts';
import { hashes, randomId } from './adapters/hashes.ts';
import { verifyIdentityToken } from './adapters/identity-token.ts';
import { keysLoader } from './adapters/keys.ts';
import { linkStore } from './adapters/link-store.ts';
import { metrics } from './adapters/metrics.ts';
import { receiptStore } from './adapters/receipt-store.ts';
import { userAgentReader } from './adapters/user-agent.ts';
import { admissionDeps } from './collect/admit-request.ts';
import type { CollectDeps } from './collect/deps.ts';
import { receiptTerms } from './collect/receipt-terms.ts';
import { answerWithoutStores, collect } from './collect.ts';
import { CollectEnv } from './env.ts';
import { readRequest } from './http.ts';

const env = CollectEnv.parse(process.env);
const loadKeys = keysLoader(env.KEYS_SECRET_ID);
const countries = loadCountryTable(env.COUNTRY_TABLE_FILE);
const counters = metrics((line) => process.stdout.write(`${line}\n`));
const tables = dynamo();
const plan = compileTrackingPlan(config);
const readUserAgent = userAgentReader();
const services = {
  ...hashes,
  plan,
  links: linkStore(tables, env.PROFILES_TABLE),
  receipts: receiptStore(tables, env.CONSENTS_TABLE),
  terms: receiptTerms(config, env.AWS_REGION, hashes.sha256),
  put: eventStream(kinesis(), env.STREAM_NAME),
  randomId,
  country: (address: string) => countryOf(address, countries),
  count: counters.count,
};

let deps: CollectDeps | undefined;

/** The dependencies under the keys in force; made anew only when these change. */
function depsUnder(keys: Keys): CollectDeps {
  if (deps?.keys !== keys)
    deps = {
      ...services,
      keys,
      admission: admissionDeps(plan, keys, hashes.hmac, readUserAgent),
      verifyIdentity: (token, site, now) => verifyIdentityToken(token, site, now, keys),
    };
  return deps;
}

/** The door behind the HTTP API: pixel, click, messages and consent. */
export const handler = middy(
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> =>
    collect(readRequest(event), depsUnder(await loadKeys())),
  // No timer per call: the clients' own limits end whatever hangs before the function's time is up.
  { timeoutEarlyInMillis: 0 },
)
  .use(counters.flush)
  .onError((failed) => {
    counters.count('Failed', 'collect');
    console.error(`collect failed: ${placeOf(failed.error)}`);
    failed.response = answerWithoutStores(readRequest(failed.event), plan);
  });
