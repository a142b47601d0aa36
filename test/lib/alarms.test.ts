import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { stageOf } from '../../domain/config.ts';
import config from '../../paula.config.ts';
import { resourcesOf, type Synthesised, synthesise } from './synthesised.ts';

const RUNBOOK = join(import.meta.dirname, '../../docs/runbook.md');

type Stat = { Metric: { Namespace: string; MetricName: string; Dimensions?: object[] }; Period: number; Stat: string };
type AlarmProperties = {
  AlarmDescription: string;
  AlarmActions: unknown;
  OKActions: unknown;
  ComparisonOperator: string;
  EvaluationPeriods: number;
  Threshold: number;
  TreatMissingData: string;
  MetricName?: string;
  Namespace?: string;
  Dimensions?: { Name: string; Value: unknown }[];
  Period?: number;
  Statistic?: string;
  Metrics?: { Id: string; Expression?: string; MetricStat?: Stat }[];
};

let prod: Synthesised;
let alarms: Map<string, AlarmProperties>;

beforeAll(() => {
  prod = synthesise('prod');
  alarms = new Map(
    resourcesOf(prod.line, 'AWS::CloudWatch::Alarm').map(([id, { Properties }]) => [
      id.replace(/^Alarms|[0-9A-F]{8}$/g, ''),
      Properties as unknown as AlarmProperties,
    ]),
  );
});

const idOf = (type: string, starts: string): string | undefined =>
  resourcesOf(prod.line, type).find(([id]) => id.startsWith(starts))?.[0];

