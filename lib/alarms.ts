import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';
import { JOB_SECONDS } from '../domain/erasure.ts';
import { AlarmTopic } from './alarm-topic.ts';
import type { DataKey } from './data-key.ts';
import { type ConsumerMetrics, type LineMetrics, PERIOD } from './line-metrics.ts';

export interface AlarmsProps {
  readonly stage: StageConfig;
  readonly key: DataKey;
  readonly metrics: LineMetrics;
}

/** Of all requests, in percent. One in a hundred is more than API Gateway and Lambda fail by themselves. */
const DOOR_ERROR_PERCENT = 1;

/** Fewer errors than this say nothing about a rate: at night one retry of one sender would be half of the traffic. */
const LEAST_ERRORS = 5;

/** Clients and the stream's adapter have tried again before a call fails; so many in five minutes are no accident. */
const LOST_CALLS = 10;

/** Of all messages, or requests, in percent: more than the odd broken sender, less than a whole source. */
const REFUSED_PERCENT = 5;

/** As for errors, but scanners and old pages are refused all day. */
const LEAST_REFUSALS = 20;

/** A rate must stay high for three periods: a broken tag does, a burst from one browser does not. */
const RATE_PERIODS = 3;

/** Suppression is promised within seconds; after five minutes a buyer has seen the banner again. */
const PROFILE_LAG_SECONDS = 300;

/** `land` gathers for up to five minutes and retries slow puts; half an hour later the plan works on old data. */
const LAND_LAG_SECONDS = 1800;

/** An age counts once it has lasted for so many minutes: by then a single large batch is done. */
const LAG_PERIODS = 5;
const LAG_PERIOD = Duration.minutes(1);

/** One interval may pass with a run that failed, and a first run fills its tables for up to an hour: four are late. */
const LATE_INTERVALS = 4;

/**
 * The rights job runs once an hour and ends even where it finds nothing to do. One run may fail and the next take an hour:
 * after three the day in which withdrawn data leave the lake, and an erasure begins, is at risk.
 */
const LATE_RIGHTS_RUNS = 3;

/** CloudWatch's limit for a description. */
const MAX_DESCRIPTION = 1024;

type Rule = {
  metric: IMetric;
  /** The alarm rings at this value or above; `below` turns it round. */
  threshold: number;
  below?: true;
  periods?: number;
  /** Whether the absence of data is itself the fault. */
  missingIsFault?: true;
  /** What users or the brand lose while it rings. */
  impact: string;
  /** What to do first. */
  first: string;
  /** The section of docs/runbook.md, as its heading's anchor. */
  section: string;
};

/** What wakes somebody up. Each alarm says what is lost and what to do first, since who reads it may not know the platform. */
export class Alarms extends Construct {
  readonly all: readonly Alarm[];

