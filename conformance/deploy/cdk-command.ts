import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

export type CdkCommand = {
  args: readonly string[];
  /** Where it runs: the app's folder for a synthesis, an empty one for what takes a finished assembly. */
  cwd: string;
  /** Endpoint and credentials; without them a command that reaches for AWS fails. */
  env: Readonly<Record<string, string>>;
  /** Takes what it prints. */
  logFile: string;
};

/**
 * Runs the pinned `cdk` on the repository's node and answers with its exit code and everything that it printed. No variable
 * of the caller's reaches it but PATH, HOME and the temporary folder, so that it can never find a real account.
 */
export async function cdk({ args, cwd, env, logFile }: CdkCommand): Promise<{ code: number; output: string }> {
  const { HOME, TMPDIR, PATH = '' } = process.env;
  const child = spawn(join(ROOT, 'node_modules', '.bin', 'cdk'), [...args], {
    cwd,
    env: {
      ...(HOME !== undefined && { HOME }),
      ...(TMPDIR !== undefined && { TMPDIR }),
      PATH: [join(ROOT, 'node_modules', '.bin'), PATH].join(delimiter),
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  appendFileSync(logFile, `\n$ cdk ${args.join(' ')}\n`);
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    appendFileSync(logFile, chunk);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  process.off('exit', endWithUs);
  return { code, output };
}

/** As `cdk`; throws with the last lines of what it printed where it fails. */
export async function cdkOrThrow(command: CdkCommand): Promise<string> {
  const { code, output } = await cdk(command);
  if (code !== 0)
    throw new Error(`cdk ${command.args.join(' ')} ended with ${code}; its log is ${command.logFile}\n${tail(output)}`);
  return output;
}

/** Enough of a log to see the cause in a report. */
const TAIL_LINES = 25;

const tail = (output: string): string => output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
