import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTROL_HEADER, readControl } from '../secrets.ts';
import { endWithUs } from './end-with-us.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The platform in a process of its own, as `npm start` runs it. */
export type PlatformProcess = {
  url: string;
  /** Settles when the process has ended, with the signal that ended it. */
  ended: Promise<NodeJS.Signals | null>;
  hasEnded(): boolean;
  /** Runs the plan as of a time; false where the platform died meanwhile. */
  runPlan(asOf: Date): Promise<boolean>;
  /** True once every consumer has dealt with all that is on the stream; false where the platform died. */
  drained(): Promise<boolean>;
  stop(): Promise<void>;
};

/** The words that the platform ends its greeting with. */
const UP = 'Ctrl-C';

/** Between two questions whether the consumers have caught up, in milliseconds. */
const ASK_MS = 200;

/**
 * Starts the platform on a state folder with the flags of `npm start`, no schedule and a free port. `fault` is what
 * `PAULA_FAULT` takes. What it prints to stderr is added to `logFile`. Rejects when it does not come up.
 */
export async function startPlatformProcess(
  stateDir: string,
  logFile: string,
  fault?: string,
): Promise<PlatformProcess> {
  const args = [...startCommand(), '--port', '0', '--state', stateDir, '--plan-every', 'off'];
  const env = { ...process.env, PAULA_FAULT: fault ?? '' };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.pipe(createWriteStream(logFile, { flags: 'a' }));
  let over = false;
  endWithUs(child);
  const ended = once(child, 'exit').then(([, signal]) => {
    over = true;
    return signal as NodeJS.Signals | null;
  });
  const url = await doorOf(child);
  if (url === undefined) throw new Error(`the platform did not come up on ${stateDir}: see ${logFile}`);
  return {
    url,
    ended,
    hasEnded: () => over,
    async runPlan(asOf) {
      const { token } = readControl(stateDir);
      const address = `${url}/local/plan?as_of=${asOf.toISOString()}`;
      const answer = await fetch(address, { method: 'POST', headers: { [CONTROL_HEADER]: token } }).catch(
        () => undefined,
      );
      if (answer?.status === 200) return true;
      if (answer) throw new Error(`the plan failed: ${await answer.text()}`);
      await ended;
      return false;
    },
    async drained() {
      while (!over) {
        const answer = await fetch(`${url}/local/status`).catch(() => undefined);
        if (answer) {
          const { consumers } = (await answer.json()) as { consumers: { behind: number }[] };
          if (consumers.every(({ behind }) => behind === 0)) return true;
        }
        await new Promise((resolve) => setTimeout(resolve, ASK_MS));
      }
      return false;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The arguments of node in `npm start`, so that what is tested is what is started. */
function startCommand(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
  return scripts.start.split(' ').slice(1);
}

/** Waits for the greeting and returns the door's address; undefined where the process ends before. */
async function doorOf(child: ChildProcess): Promise<string | undefined> {
  let printed = '';
  for await (const data of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    printed += data;
    if (printed.includes(UP)) break;
  }
  child.stdout?.resume();
  return printed.includes(UP) ? /door\s+(\S+)/.exec(printed)?.[1] : undefined;
}
