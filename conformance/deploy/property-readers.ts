import { createHash } from 'node:crypto';
import type { AwsCalls, AwsResult } from '../engines/aws-calls.ts';
import type { DeployedStack } from './deployed-stage.ts';

export type Properties = Record<string, unknown>;

export type Reading = {
  id: string;
  /** As the template states them, resolved. */
  properties: Properties;
  stack: DeployedStack;
  call: AwsCalls['call'];
};

/**
 * What a resource's own service says of it, in the words of its CloudFormation type. `ignored` are properties that no
 * service answers, each with the reason why nothing can be read back.
 */
export type PropertyReader = {
  read: (reading: Reading) => Promise<Properties>;
  ignored?: Readonly<Record<string, string>>;
};

/** Every resource type of the templates. A type that is missing here fails the suite, so that no new one goes unread. */
export const PROPERTY_READERS: Readonly<Record<string, PropertyReader>> = {
  'AWS::KMS::Key': {
    async read({ id, call }) {
      const { KeyMetadata } = await call('kms', 'describe_key', { KeyId: id });
      const { KeyRotationEnabled } = await call('kms', 'get_key_rotation_status', { KeyId: id });
      const { Policy } = await call('kms', 'get_key_policy', { KeyId: id, PolicyName: 'default' });
      return {
        Description: KeyMetadata.Description,
        EnableKeyRotation: KeyRotationEnabled,
        KeyPolicy: document(Policy),
      };
    },
    ignored: { PendingWindowInDays: 'it holds for the deletion of the key and is not kept before' },
  },
  'AWS::Kinesis::Stream': {
    async read({ id, call }) {
      const { StreamDescriptionSummary: summary } = await call('kinesis', 'describe_stream_summary', {
        StreamName: id,
      });
      return {
        RetentionPeriodHours: summary.RetentionPeriodHours,
        ShardCount: summary.OpenShardCount,
        StreamEncryption: { EncryptionType: summary.EncryptionType, KeyId: summary.KeyId },
        StreamModeDetails: summary.StreamModeDetails,
      };
    },
  },
  'AWS::DynamoDB::GlobalTable': { read: readGlobalTable },
  'AWS::S3::Bucket': { read: readBucket },
  'AWS::S3::BucketPolicy': {
    async read({ properties: { Bucket }, call }) {
      const { Policy } = await call('s3', 'get_bucket_policy', { Bucket });
      return { Bucket, PolicyDocument: document(Policy) };
    },
  },
  'AWS::Glue::Database': {
    async read({ id, call }) {
      const { Database } = await call('glue', 'get_database', { Name: id });
      return { DatabaseInput: Database };
    },
    ignored: { CatalogId: 'the account’s own' },
  },
  'AWS::Glue::Table': {
    async read({ id, properties: { DatabaseName }, call }) {
      const { Table } = await call('glue', 'get_table', { DatabaseName, Name: id });
      return { DatabaseName: Table.DatabaseName, TableInput: Table };
    },
    ignored: { CatalogId: 'the account’s own' },
  },
  'AWS::SecretsManager::Secret': {
    async read({ id, call }) {
      const secret = await call('secretsmanager', 'describe_secret', { SecretId: id });
      return { ...secret, Tags: ownTags(secret.Tags) };
    },
  },
  'AWS::Logs::LogGroup': {
    async read({ id, call }) {
      const { logGroups } = await call('logs', 'describe_log_groups', { logGroupNamePrefix: id });
      const group = (logGroups as AwsResult[]).find(({ logGroupName }) => logGroupName === id) ?? {};
      return { KmsKeyId: group.kmsKeyId, RetentionInDays: group.retentionInDays };
    },
  },
  'AWS::IAM::Role': {
    async read({ id, call }) {
      const { Role } = await call('iam', 'get_role', { RoleName: id });
      const { AttachedPolicies } = await call('iam', 'list_attached_role_policies', { RoleName: id });
      return {
        ...Role,
        AssumeRolePolicyDocument: document(Role.AssumeRolePolicyDocument),
        ManagedPolicyArns: (AttachedPolicies as AwsResult[]).map(({ PolicyArn }) => PolicyArn),
      };
    },
  },
  'AWS::IAM::Policy': {
    async read({ properties: { PolicyName, Roles }, call }) {
      const [RoleName] = Roles as string[];
      const policy = await call('iam', 'get_role_policy', { RoleName, PolicyName });
      return {
        PolicyName: policy.PolicyName,
        Roles: [policy.RoleName],
        PolicyDocument: document(policy.PolicyDocument),
      };
    },
  },
  'AWS::Lambda::Function': { read: readFunction },
  'AWS::Lambda::Permission': { read: readPermission },
  'AWS::Lambda::EventSourceMapping': {
    async read({ id, properties: { FunctionName }, call }) {
      const mapping = await call('lambda', 'get_event_source_mapping', { UUID: id });
      // The template names the function, the service answers its ARN.
      const named = String(mapping.FunctionArn).endsWith(`:function:${FunctionName}`);
      return { ...mapping, FunctionName: named ? FunctionName : mapping.FunctionArn };
    },
  },
  'AWS::ApiGatewayV2::Api': { read: ({ id, call }) => call('apigatewayv2', 'get_api', { ApiId: id }) },
  'AWS::ApiGatewayV2::Integration': {
    read: async ({ id, properties: { ApiId }, call }) => ({
      ApiId,
      ...(await call('apigatewayv2', 'get_integration', { ApiId, IntegrationId: id })),
    }),
  },
  'AWS::ApiGatewayV2::Route': {
    read: async ({ id, properties: { ApiId }, call }) => ({
      ApiId,
      // AWS's physical id is the route's own; MiniStack puts the API's in front of it.
      ...(await call('apigatewayv2', 'get_route', { ApiId, RouteId: id.split('/').at(-1) })),
    }),
  },
  'AWS::ApiGatewayV2::Stage': {
    read: async ({ properties: { ApiId, StageName }, call }) => ({
      ApiId,
      ...(await call('apigatewayv2', 'get_stage', { ApiId, StageName })),
    }),
  },
  'AWS::ApiGatewayV2::DomainName': {
    read: ({ id, call }) => call('apigatewayv2', 'get_domain_name', { DomainName: id }),
  },
  'AWS::ApiGatewayV2::ApiMapping': {
    read: async ({ id, properties: { DomainName }, call }) => ({
      DomainName,
      ...(await call('apigatewayv2', 'get_api_mapping', { DomainName, ApiMappingId: id })),
    }),
  },
  'AWS::Athena::WorkGroup': {
    async read({ id, call }) {
      const { WorkGroup } = await call('athena', 'get_work_group', { WorkGroup: id });
      return {
        Name: WorkGroup.Name,
        Description: WorkGroup.Description,
        WorkGroupConfiguration: WorkGroup.Configuration,
      };
    },
    ignored: { RecursiveDeleteOption: 'it holds for the deletion of the workgroup' },
  },
  'AWS::StepFunctions::StateMachine': {
    async read({ id, call }) {
      const machine = await call('stepfunctions', 'describe_state_machine', { stateMachineArn: id });
      const { level, includeExecutionData, destinations } = machine.loggingConfiguration;
      return {
        DefinitionString: machine.definition,
        RoleArn: machine.roleArn,
        LoggingConfiguration: {
          Level: level,
          IncludeExecutionData: includeExecutionData,
          Destinations: (destinations as AwsResult[]).map(({ cloudWatchLogsLogGroup }) => ({
            CloudWatchLogsLogGroup: { LogGroupArn: cloudWatchLogsLogGroup.logGroupArn },
          })),
        },
      };
    },
  },
  'AWS::Scheduler::Schedule': { read: ({ id, call }) => call('scheduler', 'get_schedule', { Name: id }) },
  'AWS::SNS::Topic': {
    async read({ id, call }) {
      const { Attributes } = await call('sns', 'get_topic_attributes', { TopicArn: id });
      return { DisplayName: Attributes.DisplayName, KmsMasterKeyId: Attributes.KmsMasterKeyId };
    },
  },
  'AWS::SNS::TopicPolicy': {
    async read({ properties: { Topics }, call }) {
      const [TopicArn] = Topics as string[];
      const { Attributes } = await call('sns', 'get_topic_attributes', { TopicArn });
      return { Topics: [TopicArn], PolicyDocument: document(Attributes.Policy) };
    },
  },
  'AWS::CloudWatch::Alarm': {
    async read({ id, call }) {
      const { MetricAlarms } = await call('cloudwatch', 'describe_alarms', { AlarmNames: [id] });
      return MetricAlarms[0] ?? {};
    },
  },
  'AWS::CloudWatch::Dashboard': {
    async read({ id, call }) {
      const { DashboardBody, DashboardName } = await call('cloudwatch', 'get_dashboard', { DashboardName: id });
      return { DashboardBody, DashboardName };
    },
  },
};

