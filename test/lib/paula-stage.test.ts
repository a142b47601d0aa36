import { beforeAll, describe, expect, it } from '@jest/globals';
import { Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { stageOf } from '../../domain/config.ts';
import { KEYS_TAG } from '../../domain/keys.ts';
import { routes } from '../../domain/routes.ts';
import { glueColumns, lakeTables, tableOf } from '../../domain/tables.ts';
import { PaulaStage } from '../../lib/paula-stage.ts';
import type { Template } from '../../lib/region-pin.ts';
import config from '../../paula.config.ts';
import { resourcesOf, type Synthesised, synthesise, testApp } from './synthesised.ts';

type Statement = { Sid?: string; Effect: string; Action: string | string[]; Resource: unknown; Condition?: unknown };

let prod: Synthesised;
let dev: Synthesised;
let sovereign: Synthesised;

beforeAll(() => {
  prod = synthesise('prod');
  dev = synthesise('dev');
  sovereign = synthesise('prod', { region: 'eusc-de-east-1' });
});

describe('what holds data', () => {
  /** Changing one of these ids makes CloudFormation replace the resource: the data would be gone, or left behind. */
  const PINNED = {
    DataKey: 'AWS::KMS::Key',
    EventStream: 'AWS::Kinesis::Stream',
    ProfilesTable: 'AWS::DynamoDB::GlobalTable',
    ConsentsTable: 'AWS::DynamoDB::GlobalTable',
    ControlTable: 'AWS::DynamoDB::GlobalTable',
    LakeBucket: 'AWS::S3::Bucket',
    LakeDatabase: 'AWS::Glue::Database',
    KeysSecret: 'AWS::SecretsManager::Secret',
  };

  it('has pinned logical ids', () => {
    for (const [id, Type] of Object.entries(PINNED)) expect(prod.state.Resources?.[id]).toMatchObject({ Type });
  });

  it('has no other stateful resource that is not pinned', () => {
    const stateless = /^AWS::(S3::BucketPolicy|Glue::Table)$/;
    const others = Object.entries(prod.state.Resources ?? {}).filter(
      ([id, { Type }]) => !(id in PINNED) && !stateless.test(Type),
    );
    expect(others).toEqual([]);
  });

  it('is retained where the stage says so, and goes with a throw-away stage', () => {
    for (const id of Object.keys(PINNED)) {
      expect(prod.state.Resources?.[id]).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
      expect(dev.state.Resources?.[id]).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
    }
  });

  it('stands under the key, and the key rotates', () => {
    const key = { 'Fn::GetAtt': ['DataKey', 'Arn'] };
    const { Resources = {} } = prod.state;
    expect(Resources.DataKey?.Properties).toMatchObject({ EnableKeyRotation: true });
    expect(Resources.EventStream?.Properties).toMatchObject({
      StreamEncryption: { EncryptionType: 'KMS', KeyId: key },
    });
    expect(Resources.KeysSecret?.Properties).toMatchObject({ KmsKeyId: key });
    for (const table of ['ProfilesTable', 'ConsentsTable', 'ControlTable'])
      expect(Resources[table]?.Properties).toMatchObject({ Replicas: [{ SSESpecification: { KMSMasterKeyId: key } }] });
    expect(Resources.LakeBucket?.Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key } },
        ],
      },
    });
    for (const template of [prod.line, dev.line])
      for (const [, { Properties }] of resourcesOf(template, 'AWS::Logs::LogGroup'))
        expect(Properties.KmsKeyId).toBeDefined();
  });

  it('forgets in time: stream, backups, raw files, logs', () => {
    const { Resources = {} } = prod.state;
    expect(Resources.EventStream?.Properties).toMatchObject({ RetentionPeriodHours: 24, ShardCount: 2 });
    for (const [, { Properties }] of resourcesOf(prod.state, 'AWS::DynamoDB::GlobalTable')) {
      const [replica] = Properties.Replicas as { PointInTimeRecoverySpecification: { RecoveryPeriodInDays: number } }[];
      expect(replica?.PointInTimeRecoverySpecification.RecoveryPeriodInDays).toBeLessThanOrEqual(7);
    }
    for (const table of ['ProfilesTable', 'ConsentsTable'])
      expect(Resources[table]?.Properties).toMatchObject({
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      });
    const bucket = Resources.LakeBucket?.Properties as {
      VersioningConfiguration?: unknown;
      LifecycleConfiguration: { Rules: { Prefix?: string; ExpirationInDays?: number }[] };
    };
    expect(bucket.VersioningConfiguration).toBeUndefined();
    const days = Object.fromEntries(
      bucket.LifecycleConfiguration.Rules.flatMap(({ Prefix, ExpirationInDays }) =>
        Prefix ? [[Prefix, ExpirationInDays]] : [],
      ),
    );
    const raw = [
      'landing/',
      'landing-links/',
      'landing-consents/',
      'landing-erasures/',
      'landing-rights/',
      'rejected/',
      'aws/lambda/',
      'exports/',
    ];
    expect(days).toEqual({
      ...Object.fromEntries(raw.map((prefix) => [prefix, config.rawRetentionDays])),
      'unload/': 2,
      'athena/': 2,
    });
    for (const [, { Properties }] of resourcesOf(prod.line, 'AWS::Logs::LogGroup'))
      expect(Properties.RetentionInDays).toBe(30);
  });

  it('has a secret without a value, so that no deploy can overwrite a key', () => {
    const { KeysSecret } = prod.state.Resources ?? {};
    expect(Object.keys(KeysSecret?.Properties ?? {}).sort()).toEqual(['Description', 'KmsKeyId', 'Tags']);
  });

  it('has a secret that `npm run keys` finds by its stage', () => {
    const tags = ({ state }: Synthesised) => state.Resources?.KeysSecret?.Properties?.Tags;
    expect([tags(prod), tags(dev)]).toEqual([[{ Key: KEYS_TAG, Value: 'prod' }], [{ Key: KEYS_TAG, Value: 'dev' }]]);
  });

  it('has the landing tables of the domain, partitioned by projection', () => {
    const landing = lakeTables(config).filter(({ kind }) => kind === 'landing');
    const made = resourcesOf(prod.state, 'AWS::Glue::Table').map(
      ([, { Properties }]) =>
        Properties.TableInput as {
          Name: string;
          Parameters: Record<string, unknown>;
          PartitionKeys: { Name: string }[];
          StorageDescriptor: { Columns: { Name: string; Type: string }[] };
        },
    );
    expect(made.map(({ Name }) => Name).sort()).toEqual(landing.map(({ name }) => name).sort());
    for (const { Name, Parameters, PartitionKeys, StorageDescriptor } of made) {
      const columns = StorageDescriptor.Columns.map((column) => ({ name: column.Name, type: column.Type }));
      expect(columns).toEqual(glueColumns(tableOf(landing, Name)));
      expect(PartitionKeys.map((key) => key.Name)).toEqual(['dt', 'hour']);
      expect(Parameters).toMatchObject({ 'projection.enabled': 'true', 'projection.dt.type': 'date' });
    }
  });
});

