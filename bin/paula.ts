import { App } from 'aws-cdk-lib';
import { stageOf } from '../domain/config.ts';
import { PaulaStage } from '../lib/paula-stage.ts';
import config from '../paula.config.ts';

const app = new App();
const stageName: string = app.node.tryGetContext('stage') ?? 'dev';
const region: string | undefined = app.node.tryGetContext('region');

new PaulaStage(app, `paula-${stageName}`, { config, stageName, stage: stageOf(config, stageName, region) });
