import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { metricsNamespace } from '../../domain/metrics.ts';
import { metrics } from '../../lambdas/adapters/metrics.ts';

let stage: string | undefined;
beforeEach(() => {
  stage = process.env.STAGE;
  process.env.STAGE = 'prod';
});
afterEach(() => {
  if (stage === undefined) delete process.env.STAGE;
  else process.env.STAGE = stage;
});

it('writes each count by reason and in total, in the namespace of its stage', () => {
  const lines: string[] = [];
  const { count, flush } = metrics((line) => lines.push(line));
  count('Rejected', 'unknown_event');
  count('Rejected', 'unknown_event', 2);
  flush.after?.({} as never);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          {
            Namespace: metricsNamespace('prod'),
            Dimensions: [['reason'], []],
            Metrics: [{ Name: 'Rejected', Unit: 'Count' }],
          },
        ],
      },
      reason: 'unknown_event',
      Rejected: 3,
    },
  ]);
});
