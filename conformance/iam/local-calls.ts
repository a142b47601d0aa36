import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stageOf } from '../../domain/config.ts';
import { proveErasure } from '../../local/erasure-proof/prove.ts';
import config from '../../paula.config.ts';
import { PAULAS_STORY } from '../story/paulas-story.ts';
import { runStory } from '../story/run-story.ts';
import { startLocalPlatform } from '../traffic/local-platform.ts';
import type { Place } from './call-needs.ts';
import { readDeployment } from './deployment.ts';
import { type RecordedCall, readCalls } from './recorded-call.ts';
import { unmetCalls } from './unmet-calls.ts';

const HOOKS = ['local-functions.ts', 'recorder.ts'];

/** The local platform's names of what the templates have. */
const LOCAL_IDS = {
  ProfilesTable: 'paula-profiles',
  ConsentsTable: 'paula-consents',
  ControlTable: 'paula-control',
  EventStream: 'paula-events',
  LakeBucket: 'paula-lake',
  KeysSecret: 'paula-keys',
};

/** Where the templates have each function, by the name that it has on the local platform. */
const LOCAL_FUNCTIONS: Readonly<Record<string, string>> = {
  collect: 'Line/Door/Collect/Function',
  decide: 'Line/Door/Decide/Function',
  rights: 'Line/Door/Rights/Function',
  erase: 'Line/RightsJob/Erase/Function',
  profile: 'Line/Profile/Function/Function',
  land: 'Line/Land/Function/Function',
  publish: 'Line/Plan/Publish/Function',
  keys: 'Line/Keys/Function/Function',
};

/**
 * What the functions call while Paula's story is told to the local platform, and while others exercise their rights there,
 * for a check that needs no emulator. `work` is
 * a folder of this run, `assembly` a synthesised one. The local platform keeps its keys in a file and never deploys, so
 * what four functions do with the secret is added as it stands in `lambdas/adapters/keys.ts` and `keys-document.ts`.
 * Rejects where the story does not go as it is told.
 */
export async function localCalls(
  work: string,
  assembly: string,
): Promise<Place & { recorded: readonly RecordedCall[] }> {
  const { region } = stageOf(config, 'local');
  const callsFile = join(work, 'calls.ndjson');
  // The platform's process takes its environment from this one.
  const hooks = HOOKS.map((name) => `--import ${pathToFileURL(join(import.meta.dirname, name))}`);
  Object.assign(process.env, { PAULA_CALLS_FILE: callsFile, NODE_OPTIONS: hooks.join(' ') });
  try {
    const platform = await startLocalPlatform(work);
    try {
      const { faults } = await runStory(PAULAS_STORY, platform, Date.now());
      if (faults.length > 0)
        throw new Error(`the story: ${faults.map(({ step, what }) => `${step}: ${what}`).join('; ')}`);
    } finally {
      await platform.stop();
    }
    await proveErasure(join(work, 'erasure'), () => undefined);
  } finally {
    delete process.env.PAULA_CALLS_FILE;
    delete process.env.NODE_OPTIONS;
  }
  const ofSecret = (name: string, operation: string): RecordedCall => {
    return { function: name, service: 'secretsmanager', region, operation, resources: [LOCAL_IDS.KeysSecret] };
  };
  return {
    region,
    physicalIds: [LOCAL_IDS, functionIds(assembly)],
    recorded: [
      ...readCalls(readFileSync(callsFile, 'utf8')),
      ...['collect', 'decide', 'rights', 'keys'].map((name) => ofSecret(name, 'GetSecretValue')),
      ofSecret('keys', 'PutSecretValue'),
      ...unmetCalls({
        erase: 'erase',
        profile: 'profile',
        decide: 'decide',
        publish: 'publish',
        bucket: LOCAL_IDS.LakeBucket,
        profiles: LOCAL_IDS.ProfilesTable,
        consents: LOCAL_IDS.ConsentsTable,
        region,
      }),
    ],
  };
}

function functionIds(assembly: string): Record<string, string> {
  const functions = readDeployment(assembly).ofType('AWS::Lambda::Function');
  return Object.fromEntries(
    Object.entries(LOCAL_FUNCTIONS).map(([name, path]) => {
      const found = functions.find((one) => one.path === path);
      if (!found) throw new Error(`${assembly} has no function ${path}`);
      return [found.logicalId, name];
    }),
  );
}