/** Tags without those that CloudFormation adds. */
function ownTags(tags: readonly { Key: string }[] = []): unknown {
  return tags.filter(({ Key }) => !Key.startsWith('aws:'));
}

/** A policy, which services answer as text, percent-encoded text or an object. */
function document(policy: unknown): unknown {
  if (typeof policy !== 'string') return policy;
  return JSON.parse(policy.startsWith('{') ? policy : decodeURIComponent(policy));
}

/** A global table with one replica, that of the stack's region: the replica's settings are the table's own. */
async function readGlobalTable({ id, properties, stack, call }: Reading): Promise<Properties> {
  const { Table } = await call('dynamodb', 'describe_table', { TableName: id });
  const { TimeToLiveDescription: ttl } = await call('dynamodb', 'describe_time_to_live', { TableName: id });
  const { ContinuousBackupsDescription: backups } = await call('dynamodb', 'describe_continuous_backups', {
    TableName: id,
  });
  const recovery = backups.PointInTimeRecoveryDescription;
  return {
    AttributeDefinitions: Table.AttributeDefinitions,
    KeySchema: Table.KeySchema,
    BillingMode: Table.BillingModeSummary?.BillingMode,
    SSESpecification: {
      SSEEnabled: Table.SSEDescription?.Status === 'ENABLED',
      SSEType: Table.SSEDescription?.SSEType,
    },
    ...(properties.TimeToLiveSpecification !== undefined && {
      TimeToLiveSpecification: { AttributeName: ttl.AttributeName, Enabled: ttl.TimeToLiveStatus === 'ENABLED' },
    }),
    Replicas: [
      {
        Region: stack.region,
        DeletionProtectionEnabled: Table.DeletionProtectionEnabled,
        PointInTimeRecoverySpecification: {
          PointInTimeRecoveryEnabled: recovery?.PointInTimeRecoveryStatus === 'ENABLED',
          RecoveryPeriodInDays: recovery?.RecoveryPeriodInDays,
        },
        SSESpecification: { KMSMasterKeyId: Table.SSEDescription?.KMSMasterKeyArn },
      },
    ],
  };
}

