/** Rounds per measurement; the fastest is taken, since all that another process does can only add time. */
const ROUNDS = 20;

/** Operations that are prepared and run at once: few enough to lie in the processor's caches, as one request's data does. */
const CHUNK = 200;

/**
 * One thing to measure. `prepare` makes the fresh inputs of operations `from` to `to`, unmeasured; `run` works through
 * them and returns something that depends on every one, which keeps the work alive.
 */
// biome-ignore lint/suspicious/noExplicitAny: each task's inputs are its own
export type Task = { prepare: (from: number, to: number) => any; run: (inputs: any) => number | Promise<number> };

/**
 * CPU microseconds per operation of each task. The tasks take turns chunk by chunk, so that what else the machine does
 * meets them alike.
 */
export async function cpuMicros(operations: number, tasks: readonly Task[], chunk = CHUNK): Promise<number[]> {
  const best = tasks.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    const spent = tasks.map(() => 0);
    for (let from = 0; from < operations; from += chunk) {
      for (const [i, { prepare, run }] of tasks.entries()) {
        const inputs = prepare(from, Math.min(from + chunk, operations));
        const before = process.cpuUsage();
        const consumed = await run(inputs);
        const { user, system } = process.cpuUsage(before);
        if (!(consumed > 0)) throw new Error('a measured run consumed nothing');
        spent[i] = (spent[i] as number) + user + system;
      }
    }
    for (const [i, micros] of spent.entries()) best[i] = Math.min(best[i] as number, micros / operations);
  }
  return best;
}
