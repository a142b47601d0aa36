import { type App, Aspects, type Environment, Validations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { PaulaConfig, StageConfig } from '../domain/config.ts';
import { requireEuRegion } from '../domain/region.ts';
import { AwsSolutions } from './aws-solutions.ts';
import { DenyOtherRegions } from './deny-other-regions.ts';
import { LineStack } from './line-stack.ts';
import { RegionPin } from './region-pin.ts';
import { StateStack } from './state-stack.ts';

export interface PaulaStageProps {
  readonly config: PaulaConfig;
  readonly stageName: string;
  readonly stage: StageConfig;
}

/** What a stack of the stage is made of: no stack without a region. */
export interface PaulaStackProps extends PaulaStageProps {
  readonly env: Environment;
}

/**
 * One deployment of the platform: the stack whose data survives and the stack that may be redeployed at will. Synthesis
 * throws where a template leaves the EU, or breaks a rule of AwsSolutions without a written reason. Not a CDK `Stage`:
 * an app deploys one stage, and stacks inside a `Stage` are out of reach of `cdk deploy --all`.
 */
export class PaulaStage extends Construct {
  readonly state: StateStack;
  readonly line: LineStack;

  constructor(scope: App, id: string, props: PaulaStageProps) {
    super(scope, id);
    // Without an account, so that synthesis needs none; the CLI deploys to the one that it has credentials for.
    const env = { region: requireEuRegion(props.stage.region) };
    this.state = new StateStack(this, 'State', { ...props, env });
    this.line = new LineStack(this, 'Line', { ...props, env, state: this.state });

    Aspects.of(this).add(new DenyOtherRegions(env.region));
    Validations.of(scope).addPlugins(new RegionPin(), new AwsSolutions(scope));
  }
}
