import { describe, expect, it } from '@jest/globals';
import { Stack, Stage, Validations } from 'aws-cdk-lib';
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { RegionPin, type Resource, regionFindings } from '../../lib/region-pin.ts';
import { synthesise, testApp } from './synthesised.ts';

const HOME = 'eu-central-1';

const rulesFor = (resource: Resource, region: string | undefined = HOME): string[] =>
  regionFindings({ Resources: { It: resource } }, region).map(({ rule }) => rule);

const resource = (Type: string, Properties: Record<string, unknown> = {}): Resource => ({ Type, Properties });

describe('what each rule refuses, and what stands beside it and passes', () => {
  it.each<[string, Resource, Resource | undefined]>([
    ['multi-region-type', resource('AWS::CloudFront::Distribution'), resource('AWS::S3::Bucket')],
    ['multi-region-type', resource('AWS::CloudFront::Function'), undefined],
    ['multi-region-type', resource('AWS::GlobalAccelerator::Accelerator'), undefined],
    ['multi-region-type', resource('AWS::ECR::ReplicationConfiguration'), resource('AWS::ECR::Repository')],
    ['multi-region-type', resource('AWS::KMS::ReplicaKey'), resource('AWS::KMS::Key')],
    ['multi-region-type', resource('AWS::S3::MultiRegionAccessPoint'), resource('AWS::S3::AccessPoint')],
    ['multi-region-type', resource('AWS::RDS::GlobalCluster'), resource('AWS::RDS::DBCluster')],
    ['multi-region-type', resource('AWS::Events::Endpoint'), resource('AWS::Events::Rule')],
    ['multi-region-type', resource('AWS::CloudFormation::StackSet'), undefined],
    ['multi-region-type', resource('Custom::CrossRegionExportWriter'), resource('Custom::PaulaKeys')],
    ['multi-region-type', resource('Custom::CrossRegionExportReader'), undefined],
    [
      'waf-scope',
      resource('AWS::WAFv2::WebACL', { Scope: 'CLOUDFRONT' }),
      resource('AWS::WAFv2::WebACL', { Scope: 'REGIONAL' }),
    ],
    [
      'edge-endpoint',
      resource('AWS::ApiGateway::RestApi', { EndpointConfiguration: { Types: ['EDGE'] } }),
      resource('AWS::ApiGateway::RestApi', { EndpointConfiguration: { Types: ['REGIONAL'] } }),
    ],
    ['edge-endpoint', resource('AWS::ApiGateway::RestApi'), resource('AWS::ApiGatewayV2::Api')],
    [
      'edge-endpoint',
      resource('AWS::ApiGateway::DomainName', { EndpointConfiguration: { Types: ['EDGE'] } }),
      resource('AWS::ApiGateway::DomainName', { EndpointConfiguration: { Types: ['REGIONAL'] } }),
    ],
    [
      'edge-endpoint',
      resource('AWS::ApiGatewayV2::DomainName', { DomainNameConfigurations: [{ EndpointType: 'EDGE' }] }),
      resource('AWS::ApiGatewayV2::DomainName', { DomainNameConfigurations: [{ EndpointType: 'REGIONAL' }] }),
    ],
    [
      'edge-endpoint',
      resource('AWS::ApiGatewayV2::DomainName', {
        DomainNameConfigurations: [{ EndpointType: 'REGIONAL' }, { EndpointType: { Ref: 'Type' } }],
      }),
      undefined,
    ],
    ['edge-endpoint', resource('AWS::ApiGatewayV2::DomainName'), undefined],
    [
      'lambda-at-edge',
      resource('AWS::IAM::Role', {
        AssumeRolePolicyDocument: { Statement: [{ Principal: { Service: 'edgelambda.amazonaws.com' } }] },
      }),
      resource('AWS::IAM::Role', {
        AssumeRolePolicyDocument: { Statement: [{ Principal: { Service: 'lambda.amazonaws.com' } }] },
      }),
    ],
    ['bucket-replication', resource('AWS::S3::Bucket', { ReplicationConfiguration: { Rules: [] } }), undefined],
    [
      'table-replica',
      resource('AWS::DynamoDB::GlobalTable', { Replicas: [{ Region: HOME }, { Region: { Ref: 'Elsewhere' } }] }),
      resource('AWS::DynamoDB::GlobalTable', { Replicas: [{ Region: HOME }] }),
    ],
    [
      'table-replica',
      resource('AWS::DynamoDB::GlobalTable', { GlobalTableWitnesses: [{ Region: { Ref: 'X' } }] }),
      undefined,
    ],
    [
      'secret-replica',
      resource('AWS::SecretsManager::Secret', { ReplicaRegions: [{ Region: { Ref: 'X' } }] }),
      resource('AWS::SecretsManager::Secret', { ReplicaRegions: [] }),
    ],
    [
      'multi-region-key',
      resource('AWS::KMS::Key', { MultiRegion: true }),
      resource('AWS::KMS::Key', { MultiRegion: false }),
    ],
    [
      'backup-copy',
      resource('AWS::Backup::BackupPlan', {
        BackupPlan: { BackupPlanRule: [{ CopyActions: [{ DestinationBackupVaultArn: 'x' }] }] },
      }),
      resource('AWS::Backup::BackupPlan', { BackupPlan: { BackupPlanRule: [{ CopyActions: [] }] } }),
    ],
    [
      'foreign-region',
      resource('AWS::S3::Bucket', { BucketName: 'paula-eu-west-2-data' }),
      resource('AWS::S3::Bucket', { BucketName: 'paula-eu-central-1-data' }),
    ],
    [
      'foreign-region',
      resource('AWS::IAM::Policy', {
        PolicyDocument: { Statement: [{ Resource: { 'Fn::Join': ['', ['arn:aws:sqs:us-gov-west-1:', 'x']] } }] },
      }),
      resource('AWS::IAM::Policy', { PolicyDocument: { Statement: [{ Resource: 'arn:aws:sqs:eu-central-1:1:x' }] } }),
    ],
    [
      'foreign-region',
      resource('AWS::EC2::Subnet', { AvailabilityZone: 'eu-west-2a' }),
      resource('AWS::EC2::Subnet', { AvailabilityZone: 'eu-central-1a' }),
    ],
    // Within the EU, but not where the stack stands.
    ['foreign-region', resource('AWS::Events::Rule', { Target: 'arn:aws:sqs:eu-west-1:1:x' }), undefined],
  ])('%s: %j', (rule, refused, passes) => {
    expect(rulesFor(refused)).toContain(rule);
    if (passes) expect(rulesFor(passes)).toEqual([]);
  });

  it('takes a replica in another region of the EU for a replica too', () => {
    const replicas = resource('AWS::DynamoDB::GlobalTable', { Replicas: [{ Region: HOME }, { Region: 'eu-west-1' }] });
    expect(rulesFor(replicas)).toEqual(['table-replica', 'foreign-region']);
  });

  it('reads what stands outside the resources', () => {
    expect(regionFindings({ Outputs: { O: { Value: 'eu-west-2' } } }, HOME)).toMatchObject([
      { rule: 'foreign-region' },
    ]);
    expect(regionFindings({ Outputs: { O: { Value: HOME } } }, HOME)).toEqual([]);
  });

  it.each(['eu-west-2', 'eu-central-2', 'us-east-1', 'eu-isoe-west-1'])('refuses a stack in %s', (region) => {
    expect(regionFindings({}, region)).toMatchObject([{ rule: 'region', why: expect.stringContaining(`"${region}"`) }]);
  });

  it.each([undefined, 'unknown-region'])('refuses a stack without a region (%s)', (region) => {
    expect(regionFindings({}, region)).toMatchObject([{ rule: 'agnostic-stack' }]);
  });
});

