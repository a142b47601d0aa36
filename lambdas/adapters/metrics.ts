import type { MiddlewareObj } from '@middy/core';
import { metricsNamespace } from '../../domain/metrics.ts';

/** Collects counts during an invocation and writes them as one line each of CloudWatch's embedded metric format. */
export type Metrics = { count: (metric: string, dimension: string, by?: number) => void; flush: MiddlewareObj };

/** `write` takes one line of text; locally it goes to the platform's own counters instead of a log. */
export function metrics(write: (line: string) => void): Metrics {
  const counts = new Map<string, { metric: string; dimension: string; value: number }>();
  const flush = (): void => {
    if (counts.size === 0) return;
    for (const { metric, dimension, value } of counts.values()) write(embedded(metric, dimension, value));
    counts.clear();
  };
  return {
    count(metric, dimension, by = 1) {
      const key = `${metric}\n${dimension}`;
      const counted = counts.get(key);
      if (counted) counted.value += by;
      else counts.set(key, { metric, dimension, value: by });
    },
    flush: { after: flush, onError: flush },
  };
}

/**
 * One metric in CloudWatch's embedded metric format, specification 0.8: by reason, and over all reasons, since an alarm
 * cannot add up dimensions. STAGE is checked by the schema of each entry.
 */
function embedded(metric: string, reason: string, value: number): string {
  return JSON.stringify({
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: metricsNamespace(process.env.STAGE ?? ''),
          Dimensions: [['reason'], []],
          Metrics: [{ Name: metric, Unit: 'Count' }],
        },
      ],
    },
    reason,
    [metric]: value,
  });
}
