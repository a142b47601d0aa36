import type { DefinedBy, Lookalike } from './lookalike-file.ts';
import type { Segment } from './sql-file.ts';

/** Features that a model has: more change the evaluation's lift by less than its error (docs/adr/0021). */
export const MODEL_FEATURES = 300;

/** A feature that fewer profiles of the sample have, or all but so few, tells nothing that holds for others. */
const LEAST_SUPPORT = 10;

/** Of the ridge, in units of correlation: one value for all seeds, so that nothing is fitted by hand (docs/adr/0021). */
const RIDGE = 3;

/** Heavy-ball steps: what is left to the solution is then far below what the ridge itself leaves out. */
const STEPS = 20;

/** Steps in one statement. DuckDB takes seconds to plan fifteen joins in a row, and Trino counts stages. */
const STEPS_PER_STATEMENT = 10;

/** The prior of a feature is the root of its effect over the root mean square of all, kept between these. */
const PRIOR_BOUNDS = { least: 0.1, most: 10 } as const;

/** A variance below this is rounding, of a feature that nearly everybody has or nobody. */
const LEAST_VARIANCE = 1e-6;

/** Background profiles for each of the seed: from ten on, the lift no longer changes measurably (docs/adr/0021). */
const BACKGROUND_PER_SEED = 20;
/** A small seed gets at least so many, which cost a second; a large one at most so many, which bounds the pairs. */
const BACKGROUND_BOUNDS = { least: 100_000, most: 1_000_000 } as const;

/** A profile's score for the estimate comes from the model that has not seen the third that it is in. */
const FOLDS = 3;

/** Model 0 learns from all folds and makes the audience; model k leaves out fold k. */
const MODELS: readonly number[] = Array.from({ length: FOLDS + 1 }, (_, model) => model);

/** Below it the estimate says nothing, and so few people can be guessed from what the model tells. */
export const FEWEST_SEED_PROFILES = 100;

/** Shares of the population for which the estimate tells the lift, in percent: the last part of the columns' names. */
const LIFT_PERCENTS = [1, 5, 10] as const;

/** The model's AUC has to be above one half by so many standard errors of a score that knows nothing. */
const STANDARD_ERRORS = 2;

/** Digits after the point that a weight keeps. Sums of decimals are the same in every order, so scores are too. */
const WEIGHT_TYPE = 'decimal(18, 9)';

/** Parts of the scores' range, of which only the one with the last member is sorted: no engine has to sort everybody. */
const SCORE_PARTS = 10_000;

/** Why the audience of a run is not published. */
export const LOOKALIKE_REFUSALS = ['seed_too_small', 'no_better_than_random', 'no_better_than_activity'] as const;

export type LookalikeRefusal = (typeof LOOKALIKE_REFUSALS)[number];

/** A statement in Athena's SQL with a name for each `?`, as a query of `sql/` has them. */
export type LookalikeStatement = { id: string; sql: string; parameters: readonly 'as_of'[] };

/**
 * What is run for a lookalike, in order: `statements` write the model, the estimate and the scores; `audience` is a SELECT of
 * profile_id that stands where a segment's does; `cleanUp` empties the tables that only these statements read.
 */
export type LookalikePlan = {
  statements: readonly LookalikeStatement[];
  audience: LookalikeStatement;
  cleanUp: readonly LookalikeStatement[];
};

/** What the statements need to know of a lookalike. */
export type LookalikeRule = Pick<Lookalike, 'id' | 'seed' | 'audience' | 'exclude' | 'definedBy'>;

/**
 * The audience as a segment: what the plan does with a segment, it does with it. The statements of the lookalike come before.
 */
export function lookalikeSegment(lookalike: Lookalike): Segment {
  const { id, file, lines, name, description, purpose, refreshSeconds, lifetimeDays, destinations } = lookalike;
  const { sql, parameters } = lookalikePlan(lookalike).audience;
  return {
    ...{ id, file, lines, name, description, purpose, refreshSeconds, lifetimeDays, destinations },
    sql,
    parameters,
  };
}

/** Tables that only the statements themselves read. */
const WORK = ['sample', 'selection', 'gram', 'solution', 'held_out', 'scores'] as const;