describe('names', () => {
  /** Properties by which CloudFormation would give a resource a name of ours. */
  const NAME =
    /^(BucketName|TableName|StreamName|FunctionName|RoleName|LogGroupName|StateMachineName|AliasName|PolicyName|TopicName|AlarmName|DashboardName|Name)$/;
  /** Where CloudFormation demands a name, or the name is the resource's own (a route, a table that SQL names). */
  const DEMANDED =
    /^AWS::(IAM::Policy|Lambda::(Permission|EventSourceMapping)|Athena::WorkGroup|Glue::(Database|Table)|ApiGatewayV2::Api)$/;

  it('are made by CloudFormation wherever it can', () => {
    for (const template of [prod.state, prod.line])
      for (const { Type, Properties = {} } of Object.values(template.Resources ?? {}))
        if (!DEMANDED.test(Type))
          expect([Type, Object.keys(Properties).filter((name) => NAME.test(name))]).toEqual([Type, []]);
  });

  it('differ between two stages where CloudFormation makes none', () => {
    const names = ({ state, line }: Synthesised) => [
      ...resourcesOf(line, 'AWS::Athena::WorkGroup').map(([, { Properties }]) => Properties.Name),
      ...resourcesOf(state, 'AWS::Glue::Database').map(
        ([, { Properties }]) => (Properties.DatabaseInput as { Name: string }).Name,
      ),
    ];
    expect(names(prod)).toHaveLength(2);
    for (const name of names(prod)) expect(names(dev)).not.toContain(name);
    for (const name of names(prod).slice(1)) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  });
});

