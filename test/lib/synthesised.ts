import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { type StageConfig, stageOf } from '../../domain/config.ts';
import { PaulaStage } from '../../lib/paula-stage.ts';
import type { Resource, Template } from '../../lib/region-pin.ts';
import config from '../../paula.config.ts';

const CDK_JSON = join(import.meta.dirname, '../../cdk.json');

/** An app with the feature flags of cdk.json, and without bundling, which takes longer than all the rest. */
export function testApp(): App {
  const { context } = JSON.parse(readFileSync(CDK_JSON, 'utf8')) as { context: Record<string, unknown> };
  return new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } });
}

export type Synthesised = { state: Template; line: Template };

/** Synthesises a stage for real, validations included, and returns its two templates. */
export function synthesise(
  stageName: string,
  changes: { region?: string; stage?: Partial<StageConfig> } = {},
): Synthesised {
  const app = testApp();
  const stage = { ...stageOf(config, stageName, changes.region), ...changes.stage };
  const { state, line } = new PaulaStage(app, `paula-${stageName}`, { config, stageName, stage });
  const assembly = app.synth();
  const templateOf = (stack: { artifactId: string }) =>
    assembly.getStackArtifact(stack.artifactId).template as Template;
  return { state: templateOf(state), line: templateOf(line) };
}

/** The resources of a type, by logical id. */
export function resourcesOf(
  { Resources = {} }: Template,
  type: string,
): [string, Resource & { Properties: Properties }][] {
  return Object.entries(Resources)
    .filter(([, { Type }]) => Type === type)
    .map(([id, resource]) => [id, { ...resource, Properties: resource.Properties ?? {} }]);
}

type Properties = Record<string, unknown>;
