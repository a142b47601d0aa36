import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The only version that the requirements hold hashes for. */
export const PYTHON = 'python3.11';

/** Says what of Python is missing on this machine, or nothing. */
export function pythonMissing(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import venv, ensurepip'], { stdio: 'ignore' });
  return status === 0 ? undefined : `${PYTHON} with venv and ensurepip (Debian: python3.11-venv)`;
}

/**
 * A virtual environment in `folder` that holds what `requirements` pins by hash; answers with its interpreter. It is made
 * once, beside its place, and moved there when it is complete: a run that is cut short leaves nothing that looks whole, and
 * two runs at once do not meet. Throws with pip's own words where it fails.
 */
export async function virtualEnvironment(
  folder: string,
  requirements: string,
  say: (line: string) => void,
): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const place = join(folder, `venv-${hash}`);
  const interpreter = join(place, 'bin', 'python');
  const stamp = join(place, 'complete');
  if (existsSync(stamp)) return interpreter;
  const missing = pythonMissing();
  if (missing) throw new Error(`the conformance suite needs ${missing}`);

  const making = mkdtempSync(join(folder, 'making-'));
  try {
    say(`installing ${requirements} into ${place}`);
    await run(PYTHON, ['-m', 'venv', making], say);
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--require-hashes'];
    await run(join(making, 'bin', 'python'), [...pip, '--only-binary=:all:', '-r', requirements], say);
    writeFileSync(join(making, 'complete'), '');
    if (!existsSync(stamp)) {
      rmSync(place, { recursive: true, force: true });
      renameSync(making, place);
    }
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return interpreter;
}

/** Runs a command to its end and passes its lines on; throws with the last of them where it fails. */
async function run(command: string, args: readonly string[], say: (line: string) => void): Promise<void> {
  const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: dirname(import.meta.dirname) });
  let printed = '';
  const take = (chunk: Buffer): void => {
    printed += chunk.toString();
    for (const line of chunk.toString().split('\n').filter(Boolean)) say(`  ${line}`);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${printed.trim().slice(-2000)}`);
}
