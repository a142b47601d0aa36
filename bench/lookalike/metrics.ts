/** How well scores find the positives: the area under the ROC curve, and lift in the best 1, 5 and 10 percent. */
export type Metrics = { auc: number; lift1: number; lift5: number; lift10: number };

export const METRICS = ['auc', 'lift1', 'lift5', 'lift10'] as const;

/**
 * Metrics of scores beside their labels. The area counts equal scores as half won (Mann and Whitney 1947); a lift takes the
 * first ceil(share x rows), equal scores in the order of `tie`.
 */
export function metricsOf(scores: Float64Array, positive: readonly boolean[], tie: Float64Array): Metrics {
  const order = Array.from(scores.keys()).sort((a, b) => at(scores, b) - at(scores, a) || at(tie, a) - at(tie, b));
  const positives = positive.filter(Boolean).length;
  const lift = (share: number): number => {
    const rows = Math.ceil(share * scores.length);
    const found = order.slice(0, rows).filter((row) => positive[row]).length;
    return found / positives / (rows / scores.length);
  };
  return { auc: areaOf(scores, positive, order), lift1: lift(0.01), lift5: lift(0.05), lift10: lift(0.1) };
}

function areaOf(scores: Float64Array, positive: readonly boolean[], order: readonly number[]): number {
  let won = 0;
  let positives = 0;
  let others = 0;
  for (let i = 0; i < order.length; ) {
    const score = at(scores, order[i] as number);
    let equalPositives = 0;
    let equalOthers = 0;
    for (; i < order.length && at(scores, order[i] as number) === score; i++) {
      if (positive[order[i] as number]) equalPositives++;
      else equalOthers++;
    }
    won += equalOthers * (positives + equalPositives / 2);
    positives += equalPositives;
    others += equalOthers;
  }
  return won / (positives * others);
}

const at = (values: Float64Array, i: number): number => values[i] as number;
