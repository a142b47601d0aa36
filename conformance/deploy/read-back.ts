import type { AwsCalls } from '../engines/aws-calls.ts';
import type { Report } from '../report.ts';
import type { DeployedStack } from './deployed-stage.ts';
import { leafCount, propertyDifferences } from './property-differences.ts';
import { PROPERTY_READERS } from './property-readers.ts';
import { resolveTemplate, type TemplateResource } from './resolve-template.ts';

/** Types that have no service behind them: the CDK's own record, and a custom resource, whose effect the secret shows. */
const WITHOUT_SERVICE = /^(AWS::CDK::Metadata|Custom::.+)$/;

/**
 * Asks every resource's own service for the properties that its template states, and reports each difference at its logical
 * id; `which` picks resources. CloudFormation saying CREATE_COMPLETE proves nothing: an emulator may drop what it does not know.
 */
export async function readBack(
  report: Report,
  { call }: AwsCalls,
  stack: DeployedStack,
  which: (resource: TemplateResource) => boolean = () => true,
): Promise<void> {
  const failedBefore = report.counts.failed;
  let values = 0;
  let resources = 0;
  for (const [logicalId, resource] of Object.entries(stack.template.Resources)) {
    const { Type, Properties = {} } = resource;
    if (WITHOUT_SERVICE.test(Type) || !which(resource)) continue;
    const place = `${stack.stackName}/${logicalId}`;
    const reader = PROPERTY_READERS[Type];
    const id = stack.physicalIds[logicalId];
    if (!reader || id === undefined) {
      report.fail(reader ? 'every resource is there' : `${Type} can be read back`, place);
      continue;
    }
    const stated = Object.entries(Properties).filter(([name]) => reader.ignored?.[name] === undefined);
    const properties = resolveTemplate(Object.fromEntries(stated), stack) as Record<string, unknown>;
    const seen = await reader
      .read({ id, properties, stack, call })
      .catch((error: unknown) => ({ error: String(error) }));
    const differences = propertyDifferences(properties, seen);
    for (const { path, expected, seen: actual } of differences)
      report.fail(
        `${Type} ${path} is ${JSON.stringify(expected)}; its service says ${JSON.stringify(actual)}`,
        'error' in seen ? `${place}: ${seen.error}` : place,
      );
    resources++;
    values += leafCount(properties);
  }
  if (report.counts.failed === failedBefore)
    report.ok(`${stack.stackName} stands as its template says`, `${resources} resources, ${values} values read back`);
}