describe('partitions', () => {
  it('leaves no trace of another partition in the sovereign region', () => {
    for (const template of Object.values(sovereign) as Template[]) {
      const text = JSON.stringify(template);
      expect(text).not.toMatch(/arn:aws:/);
      // What is left are names of services in trust policies, which are the same in every partition.
      const hosts = [...text.matchAll(/"([^"]*amazonaws\.com[^"]*)"/g)].map(([, host]) => host);
      for (const host of hosts)
        expect(host).toMatch(/^(lambda|states|scheduler|apigateway|cloudwatch)\.amazonaws\.com$/);
    }
    expect(JSON.stringify(sovereign.line)).toContain('arn:aws-eusc:states:::athena:startQueryExecution.sync');
  });

  it('makes the same resources in both', () => {
    const types = ({ Resources = {} }: Template) =>
      Object.values(Resources)
        .map(({ Type }) => Type)
        .sort();
    expect(types(sovereign.line)).toEqual(types(prod.line));
    expect(types(sovereign.state)).toEqual(types(prod.state));
  });
});

describe('rights', () => {
  const policies = (template: Template) =>
    resourcesOf(template, 'AWS::IAM::Policy').map(([, { Properties }]) => ({
      roles: (Properties.Roles as { Ref: string }[]).map(({ Ref }) => Ref),
      statements: (Properties.PolicyDocument as { Statement: Statement[] }).Statement,
    }));

  it('end at the region: every role denies requests to any other', () => {
    const { line } = prod;
    const roles = resourcesOf(line, 'AWS::IAM::Role').map(([id]) => id);
    expect(roles.length).toBeGreaterThanOrEqual(8);
    const denied = policies(line)
      .filter(({ statements }) =>
        statements.some(
          ({ Effect, Action, Resource, Condition }) =>
            Effect === 'Deny' &&
            Action === '*' &&
            Resource === '*' &&
            JSON.stringify(Condition) === '{"StringNotEquals":{"aws:RequestedRegion":"eu-central-1"}}',
        ),
      )
      .flatMap((policy) => policy.roles);
    expect(denied.sort()).toEqual(roles.sort());
  });

  it('name their resources; "*" is for log delivery and for a metric in the namespace of the stage, of the plan alone', () => {
    const wide = policies(prod.line).flatMap(({ statements }) =>
      statements.filter(({ Effect, Resource }) => Effect === 'Allow' && [Resource].flat().includes('*')),
    );
    const [metric, ...others] = wide.sort((a, b) => String(a.Action).localeCompare(String(b.Action)));
    expect(metric).toMatchObject({
      Action: 'cloudwatch:PutMetricData',
      Condition: { StringEquals: { 'cloudwatch:namespace': 'Paula/prod' } },
    });
    expect(others).toHaveLength(1);
    for (const action of [others[0]?.Action].flat()) expect(action).toMatch(/^logs:/);
  });

  it('name their actions', () => {
    const actions = policies(prod.line).flatMap(({ statements }) =>
      statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action),
    );
    for (const action of actions) expect(action).not.toContain('*');
  });

  it('come from our own policies alone', () => {
    for (const [, { Properties }] of resourcesOf(prod.line, 'AWS::IAM::Role'))
      expect(Properties.ManagedPolicyArns).toBeUndefined();
  });
});

