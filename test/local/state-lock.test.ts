import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { lockState } from '../../local/state-lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paula-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const lockFile = () => join(folder, 'lock.json');
const MODULE = JSON.stringify(new URL('../../local/state-lock.ts', import.meta.url).href);

/** A process of its own that takes the lock, says so and then does something. */
const script = (then: string) => `
  const { lockState } = await import(${MODULE});
  lockState(${JSON.stringify(folder)});
  console.log('locked');
  ${then}`;
const ARGS = (then: string) => ['--no-warnings', '--input-type=module', '-e', script(then)];

it('keeps a second platform out until the first has given it back', () => {
  const release = lockState(folder);
  expect(() => lockState(folder)).toThrow(`the state folder ${folder} is in use by process ${process.pid}`);
  release();
  expect(existsSync(lockFile())).toBe(false);
  lockState(folder)();
});

it('keeps out while another process lives, and takes over once that was killed', async () => {
  const other = spawn(process.execPath, ARGS('setInterval(() => {}, 1000)'), { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  expect(() => lockState(folder)).toThrow(`in use by process ${other.pid}`);
  const ended = once(other, 'exit');
  other.kill('SIGKILL');
  await ended;
  expect(existsSync(lockFile())).toBe(true);
  lockState(folder)();
});

it('takes over from a process whose pid another one has now', () => {
  spawnSync(process.execPath, ARGS(''));
  const left = JSON.parse(readFileSync(lockFile(), 'utf8'));
  // This very process lives and is not the one that took it.
  writeFileSync(lockFile(), JSON.stringify({ ...left, pid: process.ppid, born: '1' }));
  lockState(folder)();
});

it('takes over a lock that was cut off, and makes the folder', () => {
  writeFileSync(lockFile(), '{"pi');
  lockState(folder)();
  const inner = join(folder, 'a', 'b');
  lockState(inner)();
  expect(existsSync(inner)).toBe(true);
});
