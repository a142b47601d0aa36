import {
  type IPolicyValidationContext,
  type PolicyValidationPluginReport,
  type PolicyViolatingResource,
  Validations,
} from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';

/** Stands for the ARN in front of a path, since the ARN is known only after synthesis. */
const ANY_ARN = '…';

/**
 * cdk-nag's AwsSolutions rules. Exceptions are acknowledged where they arise, each with its reason; cdk-nag compares the
 * whole id of a finding, which for a wildcard holds an ARN, so here an id may leave the ARN out.
 */
export class AwsSolutions extends AwsSolutionsChecks {
  override validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const report = super.validate(context);
    const isOpen = (ruleName: string) => (resource: PolicyViolatingResource) =>
      !acknowledgedAt(context.appConstruct, resource.constructPath ?? '').some((id) => matches(id, ruleName));
    const violations = report.violations.flatMap((violation) => {
      const violatingResources = violation.violatingResources.filter(isOpen(violation.ruleName));
      return violatingResources.length > 0 ? [{ ...violation, violatingResources }] : [];
    });
    return { ...report, success: violations.length === 0, violations };
  }
}

/** Acknowledges IAM resources that end in a wildcard: `paths` are what follows the ARN, such as `/landing/*`. */
export function acknowledgeWildcards(grantee: IConstruct, paths: readonly string[], reason: string): void {
  for (const path of paths)
    Validations.of(grantee).acknowledge({ id: `AwsSolutions-IAM5[Resource::${ANY_ARN}${path}]`, reason });
}

/** What the CDK puts in front of an id that names no plugin. */
const NAMESPACE = /^Annotation::/;

function acknowledgedAt(root: IConstruct, path: string): string[] {
  const construct = root.node.findAll().find(({ node }) => node.path === path);
  return (construct?.node.scopes ?? []).flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.keys(data as Record<string, string>).map((id) => id.replace(NAMESPACE, ''))),
  );
}

function matches(id: string, ruleName: string): boolean {
  const [before, after] = id.split(ANY_ARN);
  return after !== undefined && ruleName.startsWith(before ?? '') && ruleName.endsWith(after);
}