/**
 * The statements that find who is like the members of a segment: a ridge discriminant over the features that part the seed
 * from a background sample best, solved by heavy-ball steps (Polyak 1964), all as joins and sums. Four models are fitted in
 * one go: one for the audience, and three that each leave out a third, for the estimate. Every statement may run twice.
 */
export function lookalikePlan(lookalike: LookalikeRule): LookalikePlan {
  const { id } = lookalike;
  const make = (name: string, sql: string, asOf = 0): LookalikeStatement => {
    return { id: `${id}-${name}`, sql, parameters: Array.from({ length: asOf }, () => 'as_of' as const) };
  };
  const empty = (table: string): LookalikeStatement =>
    make(`empty-${table}`, `DELETE FROM lookalike_${table} WHERE lookalike_id = '${id}'`);
  const fill = (table: (typeof WORK)[number], sql: string): LookalikeStatement[] => [empty(table), make(table, sql)];
  return {
    statements: [
      ...fill('sample', sampleSql(lookalike)),
      ...fill('selection', selectionSql(lookalike)),
      ...fill('gram', gramSql(lookalike)),
      empty('solution'),
      ...solutionSql(id).map(({ step, sql }) => make(`solution-${step}`, sql)),
      empty('model'),
      make('model', modelSql(id), 1),
      ...fill('held_out', heldOutSql(lookalike)),
      make('empty-quality', `DELETE FROM lookalike_quality WHERE lookalike_id = '${id}' AND as_of = ?`, 1),
      make('quality', qualitySql(id), 1),
      ...fill('scores', scoresSql(lookalike)),
    ],
    audience: make('audience', audienceSql(lookalike)),
    cleanUp: WORK.map(empty),
  };
}

/** The families of features that are made of the rows with one product, or one category, alone. */
const NARROW_FAMILIES = { products: ['product', 'product_often'], categories: ['category', 'category_often'] } as const;

/**
 * Whether a row of `features` may be learnt from, as an SQL condition: not where an event that defines the seed has made it.
 * Every feature names its one event first (see `sql/features.sql`). Where products or categories narrow the definition down,
 * the event's other products and categories stay; what adds up over all of them does not. Of products alone, nothing says
 * which categories they have, so those of the event go as well, and the other way round.
 */
export function admittedSql(alias: string, definedBy: DefinedBy): string {
  if (definedBy.events.length === 0) return 'true';
  const named = definedBy.events.map((event) => {
    const made = `${event}:`;
    const kept = (['products', 'categories'] as const).flatMap((kind) =>
      definedBy[kind].length === 0
        ? []
        : `(${alias}.family IN (${texts(NARROW_FAMILIES[kind])}) ` +
          `AND ${alias}.feature NOT IN (${texts(definedBy[kind].map((name) => made + name))}))`,
    );
    const byEvent = `substr(${alias}.feature, 1, ${[...made].length}) = ${quote(made)}`;
    return kept.length === 0 ? `(${byEvent})` : `(${byEvent} AND NOT (${kept.join(' OR ')}))`;
  });
  return `NOT (${named.join(' OR ')})`;
}

const texts = (list: readonly string[]): string => list.map(quote).join(', ');

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A number as a double of both engines; `0.05` alone would be a decimal. */
const real = (value: number): string => value.toExponential();

/** `INSERT INTO` by a subquery, since Athena documents WITH there and not behind INSERT. */
function insert(table: string, columns: readonly string[], query: string): string {
  const names = columns.join(', ');
  return `INSERT INTO ${table} (${names})\nSELECT ${names} FROM (\n${indent(query)}\n) AS made`;
}

const indent = (sql: string): string => sql.replace(/^(?=.)/gm, '  ');

const membersSql = (segments: readonly string[]): string =>
  `SELECT DISTINCT profile_id FROM segment_members WHERE segment_id IN (${texts(segments)}) AND left_at IS NULL`;

/**
 * Every seed profile, and of the others those whose hash is lowest. The first four digits of the hash draw the sample, the
 * next four the fold. `weight` is how many of the population a row stands for.
 */
