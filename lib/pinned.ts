import { CfnElement, RemovalPolicy } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';

/**
 * Fixes the logical id of a resource that holds data: CloudFormation replaces a resource whose logical id changes, and the
 * generated one changes with every rename or move of a construct.
 */
export function pinLogicalId(construct: IConstruct, logicalId: string): void {
  const element = CfnElement.isCfnElement(construct) ? construct : construct.node.defaultChild;
  if (!(element instanceof CfnElement)) throw new Error(`${construct.node.path} has no resource of its own to pin`);
  element.overrideLogicalId(logicalId);
}

/** What becomes of data when its resource leaves the stack. */
export function removalOf({ removal }: Pick<StageConfig, 'removal'>): RemovalPolicy {
  return removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}