describe('the door', () => {
  it('throttles every route, in the spelling of CloudFormation', () => {
    const [[, stage] = []] = resourcesOf(prod.line, 'AWS::ApiGatewayV2::Stage');
    const { rate, burst } = stageOf(config, 'prod').throttle;
    const expected = { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst };
    expect(stage?.Properties.RouteSettings).toEqual(
      Object.fromEntries(routes(config).map(({ method, path }) => [`${method} ${path}`, expected])),
    );
    const keys = resourcesOf(prod.line, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties.RouteKey);
    expect(keys.sort()).toEqual(
      routes(config)
        .map(({ method, path }) => `${method} ${path}`)
        .sort(),
    );
  });

  it('verifies a signature in front of what is a person’s, and of nothing else', () => {
    const made = resourcesOf(prod.line, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties);
    expect(Object.fromEntries(made.map(({ RouteKey, AuthorizationType }) => [RouteKey, AuthorizationType]))).toEqual(
      Object.fromEntries(
        routes(config).map(({ method, path, signed }) => [`${method} ${path}`, signed ? 'AWS_IAM' : 'NONE']),
      ),
    );
    const ofPersons = routes(config).filter(({ path }) => /^\/v1\/(persons|requests)\//.test(path));
    expect(ofPersons.map(({ signed }) => signed)).toEqual([true, true, true, true]);
  });

  it('calls its functions with payload 2.0', () => {
    const integrations = resourcesOf(prod.line, 'AWS::ApiGatewayV2::Integration');
    expect(integrations).toHaveLength(3);
    for (const [, { Properties }] of integrations) expect(Properties.PayloadFormatVersion).toBe('2.0');
  });

  it('logs accesses only where asked, and nothing that could name a person', () => {
    const logged = ({ line }: Synthesised) =>
      resourcesOf(line, 'AWS::ApiGatewayV2::Stage')[0]?.[1].Properties.AccessLogSettings;
    expect(logged(prod)).toBeUndefined();
    const { Format } = logged(dev) as { Format: string };
    const fields = Object.values(JSON.parse(Format) as Record<string, string>);
    expect(fields.length).toBeGreaterThan(0);
    for (const field of fields)
      expect(field).toMatch(/^\$context\.(requestId|requestTimeEpoch|routeKey|status|responseLatency|responseLength)$/);
  });
});

describe('the consumers', () => {
  it('are fed as the domain says, and lose nothing', () => {
    const mappings = resourcesOf(prod.line, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => Properties);
    expect(mappings.map(({ BatchSize }) => BatchSize).sort()).toEqual([1000, 10_000]);
    for (const mapping of mappings)
      expect(mapping).toMatchObject({
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ParallelizationFactor: 1,
        MaximumRetryAttempts: 5,
        MaximumRecordAgeInSeconds: 72_000,
        DestinationConfig: { OnFailure: { Destination: expect.anything() } },
      });
  });
});

describe('stage settings that a deploy would refuse', () => {
  it.each([
    [
      'planEverySeconds',
      { planEverySeconds: 90 },
      'planEverySeconds: 90 is refused: EventBridge Scheduler takes whole minutes',
    ],
    ['logRetentionDays', { logRetentionDays: 31 }, 'CloudWatch Logs has no retention of 31 days'],
  ])('%s', (_, stage, message) => {
    expect(() => synthesise('dev', { stage })).toThrow(message);
  });
});

describe('AwsSolutions', () => {
  const stage = () => {
    const app = testApp();
    const made = new PaulaStage(app, 'paula-dev', { config, stageName: 'dev', stage: stageOf(config, 'dev') });
    return { app, made };
  };

  it('has no finding without a reason: synthesis would have thrown', () => {
    const { app, made } = stage();
    expect(() => app.synth()).not.toThrow();
    const reasons = made.node
      .findAll()
      .flatMap(({ node }) => node.metadata)
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.values(data as Record<string, string>));
    expect(reasons.length).toBeGreaterThan(5);
    for (const reason of reasons) expect(reason.length).toBeGreaterThan(30);
  });

  it('fails synthesis for a new finding, and an exception of one path does not cover another', () => {
    const { app, made } = stage();
    const role = made.line.node.findChild('Land').node.findChild('Function') as unknown as {
      role: { addToPrincipalPolicy(statement: PolicyStatement): void };
    };
    role.role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['s3:GetObject'], resources: [`${made.state.lake.bucket.bucketArn}/lake/*`] }),
    );
    expect(() => app.synth()).toThrow(/IAM5\[Resource::.*\/lake\/\*\]/);
  });
});
