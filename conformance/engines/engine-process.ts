import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** From a polite end to a forced one. */
const END_GRACE_MS = 10_000;
/** Between two looks at whether an engine answers. */
const LOOK_EVERY_MS = 200;

export type Engine = { pid: number; stop: () => Promise<void> };

export type EngineCommand = {
  name: string;
  command: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Takes what the engine prints. */
  logFile: string;
  /** True once the engine answers. */
  ready: () => Promise<boolean>;
  readyWithinMs: number;
};

/** Starts an engine as a child process and waits until it answers; throws with the place of its log where it does not. */
export async function startEngine(engine: EngineCommand): Promise<Engine> {
  const log = createWriteStream(engine.logFile, { flags: 'a' });
  const child = spawn(engine.command, [...engine.args], {
    cwd: engine.cwd,
    env: engine.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // An engine must not outlive a run that is cut short.
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const stop = async (): Promise<void> => {
    process.off('exit', endWithUs);
    await endChild(child, ended);
    log.end();
  };
  const spawned = await new Promise<Error | undefined>((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
  if (spawned) throw new Error(`${engine.name} did not start: ${spawned.message}`);
  const until = Date.now() + engine.readyWithinMs;
  while (!(await engine.ready().catch(() => false))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`${engine.name} did not come up; its log is ${engine.logFile}`);
    }
    await pause(LOOK_EVERY_MS);
  }
  return { pid: child.pid as number, stop };
}

async function endChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), END_GRACE_MS);
  await ended;
  clearTimeout(forced);
}

/** A port of loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
