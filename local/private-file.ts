import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Only the owner reads and writes. */
const OWNER_ONLY = 0o600;

/** Reads a JSON file; undefined where there is none. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a JSON file that only its owner can read; a kill leaves the old one or the new one. */
export function writePrivateJson(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: OWNER_ONLY });
  renameSync(`${path}.new`, path);
}
