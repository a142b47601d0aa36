/** The start of a line in CloudWatch's embedded metric format, as `lambdas/adapters/metrics.ts` writes it. */
const EMBEDDED = '{"_aws":';

/** Totals by metric and reason, `Metric/reason`. */
export type Counters = Record<string, number>;

/**
 * Takes the metric lines that functions write to standard output, which CloudWatch would read, out of it and adds them
 * up; everything else passes. Returns the totals, which grow, and what ends it.
 */
export function countMetricLines(stream: NodeJS.WriteStream = process.stdout): {
  counters: Counters;
  stop: () => void;
} {
  const counters: Counters = {};
  const write = stream.write;
  stream.write = function (this: NodeJS.WriteStream, ...args: Parameters<typeof write>): boolean {
    const [text] = args;
    if (typeof text !== 'string' || !text.startsWith(EMBEDDED)) return Reflect.apply(write, this, args);
    const { _aws, reason, ...metrics } = JSON.parse(text) as Record<string, unknown>;
    for (const [metric, value] of Object.entries(metrics)) {
      const name = `${metric}/${reason}`;
      counters[name] = (counters[name] ?? 0) + Number(value);
    }
    return true;
  } as typeof write;
  return {
    counters,
    stop: () => {
      stream.write = write;
    },
  };
}
