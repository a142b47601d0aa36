import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { buildErasure, JOB_SECONDS } from '../domain/erasure.ts';
import { metricsNamespace } from '../domain/metrics.ts';
import { readErasureTexts } from '../sql/erasure-texts.ts';
import { erasureDefinition } from './erasure-definition.ts';
import type { LineStackProps } from './line-stack.ts';
import { PaulaFunction } from './paula-function.ts';
import type { Plan } from './plan.ts';
import { grantErase } from './rights-grants.ts';
import { StageLogGroup } from './stage-log-group.ts';

export interface ErasureJobProps extends LineStackProps {
  /** The other writer of the lake, whose role and workgroup the job shares. */
  readonly plan: Plan;
}

/** The rights job: once an hour a state machine looks for requests, and works on them where there are any. */
export class ErasureJob extends Construct {
  readonly machine: StateMachine;
  readonly erase: PaulaFunction;

  constructor(scope: Construct, id: string, props: ErasureJobProps) {
    super(scope, id);
    const { config, stage, stageName, state, plan } = props;
    const erase = new PaulaFunction(this, 'Erase', {
      ...props,
      entry: 'erase',
      key: state.key,
      environment: {
        PROFILES_TABLE: state.tables.profiles.tableName,
        CONSENTS_TABLE: state.tables.consents.tableName,
        BUCKET_NAME: state.lake.bucket.bucketName,
      },
      // One vCPU (1,769 MB): reading and writing Parquet is CPU, and eight files are in memory at a time.
      memoryMb: 1769,
      // Lambda's longest; a walk that needs more is called again.
      timeoutSeconds: 900,
    });
    grantErase(erase, state, config);
    erase.grantCall(plan.role);

    const bucket = state.lake.bucket.bucketName;
    const definition = erasureDefinition(buildErasure({ config, stage, bucket, ...readErasureTexts(config) }), {
      partition: Stack.of(this).partition,
      workGroup: plan.workgroup.workGroupName,
      database: state.lake.databaseName,
      bucket,
      controlTable: state.tables.control.tableName,
      publishFunctionArn: plan.publish.function.functionArn,
      eraseFunctionArn: erase.function.functionArn,
      metricsNamespace: metricsNamespace(stageName),
      // A run of the plan is over by then, and the next look comes in an hour.
      leaseWaitSeconds: JOB_SECONDS / 2,
    });
    const machine = new StateMachine(this, 'Machine', {
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(definition)),
      role: plan.role,
      logs: {
        destination: new StageLogGroup(this, 'Logs', { stage, key: state.key }),
        level: LogLevel.ERROR,
        includeExecutionData: false,
      },
    });
    Validations.of(machine).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason: 'Errors are logged; every state of every run is in the execution history for 90 days as it is.',
      },
      {
        id: 'AwsSolutions-SF2',
        reason:
          'One step after the other: the execution history shows what a trace would, and X-Ray costs a "*" grant.',
      },
    );
    new Schedule(this, 'Schedule', {
      description: 'Paula: looks for requests of access and erasure',
      schedule: ScheduleExpression.rate(Duration.seconds(JOB_SECONDS)),
      target: new StepFunctionsStartExecution(machine, {
        input: ScheduleTargetInput.fromObject({}),
        // A run that could not be started is made good by the next one.
        retryAttempts: 2,
        maxEventAge: Duration.minutes(15),
      }),
    });
    this.machine = machine;
    this.erase = erase;
  }
}
