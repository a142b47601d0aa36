import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { LineStackProps } from './line-stack.ts';
import { PaulaFunction } from './paula-function.ts';

/** The function answers in a second or two; CloudFormation would else wait an hour for an answer that got lost. */
const ANSWER_MINUTES = 5;

/** At every deploy that needs it, makes the keys that the configuration wants and the secret lacks. */
export class KeysCompletion extends Construct {
  constructor(scope: Construct, id: string, props: LineStackProps) {
    super(scope, id);
    const { config, state } = props;
    const completion = new PaulaFunction(this, 'Function', {
      ...props,
      entry: 'keys',
      key: state.key,
      environment: { KEYS_SECRET_ID: state.keys.arn },
      memoryMb: 256,
      timeoutSeconds: 30,
    });
    state.keys.grantComplete(completion);
    const made = new CustomResource(this, 'Completed', {
      serviceToken: completion.function.functionArn,
      resourceType: 'Custom::PaulaKeys',
      serviceTimeout: Duration.minutes(ANSWER_MINUTES),
      // A new site or source needs a key, and CloudFormation calls again only where a property has changed.
      properties: { sites: Object.keys(config.sites).sort(), sources: Object.keys(config.sources).sort() },
    });
    // The policy must stand before the call.
    made.node.addDependency(completion.role);
  }
}
