import type { IAspect } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { EuRegion } from '../domain/region.ts';

/**
 * The run-time part of the region pin: every role refuses requests to any other region, whatever else it is granted. None
 * of the platform's roles uses a global service (their control planes answer from us-east-1), so nothing is exempt.
 */
export class DenyOtherRegions implements IAspect {
  readonly #region: EuRegion;

  constructor(region: EuRegion) {
    this.#region = region;
  }

  visit(node: IConstruct): void {
    if (!(node instanceof Role)) return;
    node.addToPrincipalPolicy(
      new PolicyStatement({
        sid: 'DenyOtherRegions',
        effect: Effect.DENY,
        actions: ['*'],
        resources: ['*'],
        conditions: { StringNotEquals: { 'aws:RequestedRegion': this.#region } },
      }),
    );
  }
}
