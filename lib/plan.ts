import { CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { metricsNamespace } from '../domain/metrics.ts';
import { buildPlan } from '../domain/plan.ts';
import { soundSegments } from '../sql/sound-segments.ts';
import { readSqlTexts } from '../sql/sql-texts.ts';
import type { LineStackProps } from './line-stack.ts';
import { PaulaFunction } from './paula-function.ts';
import { planDefinition } from './plan-definition.ts';
import { QueryWorkgroup } from './query-workgroup.ts';
import { StageLogGroup } from './stage-log-group.ts';

/** The plan: on a schedule, a state machine runs the SQL from landing to audiences and publishes the differences. */
export class Plan extends Construct {
  readonly machine: StateMachine;
  readonly publish: PaulaFunction;
  /** Whoever writes the lake does so with this role, in this workgroup. */
  readonly role: Role;
  readonly workgroup: QueryWorkgroup;

  constructor(scope: Construct, id: string, props: LineStackProps) {
    super(scope, id);
    const { config, stage, stageName, state } = props;
    const { partition } = Stack.of(this);
    if (stage.planEverySeconds % 60 !== 0)
      throw new Error(
        `planEverySeconds: ${stage.planEverySeconds} is refused: EventBridge Scheduler takes whole minutes`,
      );

    const publish = new PaulaFunction(this, 'Publish', {
      ...props,
      entry: 'publish',
      key: state.key,
      environment: {
        PROFILES_TABLE: state.tables.profiles.tableName,
        CONTROL_TABLE: state.tables.control.tableName,
        BUCKET_NAME: state.lake.bucket.bucketName,
      },
      // Waits on DynamoDB most of its time; an export of a large audience is held in memory until it is written.
      memoryMb: 1024,
      // Lambda's longest: the first run of a large segment writes every member once.
      timeoutSeconds: 900,
    });
    state.tables.grantPublish(publish);
    state.lake.grantPublish(publish);

    const workgroup = new QueryWorkgroup(this, 'Queries', { stage, lake: state.lake, key: state.key });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    state.tables.grantLease(role);
    state.lake.grantQuery(role);
    workgroup.grantRun(role);
    publish.grantCall(role);
    const namespace = metricsNamespace(stageName);
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': namespace } },
      }),
    );

    const bucket = state.lake.bucket.bucketName;
    const { faults, ...texts } = soundSegments(readSqlTexts(), config);
    // What is deployed goes on as it is, with the segment's last good form.
    if (faults.length > 0) throw new Error(faults.map((fault) => `sql/${fault}`).join('\n'));
    const definition = planDefinition(buildPlan({ config, stage, bucket, ...texts }), {
      partition,
      workGroup: workgroup.workGroupName,
      database: state.lake.databaseName,
      bucket,
      controlTable: state.tables.control.tableName,
      publishFunctionArn: publish.function.functionArn,
      metricsNamespace: namespace,
      // After that the next run has started, and waits in its place.
      leaseWaitSeconds: stage.planEverySeconds,
    });
    const machine = new StateMachine(this, 'Machine', {
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(definition)),
      role,
      logs: {
        destination: new StageLogGroup(this, 'Logs', { stage, key: state.key }),
        level: LogLevel.ERROR,
        includeExecutionData: false,
      },
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'CloudWatch’s log delivery API, by which Step Functions writes its log, and PutMetricData take no resource but ' +
        '"*"; the latter is held to the stage’s own namespace by a condition.',
    });
    Validations.of(machine).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason: 'Errors are logged; every state of every run is in the execution history for 90 days as it is.',
      },
      {
        id: 'AwsSolutions-SF2',
        reason:
          'One statement after the other: the execution history shows what a trace would, and X-Ray costs a "*" grant.',
      },
    );

    new Schedule(this, 'Schedule', {
      description: 'Paula: runs the plan',
      schedule: ScheduleExpression.rate(Duration.seconds(stage.planEverySeconds)),
      target: new StepFunctionsStartExecution(machine, {
        input: ScheduleTargetInput.fromObject({}),
        // A run that could not be started is made good by the next one.
        retryAttempts: 2,
        maxEventAge: Duration.minutes(15),
      }),
    });
    new CfnOutput(this, 'WorkGroup', {
      value: workgroup.workGroupName,
      description: 'Athena workgroup of the analysts',
    });
    new CfnOutput(this, 'Database', { value: state.lake.databaseName, description: 'Athena database' });
    this.machine = machine;
    this.publish = publish;
    this.role = role;
    this.workgroup = workgroup;
  }
}
