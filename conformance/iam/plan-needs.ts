import { runMachine, ServiceError, type States } from '../../test/lib/run-machine.ts';
import { callNeeds } from './call-needs.ts';
import type { Deployment, Resource } from './deployment.ts';
import { contextOf, type Need } from './need.ts';
import { type Catalogue, catalogueOf, statementNeeds } from './statement-needs.ts';

const EXECUTION = { Id: 'arn:of:the:execution', Name: 'execution', StartTime: '2026-11-24T00:00:00.000Z' };

/** Another run has the lake's lease, and keeps it. */
const LEASE_HELD = 'DynamoDB.ConditionalCheckFailedException';

/**
 * What the states of a state machine need of its role: the definition of the template is run, with all that it adds, and
 * once more against a lease that stays held, and each call that a state makes is looked up. Throws for a call that is not
 * known here.
 */
export async function planNeeds(machine: Resource, deployment: Deployment): Promise<Need[]> {
  const definition = JSON.parse(String(machine.property('DefinitionString'))) as States;
  const answers = [
    () => ({}),
    ({ action }: { action: string }) => {
      if (action === 'dynamodb:updateItem') throw new ServiceError(LEASE_HELD);
      return {};
    },
  ];
  const catalogue = catalogueOf(deployment);
  const needs: Need[] = [];
  for (const answer of answers) {
    const { calls } = await runMachine(definition, { answer, input: {}, execution: EXECUTION });
    for (const call of calls) needs.push(...taskNeeds(call, deployment, catalogue));
  }
  return needs;
}

type Task = { action: string; parameters: Record<string, unknown> };

function taskNeeds({ action, parameters }: Task, deployment: Deployment, catalogue: Catalogue): Need[] {
  const { partition, region, account } = deployment;
  const context = contextOf(deployment);
  switch (action) {
    case 'dynamodb:getItem':
    case 'dynamodb:updateItem':
    case 'dynamodb:deleteItem': {
      const name = action.slice('dynamodb:'.length);
      const operation = name.charAt(0).toUpperCase() + name.slice(1);
      const resources = [String(parameters.TableName)];
      const physicalIds = deployment
        .ofType('AWS::DynamoDB::GlobalTable')
        .map(({ logicalId, id }) => ({ [logicalId]: id }));
      return callNeeds({ function: '', service: 'dynamodb', region, operation, resources }, deployment, {
        region,
        physicalIds,
      });
    }
    case 'aws-sdk:glue:getTable': {
      const { DatabaseName, Name } = parameters;
      const places = ['catalog', `database/${DatabaseName}`, `table/${DatabaseName}/${Name}`];
      return places.map((place) => ({
        request: { action: 'glue:GetTable', resource: `arn:${partition}:glue:${region}:${account}:${place}`, context },
        why: 'the plan looks for a column',
      }));
    }
    case 'aws-sdk:cloudwatch:putMetricData':
      return [
        {
          request: {
            action: 'cloudwatch:PutMetricData',
            resource: '*',
            context: { ...context, 'cloudwatch:namespace': String(parameters.Namespace) },
          },
          why: 'the plan counts a lease that stays held, and a segment that fails',
        },
      ];
    case 'lambda:invoke': {
      const request = { action: 'lambda:InvokeFunction', resource: String(parameters.FunctionName), context };
      return [{ request, why: 'the plan publishes' }];
    }
    case 'athena:startQueryExecution.sync': {
      const { QueryString, QueryExecutionContext, WorkGroup } = parameters;
      const { Database } = QueryExecutionContext as { Database: string };
      const call = { sql: String(QueryString), database: Database, workGroup: String(WorkGroup) };
      return statementNeeds(call, deployment, catalogue);
    }
    default:
      throw new Error(`plan-needs.ts does not know what a state needs that calls ${action}`);
  }
}
