import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { stageOf } from '../../domain/config.ts';
import type { Keys } from '../../domain/keys.ts';
import { startPlatformProcess } from '../../local/kill-test/platform-process.ts';
import type { PlatformStatus } from '../../local/platform.ts';
import { writePrivateJson } from '../../local/private-file.ts';
import { readSecrets, secretsPath } from '../../local/secrets.ts';
import config from '../../paula.config.ts';
import type { StoryTarget } from '../story/run-story.ts';
import { settle } from './settle.ts';
import { openStores, type Stores } from './stores.ts';

/** Names that the local platform gives; they are its own and never change. */
const NAMES = {
  tables: { profiles: 'paula-profiles', consents: 'paula-consents', control: 'paula-control' },
  stream: 'paula-events',
  bucket: 'paula-lake',
};

/** A platform that a story is run against, with its stores. */
export type StoryPlatform = StoryTarget & { stores: Stores };

/**
 * Starts the local platform, as `npm start` does, on a new folder below `work`. With `keys` it uses these, so that its
 * ids of events and persons are those of another platform.
 */
export async function startLocalPlatform(
  work: string,
  keys?: Keys,
): Promise<StoryPlatform & { stop: () => Promise<void> }> {
  const state = join(work, 'local');
  mkdirSync(state, { recursive: true });
  if (keys) writePrivateJson(secretsPath(state), keys);
  const platform = await startPlatformProcess(state, join(work, 'local.log'));
  const { engines } = (await (await fetch(`${platform.url}/local/status`)).json()) as PlatformStatus;
  const stores = openStores(engines, stageOf(config, 'local').region, NAMES);
  return {
    door: { url: platform.url },
    keys: readSecrets(state),
    stores,
    settle: () => settle(stores),
    async runPlan() {
      if (!(await platform.runPlan(new Date()))) throw new Error('the local platform has ended');
    },
    async stop() {
      stores.close();
      await platform.stop();
    },
  };
}
