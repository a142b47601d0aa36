import { type Deployment, policyOf, type Resource } from './deployment.ts';
import { listOf, type Policy, type Statement } from './policy.ts';

/** The policy of what a request is about, by the request's ARN; nothing where the resource has none. */
export type ResourcePolicies = (arn: string) => Policy | undefined;

/** Which type attaches a policy to which ARNs. */
const ATTACHED: Readonly<Record<string, (policy: Resource, deployment: Deployment) => readonly string[]>> = {
  'AWS::S3::BucketPolicy': (policy, { partition }) => [`arn:${partition}:s3:::${policy.property('Bucket')}`],
  'AWS::SNS::TopicPolicy': (policy) => policy.property('Topics') as string[],
  'AWS::SecretsManager::ResourcePolicy': (policy) => [policy.property('SecretId') as string],
};

/** Policies of identities, and what is called a policy and is none. */
const OF_IDENTITIES = /^AWS::IAM::/;

/** Reads every policy of a resource in the deployment; throws for a kind of policy that it does not know. */
export function resourcePoliciesOf(deployment: Deployment): ResourcePolicies {
  const unknown = deployment.types.find(
    (type) => /Policy$/.test(type) && !OF_IDENTITIES.test(type) && !(type in ATTACHED),
  );
  if (unknown) throw new Error(`resource-policies.ts does not know to what a ${unknown} is attached`);
  const policies = new Map<string, Policy>();
  for (const key of deployment.ofType('AWS::KMS::Key'))
    policies.set(deployment.arnOf(key), policyOf(key.logicalId, key.property('KeyPolicy')));
  for (const [type, arnsOf] of Object.entries(ATTACHED))
    for (const policy of deployment.ofType(type))
      for (const arn of arnsOf(policy, deployment))
        policies.set(
          arn,
          policyOf(policy.logicalId, policy.property('PolicyDocument') ?? policy.property('ResourcePolicy')),
        );
  for (const permission of deployment.ofType('AWS::Lambda::Permission')) {
    const arn = String(permission.property('FunctionName'));
    const known = policies.get(arn)?.document.Statement;
    const Statement = [...listOf(known), permissionOf(permission, arn)];
    policies.set(arn, { name: permission.logicalId, document: { Version: '2012-10-17', Statement } });
  }
  // An object has its bucket's policy.
  return (arn) => policies.get(arn) ?? policies.get(arn.split('/')[0] as string);
}

/** A permission is a statement of the function's policy; https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html */
function permissionOf(permission: Resource, Resource: string): Statement {
  const sourceArn = permission.property('SourceArn') as string | undefined;
  const sourceAccount = permission.property('SourceAccount') as string | undefined;
  return {
    Effect: 'Allow',
    Principal: { Service: String(permission.property('Principal')) },
    Action: String(permission.property('Action')),
    Resource,
    Condition: {
      ...(sourceArn !== undefined && { ArnLike: { 'AWS:SourceArn': sourceArn } }),
      ...(sourceAccount !== undefined && { StringEquals: { 'AWS:SourceAccount': sourceAccount } }),
    },
  };
}
