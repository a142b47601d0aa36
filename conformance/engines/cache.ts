import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where engines are kept between runs: outside the repository, since they are large and not ours. `PAULA_CACHE` moves it. */
export function cacheFolder(...names: string[]): string {
  const folder = join(process.env.PAULA_CACHE ?? join(homedir(), '.cache', 'paula'), ...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}