  constructor(scope: Construct, id: string, { stage, key, metrics }: AlarmsProps) {
    super(scope, id);
    const action = new SnsAction(new AlarmTopic(this, 'Topic', { key }));
    this.all = Object.entries(rules(stage, metrics)).map(([name, rule]) => {
      const alarmDescription = `${rule.impact} First: ${rule.first} Then docs/runbook.md#${rule.section}`;
      if (alarmDescription.length > MAX_DESCRIPTION) throw new Error(`alarm ${name}: its description is too long`);
      const alarm = new Alarm(this, name, {
        metric: rule.metric,
        threshold: rule.threshold,
        comparisonOperator: rule.below
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: rule.periods ?? 1,
        treatMissingData: rule.missingIsFault ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
        alarmDescription,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      return alarm;
    });
  }
}

/** Missing data is no fault but for what runs on a schedule and is late, so a metric that counts faults needs no zeros in between. */
function rules(
  stage: StageConfig,
  { door, stream, profile, land, plan, rightsJob }: LineMetrics,
): Record<string, Rule> {
  return {
    DoorFails: {
      metric: rate(door.serverErrors, door.requests, LEAST_ERRORS),
      threshold: DOOR_ERROR_PERCENT,
      periods: RATE_PERIODS,
      impact:
        'Browsers and servers get 5xx from the door: consent choices, orders and messages are not taken until they are ' +
        'sent again. Pages and banners themselves go on.',
      first: 'read the log of the function collect.',
      section: 'the-door-fails',
    },
    StreamRefuses: {
      metric: door.streamFailed,
      threshold: LOST_CALLS,
      impact:
        'The stream does not take what the door gives it: pixels and clicks are lost for good, since they answer as ever; ' +
        'senders of messages get 503 and have to send again.',
      first: 'look for throttled records of the stream on the dashboard; if there are any, raise shards and deploy.',
      section: 'the-door-fails',
    },
    StoresFail: {
      metric: door.failed,
      threshold: LOST_CALLS,
      impact:
        'The door reaches no table or no keys: pixels are lost for good, and decisions answer "show" for everybody, so ' +
        'buyers see banners for what they have bought.',
      first: 'read the logs of the functions collect and decide.',
      section: 'the-door-fails',
    },
    MessagesRejected: {
      // Rejections travel on the stream like events, and a batch of many messages is one request: so records, not requests.
      metric: rate(door.rejected, stream.records, LEAST_REFUSALS),
      threshold: REFUSED_PERCENT,
      periods: RATE_PERIODS,
      impact:
        'A source sends what the tracking plan does not allow. What is rejected is in no profile and no report, and ' +
        'cannot be had back.',
      first: 'ask table rejected for source and reason.',
      section: 'messages-are-rejected',
    },
    RequestsRefused: {
      metric: rate(door.refused, door.requests, LEAST_REFUSALS),
      threshold: REFUSED_PERCENT,
      periods: RATE_PERIODS,
      impact:
        'Whole requests are turned away (write key, origin, token, size): a source may be locked out, and its events are ' +
        'lost unless it keeps them.',
      first: 'see on the dashboard for which reason; after a key was retired it is that.',
      section: 'requests-are-refused',
    },
    ...consumerRules('Profile', profile, PROFILE_LAG_SECONDS, {
      lags: 'Suppression is late: buyers go on seeing banners for what they have bought. Nothing is lost for 20 hours.',
      givesUp: 'Events are missing in profiles: the people in them may see banners again for what they have bought.',
    }),
    ...consumerRules('Land', land, LAND_LAG_SECONDS, {
      lags: 'The lake is late, and with it reports and audiences. Nothing is lost for 20 hours.',
      givesUp: 'Events are missing in the lake, and so in reports and audiences.',
    }),
    PlanIsLate: {
      metric: plan.succeeded(Duration.seconds(stage.planEverySeconds)),
      threshold: 1,
      below: true,
      periods: LATE_INTERVALS,
      missingIsFault: true,
      impact:
        `No run of the plan has succeeded within ${LATE_INTERVALS} intervals: the lake's tables, reports and audiences ` +
        'stay as they were, and audiences end with their lifetime. Suppression of buyers goes on.',
      first:
        'look at the last executions of the state machine. In the first hour of a new stage wait for its first run.',
      section: 'the-plan-failed',
    },
    PlanFails: {
      metric: plan.failed,
      threshold: 1,
      impact:
        'A run of the plan failed: reports and audiences are older by an interval, or more if the next one fails.',
      first: 'open the failed execution; the red state names the step.',
      section: 'the-plan-failed',
    },
    SegmentFails: {
      metric: plan.segmentFailed,
      threshold: 1,
      impact:
        'A segment could not be built or published; the others go on. Its last good audience goes on being used, loses ' +
        'who withdraws, and ends with its lifetime.',
      first:
        'open the execution: the red state names the segment and Athena’s reason; npm run sql -- check finds most.',
      section: 'a-segment-fails',
    },
    PlanTimesOut: {
      metric: plan.timedOut,
      threshold: 1,
      impact:
        'A run of the plan was stopped at its limit of an hour: reports and audiences stay as they were, and its lease ' +
        'holds up the next runs until it expires.',
      first: 'see in the execution which step took so long.',
      section: 'the-plan-failed',
    },
    LeaseIsHeld: {
      metric: plan.leaseHeld,
      threshold: 1,
      impact:
        "A run of the plan waited for a whole interval and found the lake's lease held: reports and audiences are late, " +
        'for an hour at most if the holder is dead.',
      first: 'list the running executions; if there is none, the lease is stuck.',
      section: 'the-lease-is-stuck',
    },
    RightsJobIsLate: {
      metric: rightsJob.succeeded(Duration.seconds(JOB_SECONDS)),
      threshold: 1,
      below: true,
      periods: LATE_RIGHTS_RUNS,
      missingIsFault: true,
      impact:
        `No run of the rights job has succeeded for ${LATE_RIGHTS_RUNS} hours: erasures and downloads wait, and withdrawn ` +
        'and expired data stay in the lake. The law gives a month; a withdrawal is promised within a day.',
      first: 'look at the last executions of the job. In the first hour of a new stage wait for its first run.',
      section: 'the-rights-job-failed',
    },
    RightsJobFails: {
      metric: rightsJob.failed,
      threshold: 1,
      impact:
        'A run of the rights job failed: its requests stay open, and nothing has left the lake since the last one.',
      first: 'open the failed execution; the red state names the step. The next run does everything again.',
      section: 'the-rights-job-failed',
    },
    RightsJobTimesOut: {
      metric: rightsJob.timedOut,
      threshold: 1,
      impact:
        'A run of the rights job was stopped at its limit of an hour: its requests stay open, and its lease holds up the ' +
        'plan until it expires.',
      first: 'see in the execution which step took so long.',
      section: 'the-rights-job-failed',
    },
  };
}

function consumerRules(
  name: string,
  metrics: ConsumerMetrics,
  lagSeconds: number,
  impact: { lags: string; givesUp: string },
): Record<string, Rule> {
  return {
    [`${name}Lags`]: {
      metric: metrics.age(LAG_PERIOD),
      threshold: lagSeconds * 1000,
      periods: LAG_PERIODS,
      impact: impact.lags,
      first: `see on the dashboard whether ${name.toLowerCase()} has errors or full batches.`,
      section: 'the-stream-lags',
    },
    [`${name}GivesUp`]: {
      metric: metrics.givenUp,
      threshold: 1,
      impact: `${impact.givesUp} The batch is kept in S3 and can be sent in again.`,
      first: `read the log of the function ${name.toLowerCase()}.`,
      section: 'a-consumer-gave-up-a-batch',
    },
    [`${name}Drops`]: {
      metric: metrics.dropped,
      threshold: 1,
      impact: `${impact.givesUp} The batch could not be kept in S3 either; it can be had from the stream for 24 hours only.`,
      first: `see whether the role of ${name.toLowerCase()} may write to the bucket and use the key.`,
      section: 'a-consumer-gave-up-a-batch',
    },
  };
}

/** `part` of `whole` in percent; 0 below `least`, nothing where nothing was counted. */
function rate(part: IMetric, whole: IMetric, least: number): MathExpression {
  return new MathExpression({
    expression: `IF(part >= ${least}, 100 * part / whole, 0)`,
    usingMetrics: { part, whole },
    period: PERIOD,
  });
}
