import { callNeeds } from './call-needs.ts';
import type { Deployment, Resource } from './deployment.ts';
import { contextOf, keyNeed, type Need } from './need.ts';

/** Properties by which a function would make its services ask for more than is listed here. */
const UNKNOWN_FOR_FUNCTIONS = ['VpcConfig', 'TracingConfig', 'DeadLetterConfig', 'FileSystemConfigs'];

/** Stands for what a service makes up when it calls. */
const ANY = 'any';

/**
 * What Lambda does with a function's role beside running the function.
 * - Its log: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html. The group is there already. A
 *   policy names a group's streams by `log-group:NAME:*`, for CreateLogStream too.
 * - Polling a stream: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html. ListStreams and
 *   SubscribeToShard are left out: a mapping knows its stream, and ours reads without a fan-out consumer.
 *   `kms:Decrypt`: https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
 * - A failed batch in S3: PutObject, ListBucket and `kms:GenerateDataKey`, under `aws/lambda/`,
 *   https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 */
export function functionNeeds(handler: Resource, deployment: Deployment): Need[] {
  for (const name of UNKNOWN_FOR_FUNCTIONS)
    if (handler.property(name) !== undefined)
      throw new Error(`${handler.logicalId}: service-needs.ts does not know what ${name} needs`);
  const { LogGroup } = handler.property('LoggingConfig') as { LogGroup: string };
  const { partition, region, account } = deployment;
  const stream = `arn:${partition}:logs:${region}:${account}:log-group:${LogGroup}:log-stream:${ANY}`;
  const logs = ['logs:CreateLogStream', 'logs:PutLogEvents'].map(
    (action): Need => ({ request: { action, resource: stream, context: contextOf(deployment) }, why: 'its log' }),
  );
  const mappings = deployment
    .ofType('AWS::Lambda::EventSourceMapping')
    .filter((mapping) => [handler.id, deployment.arnOf(handler)].includes(String(mapping.property('FunctionName'))));
  return [...logs, ...mappings.flatMap((mapping) => mappingNeeds(mapping, deployment))];
}

const POLLING = [
  'kinesis:DescribeStream',
  'kinesis:DescribeStreamSummary',
  'kinesis:GetRecords',
  'kinesis:GetShardIterator',
  'kinesis:ListShards',
];

function mappingNeeds(mapping: Resource, deployment: Deployment): Need[] {
  const source = mapping.property('EventSourceArn');
  const stream = deployment.ofType('AWS::Kinesis::Stream').find((one) => deployment.arnOf(one) === source);
  if (!stream) throw new Error(`${mapping.logicalId}: service-needs.ts does not know how Lambda polls ${source}`);
  const resource = deployment.arnOf(stream);
  const context = contextOf(deployment);
  const why = 'Lambda polls the stream';
  return [
    ...POLLING.map((action): Need => ({ request: { action, resource, context }, why })),
    ...keyNeed(deployment, {
      resource: stream,
      service: 'kinesis',
      action: 'kms:Decrypt',
      bound: { 'aws:kinesis:arn': resource },
    }),
    ...failedBatchNeeds(mapping, deployment),
  ];
}

function failedBatchNeeds(mapping: Resource, deployment: Deployment): Need[] {
  const { OnFailure } = (mapping.property('DestinationConfig') ?? {}) as { OnFailure?: { Destination: string } };
  if (!OnFailure) return [];
  const bucket = deployment.ofType('AWS::S3::Bucket').find((one) => deployment.arnOf(one) === OnFailure.Destination);
  if (!bucket)
    throw new Error(`${mapping.logicalId}: service-needs.ts does not know the destination ${OnFailure.Destination}`);
  const why = 'Lambda keeps a failed batch';
  const put = objectNeeds(deployment, bucket, 'PutObject', `aws/lambda/${ANY}`);
  const list = { action: 's3:ListBucket', resource: deployment.arnOf(bucket), context: contextOf(deployment) };
  return [...put, { request: list, why }].map(({ request }) => ({ request, why }));
}

/** What a call for an object of a bucket needs, under the names of the deployment itself. */
export function objectNeeds(deployment: Deployment, bucket: Resource, operation: string, key: string): Need[] {
  const { region } = deployment;
  const call = { function: '', service: 's3', region, operation, resources: [bucket.id], key };
  return callNeeds(call, deployment, { region, physicalIds: [{ [bucket.logicalId]: bucket.id }] });
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html ("IAM policies for logging to CloudWatch Logs") */
const LOG_DELIVERY = [
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];

/** What Step Functions does with a state machine's role beside running its states: it delivers its log. */
export function machineNeeds(machine: Resource, deployment: Deployment): Need[] {
  const { Enabled } = (machine.property('TracingConfiguration') ?? {}) as { Enabled?: boolean };
  if (Enabled) throw new Error(`${machine.logicalId}: service-needs.ts does not know what tracing needs`);
  if (machine.property('LoggingConfiguration') === undefined) return [];
  return LOG_DELIVERY.map((action) => ({
    request: { action, resource: '*', context: contextOf(deployment) },
    why: 'its log',
  }));
}

/** What EventBridge Scheduler does with a schedule's role: it starts the target. */
export function scheduleNeeds(schedule: Resource, deployment: Deployment): Need[] {
  const { Arn } = schedule.property('Target') as { Arn: string };
  const machine = deployment.ofType('AWS::StepFunctions::StateMachine').find(({ id }) => id === Arn);
  if (!machine) throw new Error(`${schedule.logicalId}: service-needs.ts does not know the target ${Arn}`);
  const request = { action: 'states:StartExecution', resource: machine.id, context: contextOf(deployment) };
  return [{ request, why: 'the schedule starts the machine' }];
}
