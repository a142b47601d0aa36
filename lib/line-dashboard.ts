import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { type LineMetrics, PERIOD } from './line-metrics.ts';

export interface LineDashboardProps {
  readonly metrics: LineMetrics;
  readonly alarms: readonly Alarm[];
}

/** CloudWatch's grid is 24 units wide; three graphs of a station stand side by side. */
const FULL_WIDTH = 24;
const GRAPH_WIDTH = FULL_WIDTH / 3;
const ALARMS_HEIGHT = 4;

/** Why the door turns requests away, by the dimension of the metric. */
const REFUSAL_REASONS = ['write_key', 'origin', 'identity_token', 'identity_consent', 'too_large', 'site_unknown'];

/** One page in the order of the line: a row for each station, below the alarms. */
export class LineDashboard extends Dashboard {
  constructor(scope: Construct, id: string, { metrics, alarms }: LineDashboardProps) {
    const { door, stream, profile, land, plan, rightsJob, decide } = metrics;
    const consumerRow = (
      name: string,
      { age, invoked, errors, duration, givenUp, dropped }: LineMetrics['profile'],
    ) => [
      graph(`${name}: age of the oldest record`, [age(PERIOD)]),
      graph(`${name}: records, and those given up`, [invoked], [givenUp, dropped]),
      graph(`${name}: duration and errors`, [duration], [errors]),
    ];
    super(scope, id, {
      defaultInterval: Duration.hours(12),
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: FULL_WIDTH, height: ALARMS_HEIGHT })],
        [
          graph('door: requests and errors', [door.requests], [door.clientErrors, door.serverErrors]),
          graph('door: latency and duration of collect', [door.latency, door.duration]),
          graph('door: refused, by reason', REFUSAL_REASONS.map(door.refusedFor), [door.failedIn('collect')]),
        ],
        [
          graph('stream: records, and those rejected', [stream.records], [door.rejected]),
          graph('stream: bytes', [stream.bytes]),
          graph('stream: throttled, and not taken from the door', [stream.throttled], [door.streamFailed]),
        ],
        consumerRow('profile', profile),
        consumerRow('land', land),
        [
          graph('plan: runs', [plan.succeeded(PERIOD), plan.failed, plan.timedOut, plan.leaseHeld]),
          graph('plan: duration of a run', [plan.time]),
          graph('plan: publish', [plan.publish.duration], [plan.publish.errors]),
        ],
        [
          graph('rights: runs of the job', [rightsJob.succeeded(PERIOD), rightsJob.failed, rightsJob.timedOut]),
          graph('rights: duration of a run', [rightsJob.time]),
          graph('rights: erase', [rightsJob.erase.duration], [rightsJob.erase.errors]),
        ],
        [
          graph('decide: decisions', [decide.calls]),
          graph('decide: duration', [decide.duration]),
          graph('decide: errors, and decisions without knowledge', [decide.errors, door.failedIn('decide')]),
        ],
      ],
    });
  }
}

const graph = (title: string, left: IMetric[], right: IMetric[] = []): IWidget =>
  new GraphWidget({ title, left, right, width: GRAPH_WIDTH });
