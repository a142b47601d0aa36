import { describe, expect, it } from '@jest/globals';
import { metricsOf } from '../../bench/lookalike/metrics.ts';

/** Forty rows, of which four are positive. */
const rows = (scores: (i: number) => number, positive: readonly number[], tie: (i: number) => number = (i) => i) =>
  metricsOf(
    Float64Array.from({ length: 40 }, (_, i) => scores(i)),
    Array.from({ length: 40 }, (_, i) => positive.includes(i)),
    Float64Array.from({ length: 40 }, (_, i) => tie(i)),
  );

describe('metricsOf', () => {
  it('of scores that put the positives first', () => {
    // The best percent of forty is one row, five percent are two, ten are four.
    expect(rows((i) => -i, [0, 1, 2, 3])).toEqual({ auc: 1, lift1: 10, lift5: 10, lift10: 10 });
  });

  it('of scores that put them last', () => {
    expect(rows((i) => i, [0, 1, 2, 3])).toEqual({ auc: 0, lift1: 0, lift5: 0, lift10: 0 });
  });

  it('counts pairs: a positive in the middle wins over half', () => {
    const { auc, lift10 } = rows((i) => -i, [0, 1, 20, 39]);
    expect(auc).toBeCloseTo((36 + 36 + 18 + 0) / (4 * 36), 12);
    expect(lift10).toBe(5);
  });

  it('takes equal scores for half won, and for a lift in the order of the ties', () => {
    expect(rows(() => 1, [0, 1, 2, 3])).toEqual({ auc: 0.5, lift1: 10, lift5: 10, lift10: 10 });
    expect(
      rows(
        () => 1,
        [0, 1, 2, 3],
        (i) => -i,
      ),
    ).toEqual({ auc: 0.5, lift1: 0, lift5: 0, lift10: 0 });
  });
});
