import { Aspects, Stage, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
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

/**
 * One deployment of the platform: the stack whose data survives and the stack that may be redeployed at will. Synthesis
 * throws where a template leaves the EU, or breaks a rule of AwsSolutions without a written reason.
 */
export class PaulaStage extends Stage {
  readonly state: StateStack;
  readonly line: LineStack;

  constructor(scope: Construct, id: string, props: PaulaStageProps) {
    const region = requireEuRegion(props.stage.region);
    // Without an account, so that synthesis needs none; the CLI deploys to the one that it has credentials for.
    super(scope, id, { env: { region } });

    this.state = new StateStack(this, 'State', props);
    this.line = new LineStack(this, 'Line', { ...props, state: this.state });

    Aspects.of(this).add(new DenyOtherRegions(region));
    Validations.of(this).addPlugins(new RegionPin(), new AwsSolutions(this));
  }
}