function sampleSql({ id, seed, definedBy }: LookalikeRule): string {
  const third = (part: number): string =>
    quote(
      Math.floor((part * 0x10000) / FOLDS)
        .toString(16)
        .toUpperCase(),
    );
  const folds = Array.from(
    { length: FOLDS - 1 },
    (_, i) => `WHEN substr(p.hash, 5, 4) < ${third(i + 1)} THEN ${i + 1}`,
  );
  const wanted =
    `least(greatest(${BACKGROUND_PER_SEED} * sum(seeds) OVER (), ${BACKGROUND_BOUNDS.least}), ` +
    `${BACKGROUND_BOUNDS.most})`;
  return insert(
    'lookalike_sample',
    ['lookalike_id', 'profile_id', 'is_seed', 'fold', 'weight'],
    `WITH profiles AS (
  SELECT f.profile_id, CASE WHEN s.profile_id IS NULL THEN 0 ELSE 1 END AS is_seed,
    to_hex(sha256(to_utf8(f.profile_id))) AS hash
  FROM (SELECT DISTINCT f.profile_id FROM features AS f WHERE ${admittedSql('f', definedBy)}) AS f
  LEFT JOIN (${membersSql([seed])}) AS s ON s.profile_id = f.profile_id
),
parts AS (
  SELECT substr(hash, 1, 4) AS part, sum(is_seed) AS seeds, sum(1 - is_seed) AS others
  FROM profiles GROUP BY substr(hash, 1, 4)
),
reached AS (
  SELECT part, sum(others) OVER (ORDER BY part) AS up_to, sum(others) OVER () AS others, ${wanted} AS wanted FROM parts
),
drawn AS (
  SELECT part, up_to <= wanted AS is_drawn, others, max(CASE WHEN up_to <= wanted THEN up_to END) OVER () AS taken
  FROM reached
)
SELECT '${id}' AS lookalike_id, p.profile_id, p.is_seed,
  CASE ${folds.join(' ')} ELSE ${FOLDS} END AS fold,
  CASE WHEN p.is_seed = 1 THEN 1e0 ELSE CAST(d.others AS double) / d.taken END AS weight
FROM profiles AS p
JOIN drawn AS d ON d.part = substr(p.hash, 1, 4)
WHERE p.is_seed = 1 OR d.is_drawn`,
  );
}

/** A sum over the rows that a model learns from, for each model. */
const perModel = (sum: (isLearnt: string) => string, name: string): string =>
  MODELS.map((model) => `${sum(`m.fold <> ${model}`)} AS ${name}_${model}`).join(', ');

/** The column of a model among those of `perModel`. */
const ofModel = (model: string, name: string): string =>
  `CASE ${model} ${MODELS.map((k) => `WHEN ${k} THEN ${name}_${k}`).join(' ')} END`;

const MODEL_ROWS = `(VALUES ${MODELS.map((model) => `(${model})`).join(', ')}) AS models (model)`;

const summed = (what: string) => (isLearnt: string) => `sum(CASE WHEN ${isLearnt} THEN ${what} ELSE 0 END)`;

/**
 * The features of each model: those with the largest two-proportion z between seed and background, ties by family and
 * feature. `j` numbers a feature alike in every model. `effect` is the difference of the rates in units of the deviation
 * within the classes.
 */
