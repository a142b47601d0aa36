import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Objects } from '../../lambdas/erase/deps.ts';

/** A folder as the function `erase` sees a bucket: a file is an object, and its path below the folder the key. */
export function folderObjects(folder: string): Objects {
  const keys = (): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
      .sort();
  return {
    async *list(prefix, after = '') {
      for (const key of keys())
        if (key.startsWith(prefix) && key > after && existsSync(join(folder, key)))
          yield { key, at: statSync(join(folder, key)).mtimeMs };
    },
    async get(key) {
      return existsSync(join(folder, key)) ? readFileSync(join(folder, key)) : undefined;
    },
    async put(key, body) {
      mkdirSync(dirname(join(folder, key)), { recursive: true });
      writeFileSync(join(folder, key), body);
    },
    async remove(key) {
      rmSync(join(folder, key), { force: true });
    },
    async *lines(key) {
      const file = readFileSync(join(folder, key));
      yield* (key.endsWith('.gz') ? gunzipSync(file) : file).toString('utf8').split('\n');
    },
  };
}
