import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** How many messages from the start of the file are answered, without a gap. */
export type Checkpoint = { answered: number };

/** Reads a checkpoint; a file that is not there yet stands for the start. */
export function readCheckpoint(file: string): Checkpoint {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Checkpoint;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { answered: 0 };
    throw error;
  }
}

/** Replaces the checkpoint in one step, so that a crash leaves the old one or the new one. */
export function writeCheckpoint(file: string, checkpoint: Checkpoint): void {
  writeFileSync(`${file}.new`, JSON.stringify(checkpoint));
  renameSync(`${file}.new`, file);
}
