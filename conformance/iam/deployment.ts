import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import {
  resolveTemplate,
  type Template,
  type TemplateResource,
  type TemplateValues,
} from '../deploy/resolve-template.ts';
import type { Policy } from './policy.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Made up, as in AWS's own examples: what a policy allows does not depend on whose account it is. */
const ACCOUNT = '111122223333';

/** A resource of one of the stacks, its properties resolved when they are asked for. */
export type Resource = {
  logicalId: string;
  type: string;
  /** What `Ref` answers. */
  id: string;
  /** Where it is in the tree of constructs, below the stage and without the last `/Resource`: `Line/Door/Collect/Role`. */
  path: string;
  /** The file under `lib/` that the construct, or the nearest one around it, is named after. */
  file: string;
  property: (name: string) => unknown;
};

/** All stacks of a synthesised assembly as if they were deployed, under names that are their logical ids. */
export type Deployment = {
  /** The assembly's stage and partition: `paula-dev in aws`. */
  name: string;
  partition: string;
  region: string;
  account: string;
  urlSuffix: string;
  types: readonly string[];
  ofType: (type: string) => readonly Resource[];
  /** ARN of a resource of a type that has one. */
  arnOf: (resource: Resource) => string;
  /** The names of what is named by the template itself, by which a text about the deployment is made readable. */
  readable: (arn: string) => string;
};

/** Reads the assembly (`cdk synth`'s folder) and resolves it; throws where it does not know a function of a template. */
export function readDeployment(assembly: string): Deployment {
  const stacks = readStacks(assembly);
  const [first] = stacks;
  if (!first) throw new Error(`${assembly} has no stack`);
  const resources = stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources).map(([logicalId, resource]) => resourceOf(logicalId, resource, stack)),
  );
  const { partition, region, account, urlSuffix } = first;
  const ofType = (type: string): Resource[] => resources.filter((resource) => resource.type === type);
  const named: [name: string, logicalId: string][] = [
    ...ofType('AWS::Glue::Database').map((one): [string, string] => [
      nameIn(one.property('DatabaseInput')),
      one.logicalId,
    ]),
    ...ofType('AWS::Athena::WorkGroup').map((one): [string, string] => [String(one.property('Name')), one.logicalId]),
  ];
  return {
    name: `${first.stage} in ${partition}`,
    partition,
    region,
    account,
    urlSuffix,
    types: [...new Set(resources.map(({ type }) => type))],
    ofType,
    arnOf: ({ logicalId }) => {
      const stack = stacks.find(({ template }) => template.Resources[logicalId]);
      if (!stack) throw new Error(`${assembly} has no ${logicalId}`);
      return resolveTemplate({ 'Fn::GetAtt': [logicalId, 'Arn'] }, stack) as string;
    },
    readable: (arn) => {
      const [, service, rest] = /^arn:[^:]*:([^:]*):[^:]*:[^:]*:(.*)$/.exec(arn) ?? [];
      const short = service === undefined ? arn : `${service}:${rest}`;
      return named.reduce((text, [name, logicalId]) => text.replaceAll(name, logicalId), short);
    },
  };
}

const nameIn = (input: unknown): string => String((input as { Name?: unknown }).Name);

type Stack = TemplateValues & { stage: string };

function readStacks(assembly: string): Stack[] {
  const manifest = JSON.parse(readFileSync(join(assembly, 'manifest.json'), 'utf8')) as {
    artifacts: Record<
      string,
      { type: string; environment?: string; displayName?: string; properties?: { templateFile?: string } }
    >;
  };
  const exports: Record<string, string> = {};
  const stacks = Object.entries(manifest.artifacts)
    .filter(([, { type }]) => type === 'aws:cloudformation:stack')
    .map(([stackName, { environment = '', displayName = '', properties }]): Stack => {
      const template = JSON.parse(readFileSync(join(assembly, properties?.templateFile ?? ''), 'utf8')) as Template;
      const region = environment.split('/').at(-1) ?? '';
      const { partition = '', domainSuffix: urlSuffix = '' } = RegionInfo.get(region);
      const physicalIds = Object.fromEntries(
        Object.entries(template.Resources).map(([logicalId, { Type }]) => [
          logicalId,
          madeUpId(logicalId, Type, { partition, region }),
        ]),
      );
      const stage = displayName.split('/')[0] ?? '';
      return { template, physicalIds, exports, stackName, partition, region, account: ACCOUNT, urlSuffix, stage };
    });
  for (const stack of stacks)
    for (const { Value, Export } of Object.values(stack.template.Outputs ?? {}))
      if (Export) exports[String(Export.Name)] = resolveTemplate(Value, stack) as string;
  return stacks;
}

/** Most resources are called by a name, and these by their ARN. */
const CALLED_BY_ARN: Readonly<Record<string, string>> = {
  'AWS::SecretsManager::Secret': 'secretsmanager:REGION:ACCOUNT:secret:',
  'AWS::StepFunctions::StateMachine': 'states:REGION:ACCOUNT:stateMachine:',
  'AWS::SNS::Topic': 'sns:REGION:ACCOUNT:',
};

function madeUpId(
  logicalId: string,
  type: string,
  { partition, region }: { partition: string; region: string },
): string {
  const place = CALLED_BY_ARN[type];
  if (place === undefined) return logicalId;
  return `arn:${partition}:${place.replace('REGION', region).replace('ACCOUNT', ACCOUNT)}${logicalId}`;
}

function resourceOf(logicalId: string, resource: TemplateResource, stack: Stack): Resource {
  const { Metadata } = resource as TemplateResource & { Metadata?: Record<string, unknown> };
  const path = String(Metadata?.['aws:cdk:path'] ?? logicalId)
    .replace(/\/Resource$/, '')
    .split('/')
    .slice(1);
  return {
    logicalId,
    type: resource.Type,
    id: stack.physicalIds[logicalId] as string,
    path: path.join('/'),
    file: fileOf(path),
    property: (name) => resolveTemplate(resource.Properties?.[name], stack),
  };
}

/** `Line/Door/Collect/Role` is made in `lib/door.ts`, and where no part has a file of its own, in the stack's. */
function fileOf([stack = '', ...parts]: readonly string[]): string {
  const files = [`${stack}Stack`, ...parts].map(
    (name) => `lib/${name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}.ts`,
  );
  return files.findLast((file) => existsSync(join(ROOT, file))) ?? 'lib/';
}

/** A policy of a template, under the name by which a message points to it. */
export const policyOf = (name: string, document: unknown): Policy => ({
  name,
  document: document as Policy['document'],
});
