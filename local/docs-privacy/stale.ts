import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files of a folder that differ from what they should be, or are missing, by name. */
export const staleFiles = (documents: ReadonlyMap<string, string>, folder: string): string[] =>
  [...documents].flatMap(([name, text]) => {
    const path = join(folder, name);
    return existsSync(path) && readFileSync(path, 'utf8') === text ? [] : [name];
  });
