import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How far a consumer has got in a shard: the sequence number of the last record that is dealt with. */
export type Checkpoint = {
  read(): string | undefined;
  write(sequenceNumber: string): void;
};

/** Keeps a checkpoint in a file of its own. A rename replaces it, so that a kill leaves the old one or the new one. */
export function fileCheckpoint(folder: string, consumer: string, shardId: string): Checkpoint {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${consumer}.${shardId}`);
  return {
    read() {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    write(sequenceNumber) {
      writeFileSync(`${path}.new`, sequenceNumber);
      renameSync(`${path}.new`, path);
    },
  };
}
