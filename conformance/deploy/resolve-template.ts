/** A synthesised template, as far as the suite looks into it. */
export type Template = {
  Resources: Record<string, TemplateResource>;
  Outputs?: Record<string, { Value: unknown; Export?: { Name: unknown } }>;
};

export type TemplateResource = {
  Type: string;
  Properties?: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
};

export type TemplateValues = {
  template: Template;
  /** Physical ids by logical id: what `Ref` answers. */
  physicalIds: Readonly<Record<string, string>>;
  /** Values of the account's exports by name. */
  exports: Readonly<Record<string, string>>;
  stackName: string;
  partition: string;
  region: string;
  account: string;
  urlSuffix: string;
};

/**
 * A piece of a template with every intrinsic function replaced by the value that it has in this deployment. Throws where a
 * function or an attribute is not known here, so that nothing is compared half resolved.
 */
export function resolveTemplate(value: unknown, values: TemplateValues): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveTemplate(item, values));
  if (typeof value !== 'object' || value === null) return value;
  const [only, ...others] = Object.entries(value);
  if (only && others.length === 0) {
    const [name, argument] = only;
    if (name === 'Ref') return reference(argument as string, values);
    if (name.startsWith('Fn::')) return call(name, argument, values);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveTemplate(item, values)]));
}

function call(name: string, argument: unknown, values: TemplateValues): unknown {
  switch (name) {
    case 'Fn::GetAtt':
      return attribute(...(argument as [string, string]), values);
    case 'Fn::ImportValue': {
      const exported = resolveTemplate(argument, values) as string;
      const found = values.exports[exported];
      if (found === undefined) throw new Error(`${values.stackName}: there is no export ${exported}`);
      return found;
    }
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown];
      return (resolveTemplate(parts, values) as string[]).join(separator);
    }
    case 'Fn::Sub':
      if (typeof argument !== 'string') throw new Error(`${values.stackName}: Fn::Sub with a map is not known here`);
      return argument.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, inner: string) => {
        // `${!Name}` is how a template writes `${Name}` itself.
        if (literal) return `\${${inner}}`;
        const [logicalId, attributeName] = inner.split('.') as [string, string | undefined];
        return attributeName === undefined ? reference(logicalId, values) : attribute(logicalId, attributeName, values);
      });
    case 'Fn::Select': {
      const [index, list] = argument as [number | string, unknown];
      return (resolveTemplate(list, values) as unknown[])[Number(index)];
    }
    case 'Fn::Split': {
      const [separator, text] = argument as [string, unknown];
      return (resolveTemplate(text, values) as string).split(separator);
    }
    default:
      throw new Error(`${values.stackName}: ${name} is not known here`);
  }
}

function reference(name: string, values: TemplateValues): string {
  const { stackName, region, account, partition, urlSuffix, physicalIds } = values;
  const pseudo: Record<string, string> = {
    'AWS::StackName': stackName,
    'AWS::Region': region,
    'AWS::AccountId': account,
    'AWS::Partition': partition,
    'AWS::URLSuffix': urlSuffix,
  };
  const found = pseudo[name] ?? physicalIds[name];
  if (found === undefined) throw new Error(`${stackName}: Ref ${name} has no value`);
  return found;
}

/** ARNs by type, made of the physical id as AWS's service authorization reference spells them. */
const ARNS: Readonly<Record<string, (id: string, values: TemplateValues) => string>> = {
  'AWS::IAM::Role': (id, { partition, account }) => `arn:${partition}:iam::${account}:role/${id}`,
  'AWS::S3::Bucket': (id, { partition }) => `arn:${partition}:s3:::${id}`,
  'AWS::KMS::Key': regional('kms', (id) => `key/${id}`),
  'AWS::Kinesis::Stream': regional('kinesis', (id) => `stream/${id}`),
  'AWS::DynamoDB::GlobalTable': regional('dynamodb', (id) => `table/${id}`),
  'AWS::CloudWatch::Alarm': regional('cloudwatch', (id) => `alarm:${id}`),
  'AWS::Lambda::Function': regional('lambda', (id) => `function:${id}`),
  // With the wildcard for its streams, as CloudFormation answers it.
  'AWS::Logs::LogGroup': regional('logs', (id) => `log-group:${id}:*`),
};

function regional(service: string, resource: (id: string) => string) {
  return (id: string, { partition, region, account }: TemplateValues): string =>
    `arn:${partition}:${service}:${region}:${account}:${resource(id)}`;
}

function attribute(logicalId: string, name: string, values: TemplateValues): string {
  const type = values.template.Resources[logicalId]?.Type ?? '';
  const arn = ARNS[type];
  if (name !== 'Arn' || !arn) throw new Error(`${values.stackName}: attribute ${name} of a ${type} is not known here`);
  return arn(reference(logicalId, values), values);
}
