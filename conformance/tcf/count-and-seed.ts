import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** `--count N` and `--seed N` of a command; a seed is drawn where none is given. Ends the process with 2 where one is no number. */
export function countAndSeed(usage: string, count: string): { count: number; seed: number } {
  const { values } = parseArgs({ options: { count: { type: 'string', default: count }, seed: { type: 'string' } } });
  const read = { count: Number(values.count), seed: Number(values.seed ?? randomInt(2 ** 31)) };
  if (Object.values(read).every((number) => Number.isSafeInteger(number) && number >= 0)) return read;
  console.error(usage);
  process.exit(2);
}
