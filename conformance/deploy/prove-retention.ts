import { join } from 'node:path';
import type { Report } from '../report.ts';
import { type DeployOptions, deployAssembly, destroyStack, readStack, stackNames } from './deployed-stage.ts';
import { readBack } from './read-back.ts';

/**
 * The state stack of a stage with `removal: 'retain'`: its destruction is refused while termination protection is on, and
 * with protection off its resources stay in the account, as they were.
 */
export async function proveRetention(report: Report, options: DeployOptions): Promise<void> {
  const { calls, work, stageName } = options;
  const name = `paula-${stageName}/State`;
  const log = `${join(work, 'cdk.log')}, last command`;
  await deployAssembly(options, [name, '--exclusively']);
  const { state } = stackNames(options.assembly, stageName);
  const stack = await readStack(options, state);
  await readBack(report, calls, stack);

  const refused = await destroyStack(options, name);
  const { Stacks } = await calls.call('cloudformation', 'describe_stacks', { StackName: stack.stackName });
  const status = Stacks[0].StackStatus as string;
  if (refused.code !== 0 && /TerminationProtection/i.test(refused.output) && status === 'CREATE_COMPLETE')
    report.ok('destroy of the state stack is refused while it is protected', status);
  else report.fail('destroy of the state stack is refused while it is protected', `${log}; the stack is ${status}`);

  await calls.call('cloudformation', 'update_termination_protection', {
    EnableTerminationProtection: false,
    StackName: stack.stackName,
  });
  const removed = await destroyStack(options, name);
  if (removed.code !== 0) return report.fail('destroy of the state stack succeeds without protection', log);
  const kept = Object.values(stack.template.Resources).filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain');
  report.ok('destroy of the state stack succeeds without protection', `${kept.length} resources are to stay`);
  await readBack(report, calls, stack, ({ DeletionPolicy }) => DeletionPolicy === 'Retain');
}
