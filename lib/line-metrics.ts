import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type DoorMetric, LEASE_HELD_METRIC, metricsNamespace, SEGMENT_FAILED_METRIC } from '../domain/metrics.ts';
import type { Door } from './door.ts';
import type { ErasureJob } from './erasure-job.ts';
import type { EventStream } from './event-stream.ts';
import type { PaulaFunction } from './paula-function.ts';
import type { Plan } from './plan.ts';
import type { StreamConsumer } from './stream-consumer.ts';

export interface LineStations {
  readonly stageName: string;
  readonly stream: EventStream;
  readonly door: Door;
  readonly profile: StreamConsumer;
  readonly land: StreamConsumer;
  readonly plan: Plan;
  readonly rightsJob: ErasureJob;
}

/** Five minutes: a browser's burst is over by then, and a fault has cost little. */
export const PERIOD = Duration.minutes(5);

export type LineMetrics = ReturnType<typeof lineMetrics>;
export type ConsumerMetrics = ReturnType<typeof consumerMetrics>;

/** What is measured at each station, in the order of the line; alarms and dashboard read the same. */
export function lineMetrics({ stageName, stream, door, profile, land, plan, rightsJob }: LineStations) {
  const own = (metricName: DoorMetric | typeof LEASE_HELD_METRIC | typeof SEGMENT_FAILED_METRIC, reason?: string) =>
    new Metric({
      namespace: metricsNamespace(stageName),
      metricName,
      ...(reason !== undefined && { dimensionsMap: { reason }, label: reason }),
      statistic: Stats.SUM,
      period: PERIOD,
    });
  const { api } = door;
  return {
    door: {
      requests: api.metricCount({ period: PERIOD }),
      clientErrors: api.metricClientError({ period: PERIOD }),
      serverErrors: api.metricServerError({ period: PERIOD }),
      latency: api.metricLatency({ period: PERIOD, statistic: Stats.percentile(95) }),
      rejected: own('Rejected'),
      refused: own('Refused'),
      refusedFor: (reason: string) => own('Refused', reason),
      failed: own('Failed'),
      failedIn: (station: 'collect' | 'decide') => own('Failed', station),
      streamFailed: own('StreamFailed'),
      ...functionMetrics(door.collect),
    },
    stream: {
      records: stream.stream.metricIncomingRecords({ statistic: Stats.SUM, period: PERIOD }),
      bytes: stream.stream.metricIncomingBytes({ statistic: Stats.SUM, period: PERIOD }),
      throttled: stream.stream.metricWriteProvisionedThroughputExceeded({
        statistic: Stats.SUM,
        period: PERIOD,
      }),
    },
    profile: consumerMetrics(profile),
    land: consumerMetrics(land),
    plan: {
      succeeded: (period: Duration) => plan.machine.metricSucceeded({ period }),
      failed: plan.machine.metricFailed({ period: PERIOD }),
      timedOut: plan.machine.metricTimedOut({ period: PERIOD }),
      time: plan.machine.metricTime({ period: PERIOD, statistic: Stats.MAXIMUM }),
      leaseHeld: own(LEASE_HELD_METRIC),
      segmentFailed: own(SEGMENT_FAILED_METRIC),
      publish: functionMetrics(plan.publish),
    },
    rightsJob: {
      succeeded: (period: Duration) => rightsJob.machine.metricSucceeded({ period }),
      failed: rightsJob.machine.metricFailed({ period: PERIOD }),
      timedOut: rightsJob.machine.metricTimedOut({ period: PERIOD }),
      time: rightsJob.machine.metricTime({ period: PERIOD, statistic: Stats.MAXIMUM }),
      erase: functionMetrics(rightsJob.erase),
    },
    decide: functionMetrics(door.decide),
  };
}

function functionMetrics({ function: handler }: PaulaFunction) {
  return {
    calls: handler.metricInvocations({ period: PERIOD }),
    errors: handler.metricErrors({ period: PERIOD }),
    duration: handler.metricDuration({ period: PERIOD, statistic: Stats.percentile(95) }),
  };
}

function consumerMetrics({ function: consumer, mapping }: StreamConsumer) {
  const ofMapping = (metricName: string) =>
    new Metric({
      namespace: 'AWS/Lambda',
      metricName,
      dimensionsMap: { EventSourceMappingUUID: mapping.eventSourceMappingId },
      statistic: Stats.SUM,
      period: PERIOD,
    });
  return {
    ...functionMetrics(consumer),
    age: (period: Duration) => consumer.function.metric('IteratorAge', { period, statistic: Stats.MAXIMUM }),
    invoked: ofMapping('InvokedEventCount'),
    /** Records that went to the on-failure destination. */
    givenUp: ofMapping('OnFailureDestinationDeliveredEventCount'),
    /** Records that could not even go there. */
    dropped: ofMapping('DroppedEventCount'),
  };
}
