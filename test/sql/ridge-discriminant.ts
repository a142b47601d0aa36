/** Rows of the sample: whether a profile is of the seed, and what it has, as `family feature`. */
export type SampleRow = { isSeed: boolean; features: readonly string[] };

/**
 * The ridge discriminant of domain/lookalike-plan.ts in dense matrices, written from its formulae to hold the SQL against.
 * Gives the weight of each chosen feature. `exactly` solves by elimination instead of twenty steps.
 */
export function ridgeDiscriminant(sample: readonly SampleRow[], exactly = false): Map<string, number> {
  const [kept, ridge, support, steps] = [300, 3, 10, 20];
  const seeds = sample.filter(({ isSeed }) => isSeed).length;
  const others = sample.length - seeds;
  const has = sample.map(({ features }) => new Set(features));
  const names = [...new Set(sample.flatMap(({ features }) => features))].sort();
  const candidates = names.flatMap((name) => {
    const inSeed = sample.filter(({ isSeed }, i) => isSeed && has[i]?.has(name)).length;
    const inOthers = sample.filter(({ isSeed }, i) => !isSeed && has[i]?.has(name)).length;
    const count = inSeed + inOthers;
    if (count < support || count > sample.length - support) return [];
    const [a, b, all] = [inSeed / seeds, inOthers / others, count / sample.length];
    const z = (a - b) / Math.sqrt(all * (1 - all) * (1 / seeds + 1 / others));
    const deviation = Math.sqrt((inSeed * (1 - a) + inOthers * (1 - b)) / sample.length);
    return [{ name, a, b, z, deviation, effect: (a - b) / deviation }];
  });
  // The sort is stable, so that names settle ties.
  const chosen = candidates.sort((x, y) => y.z * y.z - x.z * x.z).slice(0, kept);
  const meanEffect = Math.sqrt(chosen.reduce((sum, { effect }) => sum + effect * effect, 0) / chosen.length);
  const priors = chosen.map(({ effect }) => Math.sqrt(Math.min(10, Math.max(0.1, Math.abs(effect) / meanEffect))));
  const matrix = chosen.map((x, i) =>
    chosen.map((y, j) => {
      const both = has.filter((features) => features.has(x.name) && features.has(y.name)).length;
      const covariance = (both - seeds * x.a * y.a - others * x.b * y.b) / sample.length;
      return (at(priors, i) * at(priors, j) * covariance) / (x.deviation * y.deviation);
    }),
  );
  const target = chosen.map(({ effect }, i) => at(priors, i) * effect);
  const solution = exactly ? eliminated(matrix, target, ridge) : descended(matrix, target, ridge, steps);
  return new Map(chosen.map(({ name, deviation }, i) => [name, (at(solution, i) * at(priors, i)) / deviation]));
}

function descended(matrix: number[][], target: number[], ridge: number, steps: number): number[] {
  const norm = Math.sqrt(matrix.flat().reduce((sum, r) => sum + r * r, 0));
  const [high, low] = [Math.sqrt(ridge + norm), Math.sqrt(ridge)];
  const stepSize = 4 / (high + low) ** 2;
  const momentum = ((high - low) / (high + low)) ** 2;
  let x = target.map(() => 0);
  let before = x;
  for (let step = 0; step < steps; step++) {
    const next = x.map((value, i) => {
      const gradient = at(matrix, i).reduce((sum, r, j) => sum + r * at(x, j), 0) + ridge * value - at(target, i);
      return value - stepSize * gradient + momentum * (value - at(before, i));
    });
    before = x;
    x = next;
  }
  return x;
}

/** Gauss and Jordan; the matrix and the ridge together are positive definite, so that no row has to be sought. */
function eliminated(matrix: number[][], target: number[], ridge: number): number[] {
  const rows = matrix.map((row, i) => [...row.map((r, j) => r + (i === j ? ridge : 0)), at(target, i)]);
  for (const [i, row] of rows.entries()) {
    const pivot = at(row, i);
    rows[i] = row.map((value) => value / pivot);
    for (const [k, other] of rows.entries()) {
      const factor = at(other, i);
      if (k !== i) rows[k] = other.map((value, j) => value - factor * at(at(rows, i), j));
    }
  }
  return rows.map((row) => row.at(-1) ?? Number.NaN);
}

const at = <T>(list: readonly T[], i: number): T => list[i] as T;
