import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endWithUs } from './end-with-us.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What a replay sends: a file, with the options of `npm run replay` that say how it is read. */
export type ReplayInput = { file: string; options: readonly string[] };

/** `messages` and `seconds` of this run; undefined where the platform went away before its end. */
export type ReplayEnd = { messages: number; seconds: number } | undefined;

/**
 * Replays a file into a running platform in a process of its own. A replay that loses the platform ends, and the next one
 * goes on from the checkpoint. Rejects where it fails in another way, or where an event was rejected.
 */
export async function replay(
  { file, options }: ReplayInput,
  platform: { url: string; stateDir: string; hasEnded(): boolean },
  more: readonly string[],
): Promise<ReplayEnd> {
  const args = ['local/replay.ts', file, ...options, '--url', platform.url, '--state', platform.stateDir, ...more];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  endWithUs(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed += data));
  const [code] = (await once(child, 'close')) as [number | null];
  const [, messages, seconds] = /^(\d+) messages, \d+ rows in ([\d.]+) s/m.exec(printed) ?? [];
  if (messages !== undefined && !printed.includes('no event was rejected'))
    throw new Error(`the door rejected events:\n${lastLines(printed)}`);
  if (code === 0 && messages !== undefined) return { messages: Number(messages), seconds: Number(seconds) };
  // The kill is seen by the replay a moment before this process hears of it.
  await new Promise((resolve) => setTimeout(resolve, EXIT_NEWS_MS));
  if (!platform.hasEnded()) throw new Error(`the replay failed:\n${lastLines(printed)}`);
  return undefined;
}

const EXIT_NEWS_MS = 1_000;

const lastLines = (text: string): string => text.trim().split('\n').slice(-5).join('\n');
