import type { Deployment, Resource } from './deployment.ts';
import { contextOf, keyOf } from './need.ts';
import type { Context, Request } from './policy.ts';

/** A call that a service makes in its own name, so that only the policy of what it calls can allow it. */
export type ServiceCall = { service: string; request: Request; why: string; caller: Resource };

/**
 * The calls that services make in their own name for what is in the deployment:
 * - API Gateway calls the function of a route,
 *   https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * - CloudWatch Logs uses the key of a log group,
 *   https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 * - CloudWatch tells a topic of an alarm, and uses the topic's key for it,
 *   https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
 * - services take on the roles that they work with (`sts:AssumeRole`); Scheduler names its schedule group as the source,
 *   https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
 */
export function serviceCalls(deployment: Deployment): ServiceCall[] {
  return [...routeCalls(deployment), ...logCalls(deployment), ...alarmCalls(deployment)];
}

function routeCalls(deployment: Deployment): ServiceCall[] {
  const { partition, region, account } = deployment;
  return deployment.ofType('AWS::ApiGatewayV2::Route').map((route) => {
    const integrationId = String(route.property('Target')).replace('integrations/', '');
    const integration = deployment.ofType('AWS::ApiGatewayV2::Integration').find(({ id }) => id === integrationId);
    if (!integration) throw new Error(`${route.logicalId}: there is no integration ${integrationId}`);
    const [method, path] = String(route.property('RouteKey')).split(' ');
    const api = route.property('ApiId');
    return {
      service: 'apigateway.amazonaws.com',
      request: {
        action: 'lambda:InvokeFunction',
        resource: String(integration.property('IntegrationUri')),
        context: {
          ...contextOf(deployment),
          'aws:SourceArn': `arn:${partition}:execute-api:${region}:${account}:${api}/$default/${method}${path}`,
        },
      },
      why: `${method} ${path}`,
      caller: route,
    };
  });
}

function logCalls(deployment: Deployment): ServiceCall[] {
  const { region, urlSuffix } = deployment;
  return deployment.ofType('AWS::Logs::LogGroup').flatMap((caller) =>
    keyCalls(deployment, caller, {
      service: `logs.${region}.${urlSuffix}`,
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
      key: keyOf(caller),
      context: { 'kms:EncryptionContext:aws:logs:arn': deployment.arnOf(caller).replace(/:\*$/, '') },
    }),
  );
}

function alarmCalls(deployment: Deployment): ServiceCall[] {
  const { partition, region, account } = deployment;
  return deployment.ofType('AWS::CloudWatch::Alarm').flatMap((caller) => {
    const source = {
      'aws:SourceAccount': account,
      'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:${caller.id}`,
    };
    const actions = ['AlarmActions', 'OKActions', 'InsufficientDataActions'].flatMap(
      (name) => (caller.property(name) ?? []) as string[],
    );
    return [...new Set(actions)].flatMap((arn): ServiceCall[] => {
      const topic = deployment.ofType('AWS::SNS::Topic').find(({ id }) => id === arn);
      if (!topic) throw new Error(`${caller.logicalId}: service-calls.ts does not know the action ${arn}`);
      const service = 'cloudwatch.amazonaws.com';
      const request = { action: 'sns:Publish', resource: arn, context: { ...contextOf(deployment), ...source } };
      const key = keyOf(topic);
      return [
        { service, request, why: 'an alarm', caller },
        ...keyCalls(deployment, caller, {
          service,
          actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
          key,
          context: source,
        }),
      ];
    });
  });
}

function keyCalls(
  deployment: Deployment,
  caller: Resource,
  { service, actions, key, context }: { service: string; actions: string[]; key: string | undefined; context: Context },
): ServiceCall[] {
  if (key === undefined) return [];
  return actions.map((action) => ({
    service,
    request: { action, resource: key, context: { ...contextOf(deployment), ...context } },
    why: 'its key',
    caller,
  }));
}

/** Who takes on a role to run what uses it, and what it says of itself. */
const TAKES_ON: Readonly<Record<string, (deployment: Deployment) => { service: string; context: Context }>> = {
  'AWS::Lambda::Function': () => ({ service: 'lambda.amazonaws.com', context: {} }),
  'AWS::StepFunctions::StateMachine': () => ({ service: 'states.amazonaws.com', context: {} }),
  'AWS::Scheduler::Schedule': ({ partition, region, account }) => ({
    service: 'scheduler.amazonaws.com',
    context: {
      'aws:SourceAccount': account,
      'aws:SourceArn': `arn:${partition}:scheduler:${region}:${account}:schedule-group/default`,
    },
  }),
};

/** The call by which a service takes on a role for one of its users. */
export function assumption(user: Resource, roleArn: string, deployment: Deployment): ServiceCall {
  const taken = TAKES_ON[user.type]?.(deployment);
  if (!taken) throw new Error(`service-calls.ts does not know who takes on the role of a ${user.type}`);
  const context = { ...contextOf(deployment), ...taken.context };
  const request = { action: 'sts:AssumeRole', resource: roleArn, context };
  return { service: taken.service, request, why: 'its role', caller: user };
}
