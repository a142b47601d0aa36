import { Keys } from '../../domain/keys.ts';
import type { DeployedStage } from '../deploy/deployed-stage.ts';
import { runMachine } from '../deploy/plan-run.ts';
import type { AwsCalls } from '../engines/aws-calls.ts';
import type { MiniStack } from '../engines/ministack.ts';
import type { StoryPlatform } from './local-platform.ts';
import { settle } from './settle.ts';
import { openStores, type Stores } from './stores.ts';

/** The stores of a stage on the emulator. */
export const deployedStores = ({ url, region }: MiniStack, stage: DeployedStage): Stores =>
  openStores({ dynamodb: url, kinesis: url, s3: url }, region, {
    tables: stage.tableNames,
    stream: stage.streamName,
    bucket: stage.bucketName,
  });

/** A stage on the emulator as a platform that a story is run against. */
export async function deployedPlatform(
  ministack: MiniStack,
  calls: AwsCalls,
  stage: DeployedStage,
): Promise<StoryPlatform> {
  const { SecretString } = await calls.call('secretsmanager', 'get_secret_value', { SecretId: stage.secretArn });
  const stores = deployedStores(ministack, stage);
  return {
    door: { url: stage.door.url, host: stage.door.host },
    keys: Keys.parse(JSON.parse(SecretString)),
    stores,
    settle: () => settle(stores),
    runPlan: () => runMachine(calls, stage.stateMachineArn),
  };
}
