import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Keys } from '../domain/keys.ts';
import type { DeployedStage } from './deploy/deployed-stage.ts';
import type { AwsCalls } from './engines/aws-calls.ts';
import type { Report } from './report.ts';

/** The source whose key is tried: the demo shop's tag. */
const SOURCE = 'web';

/** `npm run smoke` against a deployed stage, with a live write key: no check of it may fail. */
export async function proveSmoke(report: Report, { call }: AwsCalls, stage: DeployedStage): Promise<void> {
  report.step('smoke');
  const { SecretString } = await call('secretsmanager', 'get_secret_value', { SecretId: stage.secretArn });
  const [key] = (JSON.parse(SecretString) as Keys).writeKeys[SOURCE] ?? [];
  const { url, host } = stage.door;
  const args = [join(import.meta.dirname, 'smoke.ts'), '--url', url, '--host', host, `--key=${key}`];
  const { status, lines } = await run(args);
  const held = lines.filter((line) => line.startsWith('ok')).length;
  if (status === 0) report.ok('npm run smoke against the deployed stage', `${held} checks held`);
  else report.fail(`npm run smoke ends with ${status}: ${lines.join(' | ')}`, 'conformance/smoke.ts');
}

function run(args: readonly string[]): Promise<{ status: number; lines: string[] }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...args], (_, stdout, stderr) =>
      resolve({ status: child.exitCode ?? 1, lines: `${stdout}\n${stderr}`.split('\n').filter(Boolean) }),
    );
  });
}
