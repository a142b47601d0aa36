/** What ran last: the time that its steps took as now (ISO 8601), and how long it took. */
export type PlanRun = { asOf: string; ms: number };

export type Schedule = {
  /** Runs the plan once, after the one under way if there is any. Rejects when it fails. */
  runNow(asOf: Date): Promise<PlanRun>;
  status(): { planRuns: number; lastPlan?: PlanRun };
  /** Starts no more runs and waits for the one under way. */
  stop(): Promise<void>;
};

/**
 * Runs the plan every so many seconds, as EventBridge Scheduler does on AWS, but never two at a time: a run that takes
 * longer than the interval skips the times in between. `off` runs it on demand only.
 */
export function startSchedule(
  everySeconds: number | 'off',
  run: (asOf: Date) => Promise<void>,
  onFailure: (error: unknown) => void,
): Schedule {
  let planRuns = 0;
  let lastPlan: PlanRun | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let underWay = 0;

  const runNow = (asOf: Date): Promise<PlanRun> => {
    underWay++;
    const finished = last
      .then(async () => {
        const startedAt = performance.now();
        await run(asOf);
        planRuns++;
        lastPlan = { asOf: asOf.toISOString(), ms: Math.round(performance.now() - startedAt) };
        return lastPlan;
      })
      .finally(() => underWay--);
    last = finished.catch(() => undefined);
    return finished;
  };

  const timer =
    everySeconds === 'off'
      ? undefined
      : setInterval(() => {
          if (underWay === 0) runNow(new Date()).catch(onFailure);
        }, everySeconds * 1000);

  return {
    runNow,
    status: () => ({ planRuns, ...(lastPlan && { lastPlan }) }),
    async stop() {
      clearInterval(timer);
      await last;
    },
  };
}
