/** Rounds per measurement; the fastest is taken, since all that another process does can only add time. */
const ROUNDS = 12;

/** One thing to measure: `prepare` makes a round's fresh inputs, unmeasured; `run` returns what depends on every one. */
// biome-ignore lint/suspicious/noExplicitAny: each task's inputs are its own
export type Task = { prepare: () => any; run: (inputs: any) => number | Promise<number> };

/**
 * CPU microseconds per operation of each task. The tasks take turns within a round, so that what else the machine does
 * meets them alike.
 */
export async function cpuMicros(operations: number, tasks: readonly Task[]): Promise<number[]> {
  const best = tasks.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { prepare, run }] of tasks.entries()) {
      const inputs = prepare();
      const before = process.cpuUsage();
      const consumed = await run(inputs);
      const { user, system } = process.cpuUsage(before);
      if (!(consumed > 0)) throw new Error('a measured run consumed nothing');
      best[i] = Math.min(best[i] as number, (user + system) / operations);
    }
  }
  return best;
}
