/**
 * One call of a function to a service of AWS, and a line of the file that `recorder.ts` writes (NDJSON). It holds names
 * only: never an item, a record or the bytes of an object.
 */
export type RecordedCall = {
  /** Name of the function as Lambda tells it to the process, or as the local platform calls it. */
  function: string;
  /** Service and region as the request is signed for: `dynamodb`, `eu-central-1`. */
  service: string;
  region: string;
  /** As the service's API calls it, `BatchGetItem`; empty where the request does not show it. */
  operation: string;
  /** The tables, stream, secret or bucket that it names, as it names them: a name or an ARN. */
  resources: readonly string[];
  /** Key of an object. */
  key?: string;
  /** Prefix that the listed keys of a bucket begin with. */
  prefix?: string;
};

/** What an HTTP request shows of the call that it carries. `body` is needed where a header names the operation. */
export type SentRequest = {
  /** Path with query. */
  path: string;
  headers: Readonly<Record<string, unknown>>;
  body: string;
};

/** Signature version 4: `AWS4-HMAC-SHA256 Credential=KEY/20261124/eu-central-1/dynamodb/aws4_request, …`. */
const SCOPE = /Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/;

/** The call that a signed request carries; nothing for a request that is not signed by its headers. */
export function callOf({ path, headers, body }: SentRequest): Omit<RecordedCall, 'function'> | undefined {
  const [, region, service] = SCOPE.exec(String(headers.authorization ?? '')) ?? [];
  if (region === undefined || service === undefined) return undefined;
  if (service === 's3') return { service, region, ...objectCall(path) };
  const operation = String(headers['x-amz-target'] ?? '').split('.')[1] ?? '';
  return { service, region, operation, resources: operation === '' ? [] : namedIn(body) };
}

/** Paths are `/BUCKET/KEY`, since the clients are told so. The SDK adds the operation as `x-id`, but not to every one. */
function objectCall(path: string): Pick<RecordedCall, 'operation' | 'resources' | 'key' | 'prefix'> {
  const { pathname, searchParams } = new URL(path, 'http://host');
  const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/.exec(pathname) ?? [];
  const prefix = searchParams.get('prefix');
  return {
    operation: searchParams.get('x-id') ?? (searchParams.get('list-type') === '2' ? 'ListObjectsV2' : ''),
    resources: [bucket],
    ...(key !== '' && { key: decodeURIComponent(key) }),
    ...(prefix !== null && { prefix }),
  };
}

function namedIn(body: string): string[] {
  const input = JSON.parse(body) as {
    TableName?: string;
    RequestItems?: Record<string, unknown>;
    StreamName?: string;
    StreamARN?: string;
    SecretId?: string;
  };
  const one = input.TableName ?? input.StreamName ?? input.StreamARN ?? input.SecretId;
  return one === undefined ? Object.keys(input.RequestItems ?? {}).sort() : [one];
}

/** Reads what a recorder has written. */
export const readCalls = (ndjson: string): RecordedCall[] =>
  ndjson
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RecordedCall);
