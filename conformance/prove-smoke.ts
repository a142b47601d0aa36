import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Keys } from '../domain/keys.ts';
import type { DeployedStage } from './deploy/deployed-stage.ts';
import type { AwsCalls } from './engines/aws-calls.ts';
import type { Report } from './report.ts';
import { settleLanding } from './traffic/settle.ts';
import type { Stores } from './traffic/stores.ts';
import { type Streamed, streamRecords } from './traffic/stream-records.ts';

/** The source whose key is tried: the demo shop's tag. */
const SOURCE = 'web';

/**
 * `npm run smoke` against a deployed stage, with a live write key: no check of it may fail. The event that it writes is landed
 * before this ends, so that who reads the lake next reads the same lake twice.
 */
export async function proveSmoke(
  report: Report,
  { call }: AwsCalls,
  stage: DeployedStage,
  stores: Stores,
): Promise<void> {
  report.step('smoke');
  const { SecretString } = await call('secretsmanager', 'get_secret_value', { SecretId: stage.secretArn });
  const [key] = (JSON.parse(SecretString) as Keys).writeKeys[SOURCE] ?? [];
  const { url, host } = stage.door;
  const args = [join(import.meta.dirname, 'smoke.ts'), '--url', url, '--host', host, `--key=${key}`];
  const before = new Set((await streamRecords(stores)).map(placeOf));
  const { status, lines } = await run(args);
  const written = (await streamRecords(stores)).filter((record) => !before.has(placeOf(record)));
  await settleLanding(stores, written);
  const held = lines.filter((line) => line.startsWith('ok')).length;
  if (status === 0) report.ok('npm run smoke against the deployed stage', `${held} checks held`);
  else report.fail(`npm run smoke ends with ${status}: ${lines.join(' | ')}`, 'conformance/smoke.ts');
}

const placeOf = ({ shard, sequence }: Streamed): string => `${shard} ${sequence}`;

function run(args: readonly string[]): Promise<{ status: number; lines: string[] }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...args], (_, stdout, stderr) =>
      resolve({ status: child.exitCode ?? 1, lines: `${stdout}\n${stderr}`.split('\n').filter(Boolean) }),
    );
  });
}
