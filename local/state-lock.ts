import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { readJson } from './private-file.ts';

const Owner = z.strictObject({ pid: z.int(), born: z.string() });

/**
 * Takes a state folder for this process, making it where needed; returns what gives it back. Throws when another live
 * process has it. What a killed process has left behind is taken over: its pid is dead, or belongs to a younger process.
 */
export function lockState(stateDir: string): () => void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, 'lock.json');
  const mine = JSON.stringify({ pid: process.pid, born: birthOf(process.pid) ?? '' });
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = ownerOf(path);
    if (owner) throw new Error(`the state folder ${stateDir} is in use by process ${owner.pid}`);
    rmSync(path, { force: true });
  }
}

/** Returns the process that holds a lock, unless it is gone. */
function ownerOf(path: string): z.infer<typeof Owner> | undefined {
  let content: unknown;
  try {
    content = readJson(path);
  } catch {
    return undefined; // Cut off by a kill.
  }
  const owner = Owner.safeParse(content);
  if (!owner.success || !isAlive(owner.data.pid)) return undefined;
  const born = birthOf(owner.data.pid);
  return born === undefined || born === owner.data.born ? owner.data : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, in Linux' clock ticks since boot, so that a pid that is used again is told apart. */
function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in brackets and may hold spaces; the start time is the 22nd.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
