import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../report.ts';
import { CHANGED_STAGE, changedApp } from './changed-app.ts';
import {
  bootstrap,
  type DeployedStage,
  type DeployOptions,
  deployAssembly,
  deployStage,
  synthesise,
} from './deployed-stage.ts';
import { type EmulatedAccount, startAccount } from './emulated-account.ts';
import { proveChange } from './prove-change.ts';
import { proveExtension } from './prove-extension.ts';
import { proveRedeploy } from './prove-redeploy.ts';
import { proveRetention } from './prove-retention.ts';
import { proveStart } from './prove-start.ts';
import { readBack } from './read-back.ts';

/** The stage whose data stores stay when their stack goes. */
const RETAINED_STAGE = 'prod';

export type DeployPart = {
  /** A folder of this run alone; its owner removes it. */
  work: string;
  say: (line: string) => void;
  /** A folder whose `node` runs the functions; else that of this repository. */
  nodeFolder?: string;
  /** What is to be proven on the deployed stage before it is changed and removed: traffic, grants. */
  inUse?: (deployed: EmulatedAccount & { stage: DeployedStage }) => Promise<void>;
};

/**
 * The unchanged synthesised assembly on an emulated account: bootstrap, deploy, every property read back, a deploy that
 * changes nothing, then use; then a changed configuration in place, a redeploy of the line, and the removal of both stacks.
 */
export async function proveDeploy(report: Report, { inUse, ...part }: DeployPart): Promise<void> {
  const { work, say } = part;
  const timed = timer(say);
  mkdirSync(work, { recursive: true });
  const account = await timed('emulator up', () => startAccount(part));
  try {
    const { ministack, calls } = account;
    report.step('deploy: bootstrap and deploy');
    // The tests mostly wait, a synthesis computes.
    const [assembly] = await Promise.all([
      timed('synth', () => synthesise({ work, stageName: CHANGED_STAGE, name: 'assembly' })),
      timed('extension', () => proveExtension(report, ministack.python)),
    ]);
    const options: DeployOptions = { ministack, calls, work, stageName: CHANGED_STAGE, assembly };
    await timed('bootstrap', () => bootstrap(options));
    const stage = await timed('deploy', () => deployStage(options));
    report.ok(
      'cdk bootstrap and cdk deploy --all',
      `${Object.keys(stage.state.physicalIds).length + Object.keys(stage.line.physicalIds).length} resources`,
    );

    report.step('deploy: functions and properties');
    await timed('read back', async () => {
      await proveStart(report, calls, stage);
      await readBack(report, calls, stage.state);
      await readBack(report, calls, stage.line);
    });

    report.step('deploy: a second deploy');
    const again = await timed('deploy', () => deployAssembly(options, ['--all', '--force']));
    const unchanged = again.match(/\(no changes\)/g)?.length ?? 0;
    if (unchanged === 2) report.ok('cdk deploy again changes nothing', 'both stacks: no changes');
    else report.fail('cdk deploy again changes nothing', `${join(work, 'cdk.log')}, last command`);

    await inUse?.({ ...account, stage });

    report.step('deploy: a changed configuration');
    const changed = await timed('synth', () =>
      synthesise({ work, stageName: CHANGED_STAGE, name: 'changed', root: changedApp(join(work, 'changed-app')) }),
    );
    const after = await timed('change', () => proveChange(report, { ...options, assembly: changed }, stage));

    report.step('deploy: the line removed and made again');
    await timed('redeploy', () => proveRedeploy(report, { ...options, assembly: changed }, after));

    report.step(`deploy: the state stack of stage ${RETAINED_STAGE} removed`);
    const retained = await timed('synth', () =>
      synthesise({ work, stageName: RETAINED_STAGE, name: 'retained', stack: `paula-${RETAINED_STAGE}/State` }),
    );
    await timed('removal', () => proveRetention(report, { ...options, stageName: RETAINED_STAGE, assembly: retained }));
  } finally {
    await account.stop();
  }
}

/** Says how long each part took: the whole suite has a limit. */
function timer(say: (line: string) => void) {
  return async <T>(name: string, part: () => Promise<T>): Promise<T> => {
    const started = Date.now();
    try {
      return await part();
    } finally {
      say(`         ${name}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
    }
  };
}
