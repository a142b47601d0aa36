/** Rounds per measurement; the fastest is taken, since all that another process does can only add time. */
const ROUNDS = 9;

/**
 * CPU microseconds per operation: the fastest of several rounds. `prepare` makes a round's fresh inputs and is not
 * measured; `run` works through them and returns something that depends on every one, which keeps the work alive.
 */
export async function cpuMicros<T>(operations: number, prepare: () => T, run: (inputs: T) => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const inputs = prepare();
    const before = process.cpuUsage();
    const consumed = await run(inputs);
    const { user, system } = process.cpuUsage(before);
    if (consumed === undefined || consumed === 0) throw new Error('a measured run consumed nothing');
    best = Math.min(best, (user + system) / operations);
  }
  return best;
}