function selectionSql({ id, definedBy }: LookalikeRule): string {
  const columns = [
    ...['model', 'j', 'family', 'feature', 'seed_profiles', 'background_profiles', 'seed_size', 'background_size'],
    ...['seed_rate', 'background_rate', 'z', 'deviation', 'effect'],
  ];
  const { least, most } = PRIOR_BOUNDS;
  return insert(
    'lookalike_selection',
    ['lookalike_id', ...columns, 'prior'],
    `WITH sizes AS (
  SELECT ${perModel(summed('m.is_seed'), 'seed_size')}, ${perModel(summed('1 - m.is_seed'), 'background_size')}
  FROM lookalike_sample AS m WHERE m.lookalike_id = '${id}'
),
counts AS (
  SELECT f.family, f.feature, ${perModel(summed('m.is_seed'), 'seed')}, ${perModel(summed('1 - m.is_seed'), 'background')}
  FROM features AS f
  JOIN lookalike_sample AS m ON m.profile_id = f.profile_id
  WHERE m.lookalike_id = '${id}' AND ${admittedSql('f', definedBy)}
  GROUP BY f.family, f.feature
),
of_models AS (
  SELECT model, row_number() OVER (PARTITION BY model ORDER BY family, feature) AS j, family, feature,
    CAST(${ofModel('model', 'seed')} AS double) AS seed_profiles,
    CAST(${ofModel('model', 'background')} AS double) AS background_profiles,
    CAST(${ofModel('model', 'seed_size')} AS double) AS seed_size,
    CAST(${ofModel('model', 'background_size')} AS double) AS background_size
  FROM counts CROSS JOIN sizes CROSS JOIN ${MODEL_ROWS}
),
rates AS (
  SELECT o.*, CAST(seed_profiles AS double) / seed_size AS seed_rate,
    CAST(background_profiles AS double) / background_size AS background_rate,
    CAST(seed_profiles + background_profiles AS double) / (seed_size + background_size) AS rate
  FROM of_models AS o
  WHERE seed_size > 0 AND background_size > 0 AND seed_profiles + background_profiles >= ${LEAST_SUPPORT}
    AND seed_profiles + background_profiles <= seed_size + background_size - ${LEAST_SUPPORT}
),
parted AS (
  SELECT r.*, CAST(seed_rate - background_rate AS double)
      / sqrt(rate * (1 - rate) * (CAST(1 AS double) / seed_size + CAST(1 AS double) / background_size)) AS z,
    sqrt(greatest(
      CAST(seed_profiles * (1 - seed_rate) + background_profiles * (1 - background_rate) AS double)
        / (seed_size + background_size), ${real(LEAST_VARIANCE)})) AS deviation
  FROM rates AS r
),
ranked AS (
  SELECT p.*, CAST(seed_rate - background_rate AS double) / deviation AS effect,
    row_number() OVER (PARTITION BY model ORDER BY z * z DESC, family, feature) AS place
  FROM parted AS p
),
chosen AS (
  SELECT k.*, sqrt(CAST(sum(effect * effect) OVER (PARTITION BY model) AS double)
      / count(*) OVER (PARTITION BY model)) AS mean_effect
  FROM ranked AS k WHERE place <= ${MODEL_FEATURES}
)
SELECT '${id}' AS lookalike_id, ${columns.join(', ')},
  sqrt(greatest(${real(least)}, least(${real(most)}, CAST(greatest(effect, -effect) AS double) / nullif(mean_effect, 0e0)))) AS prior
FROM chosen`,
  );
}

/**
 * The correlation within the classes of the chosen features, from one self-join of the sample, as the matrix, constant and
 * momentum of a heavy-ball step. The bound of the largest eigenvalue is the Frobenius norm.
 */
function gramSql({ id, definedBy }: LookalikeRule): string {
  const columns = ['lookalike_id', 'model', 'i', 'j', 'moved', 'constant', 'momentum'];
  const ridge = real(RIDGE);
  return insert(
    'lookalike_gram',
    columns,
    `WITH present AS (
  SELECT f.profile_id, m.fold, k.j
  FROM features AS f
  JOIN (SELECT DISTINCT family, feature, j FROM lookalike_selection WHERE lookalike_id = '${id}') AS k
    ON k.family = f.family AND k.feature = f.feature
  JOIN lookalike_sample AS m ON m.profile_id = f.profile_id
  WHERE m.lookalike_id = '${id}' AND ${admittedSql('f', definedBy)}
),
pairs AS (
  SELECT m.j AS i, o.j, ${perModel((isLearnt) => `count_if(${isLearnt})`, 'both')}
  FROM present AS m
  JOIN present AS o ON o.profile_id = m.profile_id
  WHERE m.j <= o.j
  GROUP BY m.j, o.j
),
correlations AS (
  SELECT a.model, a.j AS i, b.j, a.prior * a.effect AS target,
    a.prior * b.prior * (CAST(
      coalesce(${ofModel('a.model', 'p.both')}, 0) - a.seed_size * a.seed_rate * b.seed_rate
        - a.background_size * a.background_rate * b.background_rate AS double)
      / ((a.seed_size + a.background_size) * a.deviation * b.deviation)) AS r
  FROM lookalike_selection AS a
  JOIN lookalike_selection AS b ON b.lookalike_id = a.lookalike_id AND b.model = a.model
  LEFT JOIN pairs AS p ON p.i = least(a.j, b.j) AND p.j = greatest(a.j, b.j)
  WHERE a.lookalike_id = '${id}'
),
bounded AS (
  SELECT c.*, sqrt(${ridge} + sqrt(sum(r * r) OVER (PARTITION BY model))) AS upper_root, sqrt(${ridge}) AS lower_root
  FROM correlations AS c
),
stepped AS (
  SELECT b.*, CAST(4 AS double) / ((upper_root + lower_root) * (upper_root + lower_root)) AS step_size,
    CAST((upper_root - lower_root) * (upper_root - lower_root) AS double)
      / ((upper_root + lower_root) * (upper_root + lower_root)) AS momentum
  FROM bounded AS b
)
SELECT '${id}' AS lookalike_id, model, i, j,
  CASE WHEN i = j THEN 1e0 + momentum - step_size * ${ridge} ELSE 0e0 END - step_size * r AS moved,
  CASE WHEN i = j THEN step_size * target ELSE 0e0 END AS constant,
  CASE WHEN i = j THEN momentum ELSE 0e0 END AS momentum
FROM stepped`,
  );
}

