import { join } from 'node:path';
import { AwsError } from '../engines/aws-calls.ts';
import type { Report } from '../report.ts';
import { type DeployedStage, type DeployOptions, deployStage, destroyStack } from './deployed-stage.ts';
import { askForPixel } from './landed-event.ts';
import { readBack } from './read-back.ts';
import { entryCounts, lostEntries, storedData } from './stored-data.ts';

/** Removes the line's stack, which holds no data, and makes it again: what the other stack holds stays, keys included. */
export async function proveRedeploy(report: Report, options: DeployOptions, stage: DeployedStage): Promise<void> {
  const { calls, work, stageName } = options;
  const stored = await storedData(calls, stage);
  const { code } = await destroyStack(options, `paula-${stageName}/Line`);
  if (code !== 0)
    return report.fail('destroy of the redeployable stack succeeds', `${join(work, 'cdk.log')}, last command`);
  const left: string[] = [];
  for (const FunctionName of Object.values(stage.functionNames)) {
    const found = await calls.call('lambda', 'get_function', { FunctionName }).catch((error: unknown) => {
      if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return undefined;
      throw error;
    });
    if (found) left.push(FunctionName);
  }
  if (left.length === 0) report.ok('destroy of the redeployable stack succeeds', 'no function is left');
  else for (const name of left) report.fail('destroy of the redeployable stack leaves nothing', name);

  const made = await deployStage(options);
  await readBack(report, calls, made.line);
  const lost = lostEntries(stored, await storedData(calls, made));
  if (lost.length === 0) report.ok('the data and the keys are those from before', entryCounts(stored));
  else for (const store of lost) report.fail('the data and the keys are those from before', store);
  const status = await askForPixel(made.door);
  if (status === 200) report.ok('the door answers again');
  else report.fail(`the door answers ${status} after a redeploy`, `${made.line.stackName}/${made.door.apiId}`);
}
