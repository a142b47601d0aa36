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
  const mine = JSON.stringify({ pid: process.pid, born: procStat(process.pid)?.born ?? '' });
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
  const now = procStat(owner.data.pid);
  if (now && (now.born !== owner.data.born || now.ended)) return undefined;
  return owner.data;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * What Linux tells of a process: when it began (clock ticks since boot), so that a pid that is used again is told apart,
 * and whether it has ended and only waits for its parent to notice. Undefined on other systems.
 */
function procStat(pid: number): { born: string; ended: boolean } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in brackets and may hold spaces; the state is the third, the start time the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { born: fields[19] ?? '', ended: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return undefined;
  }
}
