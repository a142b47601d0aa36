import { PassThrough } from 'node:stream';
import { expect, it } from '@jest/globals';
import { metrics } from '../../lambdas/adapters/metrics.ts';
import { countMetricLines } from '../../local/metric-lines.ts';

it('adds up the lines that the functions write, and lets everything else pass', () => {
  const output = new PassThrough() as unknown as NodeJS.WriteStream & PassThrough;
  const { counters, stop } = countMetricLines(output);
  const { count, flush } = metrics((line) => output.write(`${line}\n`));
  for (const by of [1, 2]) {
    count('Rejected', 'unknown_event', by);
    count('Dropped', 'parameter', 5);
    flush.after?.({} as never);
  }
  output.write('a word\n');
  expect(counters).toEqual({ 'Rejected/unknown_event': 3, 'Dropped/parameter': 10 });
  expect(output.read().toString()).toBe('a word\n');
  stop();
  output.write('{"_aws":1}\n');
  expect(output.read().toString()).toBe('{"_aws":1}\n');
});
