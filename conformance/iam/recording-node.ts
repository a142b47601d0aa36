import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const RECORDER = pathToFileURL(join(import.meta.dirname, 'recorder.ts')).href;

/**
 * Makes a folder with a `node` in it that records the calls of whatever it runs into `callsFile`; with that folder first in
 * its PATH an emulator runs its functions on it. NODE_OPTIONS would not do: a function's own environment replaces it.
 */
export function recordingNode(folder: string, callsFile: string): string {
  mkdirSync(folder, { recursive: true });
  const node = join(folder, 'node');
  const words = [process.execPath, '--import', RECORDER].map(quoted).join(' ');
  writeFileSync(node, `#!/bin/sh\nPAULA_CALLS_FILE=${quoted(callsFile)} exec ${words} "$@"\n`);
  chmodSync(node, 0o755);
  return folder;
}

/** A word of a shell's command. */
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