async function readBucket({ id, call }: Reading): Promise<Properties> {
  const { ServerSideEncryptionConfiguration: encryption } = await call('s3', 'get_bucket_encryption', { Bucket: id });
  const { Rules } = await call('s3', 'get_bucket_lifecycle_configuration', { Bucket: id });
  const { PublicAccessBlockConfiguration } = await call('s3', 'get_public_access_block', { Bucket: id });
  return {
    BucketName: id,
    PublicAccessBlockConfiguration,
    BucketEncryption: {
      ServerSideEncryptionConfiguration: (encryption.Rules as AwsResult[]).map((rule) => ({
        BucketKeyEnabled: rule.BucketKeyEnabled,
        ServerSideEncryptionByDefault: rule.ApplyServerSideEncryptionByDefault,
      })),
    },
    LifecycleConfiguration: {
      Rules: (Rules as AwsResult[]).map((rule) => ({
        Status: rule.Status,
        Prefix: rule.Prefix ?? rule.Filter?.Prefix,
        ExpirationInDays: rule.Expiration?.Days,
        AbortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload,
      })),
    },
  };
}

async function readFunction({ id, properties, call }: Reading): Promise<Properties> {
  const seen = await call('lambda', 'get_function_configuration', { FunctionName: id });
  const { ReservedConcurrentExecutions } = await call('lambda', 'get_function_concurrency', { FunctionName: id });
  const { S3Bucket, S3Key } = properties.Code as { S3Bucket: string; S3Key: string };
  const { Body } = await call('s3', 'get_object', { Bucket: S3Bucket, Key: S3Key });
  const published = createHash('sha256').update(Buffer.from(Body, 'base64')).digest('base64');
  return {
    ...seen,
    ReservedConcurrentExecutions,
    // The service keeps no place of the code, only its hash.
    Code: seen.CodeSha256 === published ? { S3Bucket, S3Key } : { CodeSha256: seen.CodeSha256 },
  };
}

/** A permission is a statement of the function's policy. */
async function readPermission({ id, properties: { FunctionName }, call }: Reading): Promise<Properties> {
  const { Policy } = await call('lambda', 'get_policy', { FunctionName });
  const statement = (JSON.parse(Policy).Statement as AwsResult[]).find(({ Sid }) => Sid === id) ?? {};
  return {
    FunctionName: statement.Resource,
    Action: statement.Action,
    Principal: statement.Principal?.Service,
    SourceArn: statement.Condition?.ArnLike?.['AWS:SourceArn'],
  };
}
