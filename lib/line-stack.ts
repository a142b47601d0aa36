import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { consumers } from '../domain/consumers.ts';
import { Alarms } from './alarms.ts';
import { Door } from './door.ts';
import { ErasureJob } from './erasure-job.ts';
import { KeysCompletion } from './keys-completion.ts';
import { LineDashboard } from './line-dashboard.ts';
import { lineMetrics } from './line-metrics.ts';
import type { PaulaStackProps } from './paula-stage.ts';
import { Plan } from './plan.ts';
import { grantLedgerReads } from './rights-grants.ts';
import type { StateStack } from './state-stack.ts';
import { StreamConsumer } from './stream-consumer.ts';

export interface LineStackProps extends PaulaStackProps {
  readonly state: StateStack;
}

/** What may be redeployed at will: the stations of the line, in its order. It holds no data. */
export class LineStack extends Stack {
  constructor(scope: Construct, id: string, props: LineStackProps) {
    super(scope, id, {
      env: props.env,
      description: 'Paula: the line (door, consumers, plan); holds no data',
      analyticsReporting: false,
    });
    const { stage, stageName, state } = props;
    const { profile, land } = consumers(stage);

    new KeysCompletion(this, 'Keys', props);
    const door = new Door(this, 'Door', props);

    const folding = new StreamConsumer(this, 'Profile', {
      ...props,
      consumer: profile,
      environment: {
        PROFILES_TABLE: state.tables.profiles.tableName,
        CONSENTS_TABLE: state.tables.consents.tableName,
      },
      // One vCPU (1,769 MB): folding a batch is CPU on one thread.
      memoryMb: 1769,
      // A batch of 1,000 takes seconds; a minute leaves room for a throttled table's back-off.
      timeoutSeconds: 60,
    });
    state.tables.grantFold(folding.function);
    grantLedgerReads(folding.function, state);

    const landing = new StreamConsumer(this, 'Land', {
      ...props,
      consumer: land,
      environment: { BUCKET_NAME: state.lake.bucket.bucketName },
      memoryMb: 1769,
      // 6 MB of records become a handful of objects in seconds; two minutes leave room for a slow object store.
      timeoutSeconds: 120,
    });
    state.lake.grantLand(landing.function);

    const plan = new Plan(this, 'Plan', props);
    const rightsJob = new ErasureJob(this, 'RightsJob', { ...props, plan });

    const { stream, key } = state;
    const metrics = lineMetrics({ stageName, stream, door, profile: folding, land: landing, plan, rightsJob });
    const alarms = new Alarms(this, 'Alarms', { stage, key, metrics });
    new LineDashboard(this, 'Dashboard', { metrics, alarms: alarms.all });
  }
}
