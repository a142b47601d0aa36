import { readFileSync } from 'node:fs';
import type { IPolicyValidationContext, IPolicyValidationPlugin, PolicyValidationPluginReport } from 'aws-cdk-lib';
import { isEuRegion, regionRefusal } from '../domain/region.ts';

export type Template = { Resources?: Record<string, Resource> } & Record<string, unknown>;
export type Resource = { Type: string; Properties?: Record<string, unknown> };
export type RegionFinding = { rule: string; logicalId?: string; why: string };

type Rule = {
  name: string;
  /** Says why a resource may leave the region, or nothing where it stays. */
  breach: (resource: Resource, region: string) => string | undefined;
};

/** Resource types that serve from, or copy to, more than one region by their nature. */
const MULTI_REGION_TYPES: readonly [RegExp, string][] = [
  [/^AWS::CloudFront::/, 'CloudFront serves from edge locations all over the world'],
  [/^AWS::GlobalAccelerator::/, 'Global Accelerator routes through edge locations all over the world'],
  [/^AWS::KMS::ReplicaKey$/, 'it copies key material of another region'],
  [/^AWS::ECR::ReplicationConfiguration$/, 'ECR would copy images to other regions'],
  [/^AWS::S3::MultiRegionAccessPoint/, 'it routes to buckets of several regions'],
  [/^AWS::RDS::GlobalCluster$/, 'it copies data to other regions'],
  [/^AWS::Events::Endpoint$/, 'a global endpoint fails over to another region'],
  [/^AWS::CloudFormation::StackSet$/, 'a stack set deploys to other regions, past these checks'],
  [/^Custom::CrossRegionExport(Writer|Reader)$/, 'it is a cross-region reference'],
];

const EDGE_ENDPOINT = 'an edge endpoint terminates TLS outside the region; use REGIONAL';

const RULES: readonly Rule[] = [
  {
    name: 'multi-region-type',
    breach: ({ Type }) => MULTI_REGION_TYPES.find(([type]) => type.test(Type))?.[1],
  },
  {
    name: 'waf-scope',
    breach: ({ Type, Properties }) =>
      Type.startsWith('AWS::WAFv2::') && Properties?.Scope === 'CLOUDFRONT'
        ? 'scope CLOUDFRONT lives in us-east-1; use REGIONAL'
        : undefined,
  },
  {
    name: 'edge-endpoint',
    breach: ({ Type, Properties }) => {
      if (Type !== 'AWS::ApiGateway::RestApi' && Type !== 'AWS::ApiGateway::DomainName') return undefined;
      const types = (Properties?.EndpointConfiguration as { Types?: unknown } | undefined)?.Types;
      // Absent means EDGE; a reference that is resolved at deploy could be anything.
      return Array.isArray(types) && types.every((type) => type === 'REGIONAL' || type === 'PRIVATE')
        ? undefined
        : EDGE_ENDPOINT;
    },
  },
  {
    name: 'edge-endpoint',
    breach: ({ Type, Properties }) => {
      if (Type !== 'AWS::ApiGatewayV2::DomainName') return undefined;
      const endpoints = Properties?.DomainNameConfigurations;
      return Array.isArray(endpoints) &&
        endpoints.length > 0 &&
        endpoints.every(({ EndpointType }: { EndpointType?: unknown }) => EndpointType === 'REGIONAL')
        ? undefined
        : EDGE_ENDPOINT;
    },
  },
  {
    name: 'lambda-at-edge',
    breach: (resource) =>
      strings(resource).some((text) => text.includes('edgelambda.'))
        ? 'Lambda@Edge runs in edge locations all over the world'
        : undefined,
  },
  {
    name: 'bucket-replication',
    breach: ({ Type, Properties }) =>
      Type === 'AWS::S3::Bucket' && Properties?.ReplicationConfiguration !== undefined
        ? 'objects would be replicated to another bucket, whose region no template shows'
        : undefined,
  },
  {
    // TableV2 always makes a GlobalTable, so the type says nothing; its replicas do.
    name: 'table-replica',
    breach: ({ Type, Properties }, region) => {
      if (Type !== 'AWS::DynamoDB::GlobalTable') return undefined;
      const copies = [Properties?.Replicas, Properties?.GlobalTableWitnesses].flatMap((list) => list ?? []);
      const foreign = (copies as { Region?: unknown }[]).find((copy) => copy.Region !== region);
      return foreign && `a replica stands in ${JSON.stringify(foreign.Region)}, not in ${region}`;
    },
  },
  {
    name: 'secret-replica',
    breach: ({ Type, Properties }) =>
      Type === 'AWS::SecretsManager::Secret' && isFilled(Properties?.ReplicaRegions)
        ? 'the secret would be replicated to other regions'
        : undefined,
  },
  {
    name: 'multi-region-key',
    breach: ({ Type, Properties }) =>
      Type === 'AWS::KMS::Key' && Properties?.MultiRegion !== undefined && Properties.MultiRegion !== false
        ? 'a multi-region key can be replicated out of the region'
        : undefined,
  },
  {
    name: 'backup-copy',
    breach: ({ Type, Properties }) => {
      if (Type !== 'AWS::Backup::BackupPlan') return undefined;
      const plan = Properties?.BackupPlan as { BackupPlanRule?: { CopyActions?: unknown }[] } | undefined;
      return plan?.BackupPlanRule?.some(({ CopyActions }) => isFilled(CopyActions))
        ? 'backups would be copied to another vault, whose region no template shows'
        : undefined;
    },
  },
  {
    name: 'foreign-region',
    breach: (resource, region) => {
      const foreign = strings(resource)
        .flatMap((text) => text.match(REGION_NAME) ?? [])
        .find((name) => name !== region);
      return foreign && `it names the region ${foreign}; the stack stands in ${region}`;
    },
  },
];