/** The steps, from zero: the first is the constant alone, each further one a join of the matrix with the last. */
function solutionSql(id: string): { step: number; sql: string }[] {
  const statements: { step: number; sql: string }[] = [];
  for (let from = 0; from < STEPS; from += STEPS_PER_STATEMENT) {
    const step = from + STEPS_PER_STATEMENT;
    const gram = `(SELECT model, i, j, moved, constant, momentum FROM lookalike_gram WHERE lookalike_id = '${id}')`;
    const first =
      from === 0
        ? `x1 AS (SELECT model, j, constant AS x, 0e0 AS x_before FROM ${gram} AS g WHERE i = j)`
        : `x${from} AS (\n  SELECT model, j, x, x_before FROM lookalike_solution ` +
          `WHERE lookalike_id = '${id}' AND step = ${from}\n)`;
    const later = Array.from({ length: step - Math.max(from, 1) }, (_, i) => {
      const last = Math.max(from, 1) + i;
      return `x${last + 1} AS (
  SELECT g.model, g.i AS j, sum(g.moved * s.x + g.constant - g.momentum * s.x_before) AS x,
    sum(CASE WHEN g.i = g.j THEN s.x ELSE 0e0 END) AS x_before
  FROM ${gram} AS g JOIN x${last} AS s ON s.model = g.model AND s.j = g.j
  GROUP BY g.model, g.i
)`;
    });
    const sql = insert(
      'lookalike_solution',
      ['lookalike_id', 'model', 'step', 'j', 'x', 'x_before'],
      `WITH ${[first, ...later].join(',\n')}\nSELECT '${id}' AS lookalike_id, model, ${step} AS step, j, x, x_before FROM x${step}`,
    );
    statements.push({ step, sql });
  }
  return statements;
}

/** The weights of every model, with what the model's table tells beside them. */
const weightsSql = (id: string): string => `SELECT k.model, k.family, k.feature, k.seed_rate, k.background_rate, k.z,
  CAST(CAST(x.x * k.prior AS double) / k.deviation AS ${WEIGHT_TYPE}) AS weight
FROM lookalike_selection AS k
JOIN lookalike_solution AS x ON x.lookalike_id = k.lookalike_id AND x.model = k.model AND x.j = k.j
WHERE k.lookalike_id = '${id}' AND x.step = ${STEPS}`;

const modelSql = (id: string): string =>
  insert(
    'lookalike_model',
    ['lookalike_id', 'as_of', 'family', 'feature', 'seed_rate', 'background_rate', 'lift', 'z', 'weight'],
    `SELECT '${id}' AS lookalike_id, ? AS as_of, family, feature, seed_rate, background_rate,
  CAST(seed_rate AS double) / nullif(background_rate, 0e0) AS lift, z, CAST(weight AS double) AS weight
FROM (
${indent(weightsSql(id))}
) AS w
WHERE model = 0`,
  );

/**
 * The sample's scores by the models that have not seen them, and what they are held against: `activity`, how many features a
 * profile has, and `chance`, its place by the rest of its hash.
 */
