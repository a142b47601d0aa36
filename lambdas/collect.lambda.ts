import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { compileTrackingPlan } from '../domain/tracking-plan.ts';
import config from '../paula.config.ts';
import { dynamo, kinesis } from './adapters/clients.ts';
import { countryOf, loadCountryTable } from './adapters/country-table.ts';
import { eventStream } from './adapters/event-stream.ts';
import { hashes, randomId } from './adapters/hashes.ts';
import { verifyIdentityToken } from './adapters/identity-token.ts';
import { keysLoader } from './adapters/keys.ts';
import { linkStore } from './adapters/link-store.ts';
import { metrics } from './adapters/metrics.ts';
import { receiptStore } from './adapters/receipt-store.ts';
import { userAgentReader } from './adapters/user-agent.ts';
import { collect } from './collect.ts';
import { CollectEnv } from './env.ts';
import { readRequest } from './http.ts';

const env = CollectEnv.parse(process.env);
const loadKeys = keysLoader(env.KEYS_SECRET_ID);
const countries = loadCountryTable(env.COUNTRY_TABLE_FILE);
const counters = metrics((line) => process.stdout.write(`${line}\n`));
const tables = dynamo();
const services = {
  ...hashes,
  plan: compileTrackingPlan(config),
  links: linkStore(tables, env.PROFILES_TABLE),
  receipts: receiptStore(tables, env.CONSENTS_TABLE),
  put: eventStream(kinesis(), env.STREAM_NAME),
  randomId,
  country: (address: string) => countryOf(address, countries),
  readUserAgent: userAgentReader(),
  count: counters.count,
};

/** The door behind the HTTP API: pixel, click, messages and consent. */
export const handler = middy(async (event: APIGatewayProxyEventV2) => {
  const keys = await loadKeys();
  const verifyIdentity = (token: string, site: string, now: number) => verifyIdentityToken(token, site, now, keys);
  return collect(readRequest(event), { ...services, keys, verifyIdentity });
}).use(counters.flush);
