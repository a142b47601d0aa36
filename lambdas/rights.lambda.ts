import middy from '@middy/core';
import type {
  APIGatewayEventRequestContextV2,
  APIGatewayProxyEventV2WithRequestContext,
  APIGatewayProxyStructuredResultV2,
} from 'aws-lambda';
import { corsHeaders } from '../domain/cors.ts';
import { compileTrackingPlan } from '../domain/tracking-plan.ts';
import config from '../paula.config.ts';
import { dynamo, kinesis, s3 } from './adapters/clients.ts';
import { placeOf } from './adapters/error-place.ts';
import { eventStream } from './adapters/event-stream.ts';
import { hashes, randomId } from './adapters/hashes.ts';
import { keysLoader } from './adapters/keys.ts';
import { ledgerStore } from './adapters/ledger-store.ts';
import { linkStore } from './adapters/link-store.ts';
import { metrics } from './adapters/metrics.ts';
import { storedObjects } from './adapters/stored-objects.ts';
import { subjectItems } from './adapters/subject-items.ts';
import { unavailable } from './collect/consent.ts';
import { RightsEnv } from './env.ts';
import { readRequest } from './http.ts';
import { type RightsRequest, rights } from './rights.ts';

/** The HTTP API's event, with what its IAM authorizer adds: the principal whose signature it has verified. */
type RightsEvent = APIGatewayProxyEventV2WithRequestContext<
  APIGatewayEventRequestContextV2 & { authorizer?: { iam?: { userArn?: string } } }
>;

const env = RightsEnv.parse(process.env);
const loadKeys = keysLoader(env.KEYS_SECRET_ID);
const counters = metrics((line) => process.stdout.write(`${line}\n`));
const tables = dynamo();
const plan = compileTrackingPlan(config);
const services = {
  ...hashes,
  plan,
  links: linkStore(tables, env.PROFILES_TABLE),
  ledger: ledgerStore(tables, env.CONSENTS_TABLE, randomId),
  items: subjectItems(tables, { profiles: env.PROFILES_TABLE, consents: env.CONSENTS_TABLE }),
  put: eventStream(kinesis(), env.STREAM_NAME),
  bundle: storedObjects(s3(), env.BUCKET_NAME).get,
  randomId,
  count: counters.count,
};

function readRights(event: RightsEvent): RightsRequest {
  const caller = event.requestContext.authorizer?.iam?.userArn;
  return {
    ...readRequest(event),
    route: event.routeKey,
    ...(event.pathParameters?.id !== undefined && { id: event.pathParameters.id }),
    ...(caller !== undefined && { caller }),
  };
}

/** The door behind the HTTP API for access, objection and erasure. */
export const handler = middy(
  async (event: RightsEvent): Promise<APIGatewayProxyStructuredResultV2> =>
    rights(readRights(event), { ...services, keys: await loadKeys() }),
  // No timer per call: the clients' own limits end whatever hangs before the function's time is up.
  { timeoutEarlyInMillis: 0 },
)
  .use(counters.flush)
  .onError((failed) => {
    counters.count('Failed', 'rights');
    console.error(`rights failed: ${placeOf(failed.error)}`);
    const answer = unavailable();
    answer.headers = { ...answer.headers, ...corsHeaders(failed.event.headers.origin, plan.siteOfOrigin) };
    failed.response = answer;
  });
