import type { Deployment, Resource } from './deployment.ts';
import { contextOf, keyNeed, type Need } from './need.ts';
import type { Context } from './policy.ts';
import type { RecordedCall } from './recorded-call.ts';

/** What it takes besides the action itself that the service uses the resource's key in the caller's name. */
type KeyUse = readonly ('kms:Decrypt' | 'kms:GenerateDataKey')[];

/**
 * Each call that our functions make, with the IAM action where it has another name, and what it needs of the key:
 * - DynamoDB opens the table's key for whoever touches an item, also for a write; it makes keys by a grant of its own.
 *   https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html ("Decrypt": the user is the principal who
 *   accesses the table; "GenerateDataKey": the user is the service)
 * - Kinesis: producers make data keys. https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
 * - S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html ("Permissions")
 * - Secrets Manager: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 *   ("Permissions for the KMS key": reading needs Decrypt, writing both)
 */
const CALLS: Readonly<Record<string, { action?: string; keyUse: KeyUse }>> = {
  'dynamodb GetItem': { keyUse: ['kms:Decrypt'] },
  'dynamodb BatchGetItem': { keyUse: ['kms:Decrypt'] },
  'dynamodb Query': { keyUse: ['kms:Decrypt'] },
  'dynamodb PutItem': { keyUse: ['kms:Decrypt'] },
  'dynamodb UpdateItem': { keyUse: ['kms:Decrypt'] },
  'dynamodb DeleteItem': { keyUse: ['kms:Decrypt'] },
  'kinesis PutRecords': { keyUse: ['kms:GenerateDataKey'] },
  's3 GetObject': { keyUse: ['kms:Decrypt'] },
  's3 PutObject': { keyUse: ['kms:GenerateDataKey'] },
  's3 DeleteObject': { keyUse: [] },
  's3 ListObjectsV2': { action: 's3:ListBucket', keyUse: [] },
  'secretsmanager GetSecretValue': { keyUse: ['kms:Decrypt'] },
  'secretsmanager PutSecretValue': { keyUse: ['kms:GenerateDataKey', 'kms:Decrypt'] },
};

const TYPES: Readonly<Record<string, string>> = {
  dynamodb: 'AWS::DynamoDB::GlobalTable',
  kinesis: 'AWS::Kinesis::Stream',
  s3: 'AWS::S3::Bucket',
  secretsmanager: 'AWS::SecretsManager::Secret',
};

/** Where calls were recorded. */
export type Place = {
  region: string;
  /** The ids that resources had there, by logical id; as many maps as it has stacks. */
  physicalIds: readonly Readonly<Record<string, string>>[];
};

/**
 * What a call that was recorded in one place needs in a deployment of the same templates. Throws where the call is of a
 * kind that is not listed here, or names what the deployment does not have: it could not be judged.
 */
export function callNeeds(call: RecordedCall, deployment: Deployment, place: Place): Need[] {
  const kind = `${call.service} ${call.operation}`;
  const known = CALLS[kind];
  if (!known) throw new Error(`call-needs.ts does not know the call "${kind}"`);
  if (call.resources.length === 0) throw new Error(`the call "${kind}" names no resource`);
  const action = known.action ?? `${call.service}:${call.operation}`;
  const context: Context = {
    ...contextOf(deployment),
    // A call that left the region leaves it in every deployment.
    ...(call.region !== place.region && { 'aws:RequestedRegion': call.region }),
    ...(call.prefix !== undefined && { 's3:prefix': call.prefix }),
  };
  return call.resources.flatMap((name) => {
    const resource = resourceNamed(name, TYPES[call.service] as string, deployment, place);
    const arn = arnOf(resource, deployment);
    const object = call.key === undefined ? arn : `${arn}/${call.key}`;
    return [
      { request: { action, resource: object, context }, why: call.operation },
      ...known.keyUse.flatMap((use) =>
        keyNeed(deployment, {
          resource,
          service: call.service,
          action: use,
          bound: encryptionContext(call.service, resource, arn, deployment),
        }),
      ),
    ];
  });
}

/** A secret is called by its ARN, which is its id. */
const arnOf = (resource: Resource, deployment: Deployment): string =>
  resource.id.startsWith('arn:') ? resource.id : deployment.arnOf(resource);

/** The logical id that a resource of the real deployment has; it may be named or called by its ARN. */
function resourceNamed(name: string, type: string, deployment: Deployment, { physicalIds }: Place): Resource {
  const found = deployment
    .ofType(type)
    .find(({ logicalId }) => physicalIds.some((ids) => ids[logicalId] === name || name.endsWith(`/${ids[logicalId]}`)));
  if (!found) throw new Error(`no ${type} of ${deployment.name} is called ${name}`);
  return found;
}

/** What the services bind their use of a key to; sources as above. A bucket with a bucket key is bound as a whole. */
function encryptionContext(service: string, resource: Resource, arn: string, { account }: Deployment): Context {
  switch (service) {
    case 'dynamodb':
      return { 'aws:dynamodb:tableName': resource.id, 'aws:dynamodb:subscriberId': account };
    case 'kinesis':
      return { 'aws:kinesis:arn': arn };
    case 's3':
      return { 'aws:s3:arn': arn };
    default:
      return { SecretARN: arn };
  }
}