describe('synthesis', () => {
  function pinned(env?: { region: string }): Stack {
    const stage = new Stage(testApp(), 'Pinned');
    Validations.of(stage).addPlugins(new RegionPin());
    return new Stack(stage, 'Stack', { ...(env && { env }) });
  }
  const synth = (stack: Stack): unknown => (stack.node.root as ReturnType<typeof testApp>).synth();
  const table = (stack: Stack, replicas: string[]): TableV2 =>
    new TableV2(stack, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      replicas: replicas.map((region) => ({ region })),
    });

  it('throws for an environment-agnostic stack and says why', () => {
    const stack = pinned();
    table(stack, []);
    expect(() => synth(stack)).toThrow(/agnostic-stack|names no region/);
  });

  it.each(['eu-west-2', 'eu-central-2', 'us-east-1'])('throws for a stack in %s and says why', (region) => {
    const stack = pinned({ region });
    table(stack, []);
    expect(() => synth(stack)).toThrow(`region "${region}" is refused: data stays in the EU`);
  });

  it('throws for a replica of a table elsewhere', () => {
    const stack = pinned({ region: HOME });
    table(stack, ['eu-west-2']);
    expect(() => synth(stack)).toThrow('a replica stands in "eu-west-2", not in eu-central-1');
  });

  it('passes the same table without the replica', () => {
    const stack = pinned({ region: HOME });
    table(stack, []);
    expect(() => synth(stack)).not.toThrow();
  });

  it.each(['eu-west-2', 'eu-central-2', 'us-east-1', ''])(
    'refuses the platform itself in "%s" before anything is made',
    (region) => {
      expect(() => synthesise('dev', { region })).toThrow(`region "${region}" is refused: data stays in the EU`);
    },
  );
});