/** The heading's anchor as a Markdown viewer makes it. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');

const sections = (): string[] =>
  [...readFileSync(RUNBOOK, 'utf8').matchAll(/^## (.*)$/gm)].map(([, heading = '']) => anchor(heading));

describe('every alarm', () => {
  it('is known: the list of what wakes somebody up', () => {
    expect([...alarms.keys()].sort()).toEqual(
      [
        'DoorFails',
        'StreamRefuses',
        'StoresFail',
        'MessagesRejected',
        'RequestsRefused',
        'ProfileLags',
        'ProfileGivesUp',
        'ProfileDrops',
        'LandLags',
        'LandGivesUp',
        'LandDrops',
        'PlanIsLate',
        'PlanFails',
        'SegmentFails',
        'PlanTimesOut',
        'LeaseIsHeld',
        'RightsJobIsLate',
        'RightsJobFails',
        'RightsJobTimesOut',
      ].sort(),
    );
  });

  it('says what is lost, what to do first, and names a section of the runbook that there is', () => {
    for (const [name, { AlarmDescription }] of alarms) {
      const [, impact = '', first = '', section = ''] =
        /^(.{40,}) First: (.{15,}) Then docs\/runbook\.md#([a-z0-9-]+)$/.exec(AlarmDescription) ?? [];
      expect([name, impact.at(-1), first.at(-1)]).toEqual([name, '.', '.']);
      expect(sections()).toContain(section);
    }
  });

  it('is in the runbook by its name', () => {
    const text = readFileSync(RUNBOOK, 'utf8');
    for (const name of alarms.keys()) expect(text).toContain(`\`${name}\``);
  });

  it('tells the topic when it rings and when it is over', () => {
    const topic = [{ Ref: idOf('AWS::SNS::Topic', 'Alarms') }];
    for (const { AlarmActions, OKActions } of alarms.values())
      expect([AlarmActions, OKActions]).toEqual([topic, topic]);
  });

  it('looks back no further than CloudWatch lets it', () => {
    for (const stage of [{ planEverySeconds: 3540 }, { planEverySeconds: 86_400 }]) {
      const { line } = synthesise('dev', { stage });
      for (const [id, { Properties }] of resourcesOf(line, 'AWS::CloudWatch::Alarm')) {
        const { Period, Metrics = [], EvaluationPeriods } = Properties as unknown as AlarmProperties;
        for (const period of [Period, ...Metrics.map(({ MetricStat }) => MetricStat?.Period)].filter(
          (p) => p !== undefined,
        )) {
          const most = period < 3600 ? 86_400 : 604_800;
          expect([id, period % 60, period * EvaluationPeriods <= most]).toEqual([id, 0, true]);
        }
      }
    }
  });
});

describe('what each one watches', () => {
  it.each([
    ['StreamRefuses', 'Paula/prod', 'StreamFailed', 10],
    ['StoresFail', 'Paula/prod', 'Failed', 10],
    ['LeaseIsHeld', 'Paula/prod', 'LeaseHeld', 1],
    ['PlanFails', 'AWS/States', 'ExecutionsFailed', 1],
    ['PlanTimesOut', 'AWS/States', 'ExecutionsTimedOut', 1],
    ['RightsJobFails', 'AWS/States', 'ExecutionsFailed', 1],
    ['RightsJobTimesOut', 'AWS/States', 'ExecutionsTimedOut', 1],
    ['ProfileGivesUp', 'AWS/Lambda', 'OnFailureDestinationDeliveredEventCount', 1],
    ['ProfileDrops', 'AWS/Lambda', 'DroppedEventCount', 1],
    ['LandGivesUp', 'AWS/Lambda', 'OnFailureDestinationDeliveredEventCount', 1],
    ['LandDrops', 'AWS/Lambda', 'DroppedEventCount', 1],
  ])('%s: %s %s, at %i and above, and silence is good news', (name, Namespace, MetricName, Threshold) => {
    expect(alarms.get(name)).toMatchObject({
      Namespace,
      MetricName,
      Threshold,
      Statistic: 'Sum',
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
    });
  });

  it('totals of our own metrics, which have no dimension', () => {
    for (const name of ['StreamRefuses', 'StoresFail', 'LeaseIsHeld'])
      expect(alarms.get(name)?.Dimensions).toBeUndefined();
  });

  it.each([
    ['ProfileLags', 'Profile', 300_000],
    ['LandLags', 'Land', 1_800_000],
  ])('%s: the iterator age of its consumer', (name, consumer, Threshold) => {
    expect(alarms.get(name)).toMatchObject({
      Namespace: 'AWS/Lambda',
      MetricName: 'IteratorAge',
      Statistic: 'Maximum',
      Threshold,
      Dimensions: [{ Name: 'FunctionName', Value: { Ref: idOf('AWS::Lambda::Function', consumer) } }],
    });
  });

  it.each(['Profile', 'Land'])(
    '%sGivesUp and Drops: counts of its mapping, which the mapping is asked to make',
    (consumer) => {
      const mapping = idOf('AWS::Lambda::EventSourceMapping', consumer) ?? '';
      for (const name of [`${consumer}GivesUp`, `${consumer}Drops`])
        expect(alarms.get(name)?.Dimensions).toEqual([{ Name: 'EventSourceMappingUUID', Value: { Ref: mapping } }]);
      expect(prod.line.Resources?.[mapping]?.Properties?.MetricsConfig).toEqual({ Metrics: ['EventCount'] });
    },
  );

  it('PlanIsLate: no success within four intervals, silence included', () => {
    const { planEverySeconds } = stageOf(config, 'prod');
    expect(alarms.get('PlanIsLate')).toMatchObject({
      Namespace: 'AWS/States',
      MetricName: 'ExecutionsSucceeded',
      Dimensions: [{ Name: 'StateMachineArn', Value: { Ref: idOf('AWS::StepFunctions::StateMachine', 'Plan') } }],
      Statistic: 'Sum',
      Period: planEverySeconds,
      EvaluationPeriods: 4,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  it('RightsJobIsLate: no success within three hours, silence included', () => {
    expect(alarms.get('RightsJobIsLate')).toMatchObject({
      Namespace: 'AWS/States',
      MetricName: 'ExecutionsSucceeded',
      Dimensions: [{ Name: 'StateMachineArn', Value: { Ref: idOf('AWS::StepFunctions::StateMachine', 'RightsJob') } }],
      Statistic: 'Sum',
      Period: 3600,
      EvaluationPeriods: 3,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  it.each([
    ['DoorFails', 5, 1, ['AWS/ApiGateway', '5xx'], ['AWS/ApiGateway', 'Count']],
    ['MessagesRejected', 20, 5, ['Paula/prod', 'Rejected'], ['AWS/Kinesis', 'IncomingRecords']],
    ['RequestsRefused', 20, 5, ['Paula/prod', 'Refused'], ['AWS/ApiGateway', 'Count']],
  ])('%s: a rate, from %i on, of %i percent', (name, least, Threshold, part, whole) => {
    const { Metrics = [], ...alarm } = alarms.get(name) ?? {};
    expect(alarm).toMatchObject({ Threshold, EvaluationPeriods: 3, TreatMissingData: 'notBreaching' });
    expect(Metrics.find(({ Expression }) => Expression)?.Expression).toBe(
      `IF(part >= ${least}, 100 * part / whole, 0)`,
    );
    const named = (id: string) => {
      const { Namespace, MetricName } = Metrics.find(({ Id }) => Id === id)?.MetricStat?.Metric ?? {};
      return [Namespace, MetricName];
    };
    expect([named('part'), named('whole')]).toEqual([part, whole]);
  });
});

describe('the topic', () => {
  it('stands under the key of the stage, which lets alarms of this account and region use it', () => {
    const [[, topic] = []] = resourcesOf(prod.line, 'AWS::SNS::Topic');
    expect(JSON.stringify(topic?.Properties.KmsMasterKeyId)).toMatch(/DataKeyArn/);
    const policy = prod.state.Resources?.DataKey?.Properties?.KeyPolicy as { Statement: object[] } | undefined;
    expect(policy?.Statement).toContainEqual({
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      Resource: '*',
      Condition: ONLY_OUR_ALARMS,
    });
  });

  it('takes messages of those alarms only, and nothing without TLS', () => {
    const [[, policy] = []] = resourcesOf(prod.line, 'AWS::SNS::TopicPolicy');
    const { Statement = [] } = (policy?.Properties.PolicyDocument ?? {}) as { Statement?: { Effect: string }[] };
    expect(Statement.filter(({ Effect }) => Effect === 'Allow')).toMatchObject([
      { Principal: { Service: 'cloudwatch.amazonaws.com' }, Action: 'sns:Publish', Condition: ONLY_OUR_ALARMS },
    ]);
    expect(Statement).toContainEqual(
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
  });

  it('has no subscriber of ours, and its ARN is an output', () => {
    expect(resourcesOf(prod.line, 'AWS::SNS::Subscription')).toEqual([]);
    const topic = { Ref: idOf('AWS::SNS::Topic', 'Alarms') };
    const outputs = Object.values(prod.line.Outputs as Record<string, { Value: unknown }>);
    expect(outputs.map(({ Value }) => Value)).toContainEqual(topic);
  });

  const ONLY_OUR_ALARMS = {
    StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    ArnLike: {
      'aws:SourceArn': {
        'Fn::Join': ['', ['arn:aws:cloudwatch:eu-central-1:', { Ref: 'AWS::AccountId' }, ':alarm:*']],
      },
    },
  };
});

describe('the dashboard', () => {
  /** The body with a stand-in for each token, so that it can be read as JSON. */
  const body = () => {
    const [[, dashboard] = []] = resourcesOf(prod.line, 'AWS::CloudWatch::Dashboard');
    const joined = dashboard?.Properties.DashboardBody as { 'Fn::Join': [string, unknown[]] } | undefined;
    const [, pieces = []] = joined?.['Fn::Join'] ?? [];
    const text = pieces.map((piece) => (typeof piece === 'string' ? piece : 'TOKEN')).join('');
    return JSON.parse(text) as {
      widgets: { type: string; y: number; properties: { title: string; alarms?: string[]; metrics?: unknown[][] } }[];
    };
  };

  it('is one page in the order of the line', () => {
    expect(resourcesOf(prod.line, 'AWS::CloudWatch::Dashboard')).toHaveLength(1);
    const stations = body().widgets.map(({ y, properties }) => ({ y, station: properties.title.split(':')[0] }));
    expect([...new Set(stations.map(({ station }) => station))]).toEqual([
      'Alarms',
      'door',
      'stream',
      'profile',
      'land',
      'plan',
      'rights',
      'decide',
    ]);
    expect(stations.map(({ y }) => y)).toEqual(stations.map(({ y }) => y).sort((a, b) => a - b));
  });

  it('shows every alarm, and something in every graph', () => {
    const [status, ...graphs] = body().widgets;
    expect(status?.properties.alarms).toHaveLength(alarms.size);
    for (const { properties } of graphs) expect([properties.title, properties.metrics?.length]).not.toContain(0);
  });
});
