import type { Deployment, Resource } from './deployment.ts';
import type { Context, Request } from './policy.ts';

/** One thing that a role must be allowed, and in whose interest. */
export type Need = { request: Request; why: string };

/** What a request to a region of the deployment carries, whoever sends it. All clients of AWS speak TLS 1.2 at least. */
export const contextOf = ({ region, account }: Pick<Deployment, 'region' | 'account'>): Context => ({
  'aws:RequestedRegion': region,
  'aws:PrincipalAccount': account,
  'aws:SecureTransport': true,
  's3:TlsVersion': 1.3,
});

/** How each type says under which key its data stands. */
const KEYS: Readonly<Record<string, (resource: Resource) => unknown>> = {
  'AWS::DynamoDB::GlobalTable': (table) =>
    (table.property('Replicas') as { SSESpecification?: { KMSMasterKeyId?: string } }[])[0]?.SSESpecification
      ?.KMSMasterKeyId,
  'AWS::Kinesis::Stream': (stream) => (stream.property('StreamEncryption') as { KeyId?: string } | undefined)?.KeyId,
  'AWS::S3::Bucket': (bucket) =>
    (
      bucket.property('BucketEncryption') as
        | { ServerSideEncryptionConfiguration: { ServerSideEncryptionByDefault?: { KMSMasterKeyID?: string } }[] }
        | undefined
    )?.ServerSideEncryptionConfiguration[0]?.ServerSideEncryptionByDefault?.KMSMasterKeyID,
  'AWS::SecretsManager::Secret': (secret) => secret.property('KmsKeyId'),
  'AWS::SNS::Topic': (topic) => topic.property('KmsMasterKeyId'),
  'AWS::Logs::LogGroup': (logGroup) => logGroup.property('KmsKeyId'),
};

/** ARN of the key under which a resource's data stands; nothing for a key of AWS's own, which asks nobody's leave. */
export function keyOf(resource: Resource): string | undefined {
  const read = KEYS[resource.type];
  if (!read) throw new Error(`need.ts does not know how a ${resource.type} names its key`);
  const key = read(resource);
  if (key !== undefined && !String(key).startsWith('arn:')) throw new Error(`${resource.logicalId}: ${key} is no ARN`);
  return key as string | undefined;
}

/** A service's use of a resource's key on behalf of its caller: `kms:Decrypt` by `s3`, bound to what it encrypts. */
export function keyNeed(
  deployment: Deployment,
  { resource, service, action, bound }: { resource: Resource; service: string; action: string; bound: Context },
): Need[] {
  const key = keyOf(resource);
  if (key === undefined) return [];
  const via = `${service}.${deployment.region}.${deployment.urlSuffix}`;
  const encryption = Object.entries(bound).map(([name, value]) => [`kms:EncryptionContext:${name}`, value] as const);
  return [
    {
      request: {
        action,
        resource: key,
        context: {
          ...contextOf(deployment),
          'kms:ViaService': via,
          'kms:CallerAccount': deployment.account,
          ...Object.fromEntries(encryption),
        },
      },
      why: `${service}, for data of ${resource.logicalId}`,
    },
  ];
}
