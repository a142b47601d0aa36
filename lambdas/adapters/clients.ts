import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { requireEuRegion } from '../../domain/region.ts';

/** More calls at once than any station makes, so that none waits for a socket. */
const MAX_SOCKETS = 64;

/** An answer takes milliseconds; a connection that is silent for longer is given up and the call tried again. */
const CONNECTION_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Region (refused outside the EU) and transport of every client: HTTP/1.1 with kept connections, which the SDK's Kinesis
 * client would not choose by itself. The endpoint is the SDK's own, or AWS_ENDPOINT_URL_<SERVICE>.
 */
const connection = () => ({
  region: requireEuRegion(process.env.AWS_REGION),
  requestHandler: new NodeHttpHandler({
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
  }),
});

export const dynamo = (): DynamoDBClient => new DynamoDBClient(connection());
/** Without the SDK's own retries: the stream's adapter retries, and both together would outlast the door's time. */
export const kinesis = (): KinesisClient => new KinesisClient({ ...connection(), maxAttempts: 1 });
/** Paths instead of host names for buckets work on AWS and on an endpoint without wildcard DNS. */
export const s3 = (): S3Client => new S3Client({ ...connection(), forcePathStyle: true });
export const secrets = (): SecretsManagerClient => new SecretsManagerClient(connection());
