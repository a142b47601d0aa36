import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs what `npm start` runs, with the same node and the same flags; npm itself would stand between us and its signals. */
function spawnStart(args: readonly string[]): ChildProcess {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [command = '', ...given] = (scripts.start ?? '').split(' ');
  const PATH = [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  return spawn(command, [...given, ...args], {
    cwd: ROOT,
    env: { ...process.env, PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Starts the platform and waits for its end: the exit code and what it has said. */
export async function runStart(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawnStart(args);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (data) => {
      said[name] += data;
    });
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...said };
}

/** A platform in a process of its own. `curlLines` are the commands that it has printed, `engines` its other doors. */
export type RunningPlatform = {
  url: string;
  engines: Record<'dynamodb' | 'kinesis' | 's3', string>;
  curlLines: string[];
  /** Sends the signal and waits for the exit code; `null` where the signal itself has ended the process. */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** Starts the platform on a free port and waits until it has printed its doors. */
export async function startOn(state: string): Promise<RunningPlatform> {
  const child = spawnStart(['--port', '0', '--state', state]);
  let stderr = '';
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  const exited = once(child, 'close') as Promise<[number | null]>;
  let printed = '';
  for await (const data of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    printed += data;
    if (printed.includes('Ctrl-C')) break;
  }
  child.stdout?.resume();
  const addressOf = (what: string): string => {
    const address = new RegExp(`^ *${what} +(http\\S+)`, 'm').exec(printed)?.[1];
    if (!address) throw new Error(`the platform did not print its ${what}: ${printed}${stderr}`);
    return address;
  };
  return {
    url: addressOf('door'),
    engines: { dynamodb: addressOf('dynamodb'), kinesis: addressOf('kinesis'), s3: addressOf('s3') },
    curlLines: printed.split('\n').filter((line) => line.startsWith('curl ')),
    async end(signal) {
      child.kill(signal);
      const [code] = await exited;
      if (stderr !== '') throw new Error(`the platform complained: ${stderr}`);
      return code;
    },
  };
}