const heldOutSql = ({ id, definedBy }: LookalikeRule): string =>
  insert(
    'lookalike_held_out',
    ['lookalike_id', 'profile_id', 'is_seed', 'weight', 'score', 'activity', 'chance'],
    `SELECT '${id}' AS lookalike_id, profile_id, is_seed, weight, score, activity,
  CAST(row_number() OVER (ORDER BY substr(to_hex(sha256(to_utf8(profile_id))), 9)) AS double) AS chance
FROM (
  SELECT m.profile_id, m.is_seed, m.weight, CAST(coalesce(sum(w.weight), 0) AS double) AS score,
    CAST(count(*) AS double) AS activity
  FROM features AS f
  JOIN lookalike_sample AS m ON m.profile_id = f.profile_id
  LEFT JOIN (
${indent(indent(weightsSql(id)))}
  ) AS w ON w.model = m.fold AND w.family = f.family AND w.feature = f.feature
  WHERE m.lookalike_id = '${id}' AND m.fold <= ${FOLDS} AND ${admittedSql('f', definedBy)}
  GROUP BY m.profile_id, m.is_seed, m.weight
) AS scored`,
  );

/**
 * AUC and lift of the held-out scores, of activity and of chance, and whether the audience may be published. Rows with equal
 * scores count as if they were in random order. The share of a lift is one of the population that the sample stands for.
 */
function qualitySql(id: string): string {
  const methods = { model: 'h.score', activity: 'h.activity', random: 'h.chance' };
  const names = Object.keys(methods);
  const measures = ['auc', ...LIFT_PERCENTS.map((percent) => `lift_${percent}`)];
  const columns = names.flatMap((method) =>
    measures.map((measure) => ({ method, measure, name: method === 'model' ? measure : `${method}_${measure}` })),
  );
  const lift = (percent: number): string => {
    const share = real(percent / 100);
    const within = `greatest(0e0, least(1e0, CAST(${share} * all_mass - above AS double) / mass))`;
    return `CAST(sum(seeds * ${within}) AS double) / (max(all_seeds) * ${share}) AS lift_${percent}`;
  };
  const beats = (baseline: string): string => `auc > ${baseline}_auc AND lift_5 > ${baseline}_lift_5`;
  const [tooSmall, random, activity] = LOOKALIKE_REFUSALS;
  return insert(
    'lookalike_quality',
    ['lookalike_id', 'as_of', 'seed_profiles', 'background_profiles', ...columns.map(({ name }) => name), 'refusal'],
    `WITH judged AS (
  SELECT t.method, h.is_seed, h.weight,
    CASE t.method ${Object.entries(methods)
      .map(([method, score]) => `WHEN '${method}' THEN ${score}`)
      .join(' ')} END AS score
  FROM lookalike_held_out AS h
  CROSS JOIN (VALUES ${names.map((method) => `('${method}')`).join(', ')}) AS t (method)
  WHERE h.lookalike_id = '${id}'
),
equals AS (
  SELECT method, score, CAST(sum(is_seed) AS double) AS seeds, sum((1 - is_seed) * weight) AS others, sum(weight) AS mass
  FROM judged GROUP BY method, score
),
placed AS (
  SELECT e.*, sum(others) OVER (PARTITION BY method ORDER BY score) - others AS below,
    sum(mass) OVER (PARTITION BY method ORDER BY score DESC) - mass AS above,
    sum(seeds) OVER (PARTITION BY method) AS all_seeds, sum(others) OVER (PARTITION BY method) AS all_others,
    sum(mass) OVER (PARTITION BY method) AS all_mass
  FROM equals AS e
),
measured AS (
  SELECT method, CAST(sum(seeds * (below + 5e-1 * others)) AS double) / (max(all_seeds) * max(all_others)) AS auc,
    ${LIFT_PERCENTS.map(lift).join(',\n    ')}
  FROM placed WHERE all_seeds > 0 AND all_others > 0 GROUP BY method
),
beside AS (
  SELECT ${columns.map(({ method, measure, name }) => `max(CASE WHEN method = '${method}' THEN ${measure} END) AS ${name}`).join(',\n    ')}
  FROM measured
),
sizes AS (
  SELECT coalesce(sum(is_seed), 0) AS seed_profiles, coalesce(sum(1 - is_seed), 0) AS background_profiles
  FROM lookalike_sample WHERE lookalike_id = '${id}'
)
SELECT '${id}' AS lookalike_id, ? AS as_of, CAST(seed_profiles AS bigint) AS seed_profiles,
  CAST(background_profiles AS bigint) AS background_profiles, ${columns.map(({ name }) => name).join(', ')},
  CASE WHEN seed_profiles < ${FEWEST_SEED_PROFILES} THEN '${tooSmall}'
    WHEN coalesce(${beats('random')} AND auc > 5e-1 + ${real(STANDARD_ERRORS)} * sqrt(
      CAST(seed_profiles + background_profiles + 1 AS double) / (12e0 * seed_profiles * background_profiles)), false)
    THEN CASE WHEN ${beats('activity')} THEN NULL ELSE '${activity}' END
    ELSE '${random}' END AS refusal
FROM sizes CROSS JOIN beside`,
  );
}