/** The name of any AWS region, of today and to come, wherever it stands in a name, an ARN or a host. */
const REGION_NAME = /(?<![a-z0-9])(?:af|ap|ca|cn|eu|eusc|il|me|mx|sa|us)(?:-[a-z]+){1,2}-\d(?!\d)/g;

/** What in a synthesised template could leave the region. `region` is the stack's; undefined where it has none. */
export function regionFindings(template: Template, region: string | undefined): RegionFinding[] {
  if (region === undefined || region === UNKNOWN_REGION)
    return [
      {
        rule: 'agnostic-stack',
        why: `the stack names no region, so it could be deployed to any: ${regionRefusal('(none)')}`,
      },
    ];
  if (!isEuRegion(region)) return [{ rule: 'region', why: regionRefusal(region) }];
  const { Resources = {}, ...rest } = template;
  const findings: RegionFinding[] = Object.entries(Resources).flatMap(([logicalId, resource]) =>
    RULES.flatMap(({ name: rule, breach }) => {
      const why = breach(resource, region);
      return why === undefined ? [] : [{ rule, logicalId, why }];
    }),
  );
  const foreign = strings(rest)
    .flatMap((text) => text.match(REGION_NAME) ?? [])
    .find((name) => name !== region);
  if (foreign) findings.push({ rule: 'foreign-region', why: `the template names the region ${foreign}` });
  return findings;
}

/** How the CDK spells the region of an environment-agnostic stack. */
const UNKNOWN_REGION = 'unknown-region';

/** Fails synthesis for every finding in every template of its scope. */
export class RegionPin implements IPolicyValidationPlugin {
  readonly name = 'RegionPin';

  validate({ stackTemplates }: IPolicyValidationContext): PolicyValidationPluginReport {
    const violations = stackTemplates.flatMap(({ templatePath, region, stackConstructPath }) =>
      regionFindings(JSON.parse(readFileSync(templatePath, 'utf8')) as Template, region).map((finding) => ({
        ruleName: finding.rule,
        description: `Data must stay in the EU: ${finding.why}`,
        severity: 'error',
        violatingResources: [
          finding.logicalId
            ? { resourceLogicalId: finding.logicalId, templatePath, locations: [] }
            : { constructPath: stackConstructPath, locations: [] },
        ],
      })),
    );
    return { success: violations.length === 0, violations };
  }
}

const isFilled = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);

/** Every string in a piece of a template, keys included. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [key, ...strings(child)]);
}
