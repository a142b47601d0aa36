import { join } from 'node:path';
import type { DeployedStage } from '../deploy/deployed-stage.ts';
import type { AwsCalls } from '../engines/aws-calls.ts';
import type { MiniStack } from '../engines/ministack.ts';
import type { Report } from '../report.ts';
import { PAULAS_STORY } from '../story/paulas-story.ts';
import { runStory, type StepTime } from '../story/run-story.ts';
import { deployedPlatform } from './deployed-platform.ts';
import { type StoryPlatform, startLocalPlatform } from './local-platform.ts';
import { provePoison } from './poison.ts';
import { compareProfiles, NOT_COMPARED, type ProfileTables, profilesOf } from './profiles-of.ts';
import { proveRecovery } from './recovery.ts';
import { proveRights } from './rights.ts';
import { shortenWindow } from './short-window.ts';

export type TrafficOptions = {
  ministack: MiniStack;
  calls: AwsCalls;
  stage: DeployedStage;
  /** A folder of this run; the local platform's state goes there. */
  work: string;
};

const STORY_FILE = 'conformance/story/paulas-story.ts';

/**
 * Paula's story over HTTP against the deployed stage and against the local platform, with the same keys and the same times;
 * then every profile, link, receipt and audience of the two compared; then records that fail and consumers that fail, and
 * what people may ask for.
 * Nobody may be stored on the stage before, and its own schedule must not run the plan meanwhile.
 */
export async function proveTraffic(report: Report, options: TrafficOptions): Promise<void> {
  const { ministack, calls, stage, work } = options;
  const storyTime = Date.now();
  const { profile, land } = stage.functionNames;
  const deployed = await deployedPlatform(ministack, calls, stage);
  const restoreWindow = await shortenWindow(calls, land);
  try {
    report.step('traffic: the story at the deployed door');
    const there = await tell(report, 'deployed', deployed, storyTime);

    report.step('traffic: the same story at the local door');
    const local = await startLocalPlatform(work, deployed.keys);
    const here = await tell(report, 'local', local, storyTime).finally(local.stop);

    report.step('traffic: profiles, local against deployed');
    compare(report, here, there);

    report.step('traffic: what fails');
    await provePoison(report, deployed.stores, { profile, land });
    await proveRecovery(report, deployed.stores, { profile, land }, { calls, service: ministack.url });

    const { stores, keys } = deployed;
    await proveRights(report, { ministack, calls, stage, stores, keys, work: join(work, 'rights') });
  } finally {
    await restoreWindow();
    deployed.stores.close();
  }
}

/** Tells the story to one platform, reports what was not as it has it, and reads what is stored at its end. */
async function tell(
  report: Report,
  name: string,
  platform: StoryPlatform,
  storyTime: number,
): Promise<ProfileTables | undefined> {
  const run = await runStory(PAULAS_STORY, platform, storyTime);
  for (const { step, what } of run.faults) report.fail(`${name}: ${step}: ${what}`, `${STORY_FILE}, "${step}"`);
  const told = `${run.steps.length} steps, ${run.requests} requests, ${secondsOf(run.steps)} s`;
  if (run.faults.length === 0) report.ok(`${name}: every answer is as the story has it`, told);
  const plans = run.steps.filter(({ step }) => PLANS.has(step));
  if (plans.length === PLANS.size && !run.faults.some(({ step }) => PLANS.has(step)))
    report.ok(`${name}: the plan runs through to publish`, plans.map((each) => `${secondsOf([each])} s`).join(', '));
  return run.steps.length === PAULAS_STORY.length ? profilesOf(platform.stores, run) : undefined;
}

/** The steps that run the plan. */
const PLANS: ReadonlySet<string> = new Set(PAULAS_STORY.filter((step) => 'plan' in step).map(({ name }) => name));

const secondsOf = (steps: readonly StepTime[]): string =>
  (((steps.at(-1)?.to ?? 0) - (steps[0]?.from ?? 0)) / 1000).toFixed(1);

function compare(report: Report, here: ProfileTables | undefined, there: ProfileTables | undefined): void {
  if (!here || !there) {
    report.skip('no item differs', 'one of the two stories did not come to its end');
    return;
  }
  const { items, fields, different, differences } = compareProfiles(here, there);
  for (const difference of differences)
    report.fail(`an item differs, local first: ${difference}`, 'conformance/traffic/profiles-of.ts');
  if (different > 0) return;
  const left = NOT_COMPARED.map(({ field, reason }) => `${field} (${reason})`).join(', ');
  report.ok('no item differs', `${items} items, ${fields} fields compared; not compared: ${left}`);
}