/** Everybody's score who may be a member: the sum of the weights of what a profile has. */
const scoresSql = ({ id, seed, exclude, definedBy }: LookalikeRule): string =>
  insert(
    'lookalike_scores',
    ['lookalike_id', 'profile_id', 'score'],
    `SELECT '${id}' AS lookalike_id, f.profile_id, CAST(coalesce(sum(w.weight), 0) AS double) AS score
FROM features AS f
LEFT JOIN (
  SELECT family, feature, CAST(weight AS ${WEIGHT_TYPE}) AS weight FROM lookalike_model WHERE lookalike_id = '${id}'
) AS w ON w.family = f.family AND w.feature = f.feature
LEFT JOIN (${membersSql([seed, ...exclude])}) AS s ON s.profile_id = f.profile_id
WHERE s.profile_id IS NULL AND ${admittedSql('f', definedBy)}
GROUP BY f.profile_id`,
  );

/**
 * Who is most alike, to the number exactly; of equal scores the first ids. Where the last estimate refuses the audience, or
 * nothing has been measured or scored, the statement fails with the reason in its error: no half of SQL can end a run in
 * another way, and an audience whose statement fails ages out.
 */
function audienceSql({ id, audience }: LookalikeRule): string {
  const wanted = 'share' in audience ? `${real(audience.share)} * everybody` : real(audience.size);
  return `WITH published AS (
  SELECT s.lowest, s.highest, s.everybody, CAST(CASE
      WHEN q.runs = 0 THEN 'lookalike refused: not_measured'
      WHEN q.refusal IS NOT NULL THEN 'lookalike refused: ' || q.refusal
      WHEN s.everybody = 0 THEN 'lookalike refused: not_scored'
      ELSE '1' END AS bigint) AS is_published
  FROM (
    SELECT count(*) AS runs, max_by(refusal, as_of) AS refusal FROM lookalike_quality WHERE lookalike_id = '${id}'
  ) AS q
  CROSS JOIN (
    SELECT min(score) AS lowest, max(score) AS highest, count(*) AS everybody
    FROM lookalike_scores WHERE lookalike_id = '${id}'
  ) AS s
),
parted AS (
  SELECT s.profile_id, s.score, CASE WHEN p.highest > p.lowest
    THEN CAST(${SCORE_PARTS} * (CAST(s.score - p.lowest AS double) / (p.highest - p.lowest)) AS integer) ELSE 0 END AS part
  FROM lookalike_scores AS s CROSS JOIN published AS p
  WHERE s.lookalike_id = '${id}'
),
parts AS (
  SELECT part, sum(profiles) OVER (ORDER BY part DESC) - profiles AS above
  FROM (SELECT part, count(*) AS profiles FROM parted GROUP BY part) AS c
),
limited AS (SELECT is_published * ${wanted} AS wanted FROM published),
placed AS (
  SELECT s.profile_id, l.wanted,
    p.above + row_number() OVER (PARTITION BY s.part ORDER BY s.score DESC, s.profile_id) AS place
  FROM parted AS s JOIN parts AS p ON p.part = s.part CROSS JOIN limited AS l
  WHERE p.above < l.wanted
)
SELECT profile_id FROM placed WHERE place <= wanted`;
}
