import * as z from 'zod';
import type { ErasureInput } from '../domain/erasure.ts';
import { bundles } from './erase/bundles.ts';
import { close } from './erase/close.ts';
import type { EraseDeps } from './erase/deps.ts';
import { items } from './erase/items.ts';
import { leftovers } from './erase/leftovers.ts';
import { objects } from './erase/objects.ts';
import { type Opened, open } from './erase/open.ts';

const Words = z.strictObject({ de: z.string(), en: z.string() });

export const EraseRequest = z.strictObject({
  task: z.enum(['open', 'items', 'objects', 'bundles', 'leftovers', 'close']),
  as_of: z.iso.datetime({ precision: 3 }),
  run: z.string().regex(/^[\w-]+$/, 'must be the name of a run'),
  cursor: z.string().min(1).optional(),
  segments: z.record(z.string(), z.strictObject({ name: Words, description: Words })).optional(),
});

/** `cursor`: there is more to do, and the next call goes on from there. */
export type EraseAnswer = Partial<Opened> & { cursor?: string };

/** One task of the rights job. Each may be done twice, and a task that fails leaves its requests open. */
export async function eraseTask(input: ErasureInput, deps: EraseDeps): Promise<EraseAnswer> {
  const now = Date.parse(input.as_of);
  const { run } = input;
  switch (input.task) {
    case 'open':
      return open(now, deps);
    case 'items':
      await items(now, run, deps);
      return {};
    case 'objects': {
      const cursor = await objects(now, run, input.cursor, deps);
      return cursor === undefined ? {} : { cursor };
    }
    case 'bundles':
      await bundles(now, run, input.segments ?? {}, deps);
      return {};
    case 'leftovers':
      await leftovers(now, run, deps);
      return {};
    case 'close':
      await close(now, run, deps);
      return {};
  }
}
