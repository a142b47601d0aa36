import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { metricsOf } from '../../bench/lookalike/metrics.ts';
import { seeded } from '../../bench/random.ts';
import { type SimulatedProfile, simulatedProfiles } from '../../conformance/sql/simulated-profiles.ts';
import { type LookalikeRule, lookalikePlan } from '../../domain/lookalike-plan.ts';
import { LOOKALIKE_TABLES } from '../../domain/lookalike-tables.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { duckDbDdl } from '../../domain/tables.ts';
import { DIALECT } from '../../local/duckdb-dialect.ts';
import { ridgeDiscriminant } from './ridge-discriminant.ts';

const AS_OF = "TIMESTAMP '2026-11-24 12:00:00.000'";

const RULE: LookalikeRule = {
  id: 'like_orderers',
  seed: 'orderers',
  audience: { share: 0.05 },
  exclude: [],
  definedBy: { events: ['Order Completed'], products: [], categories: [] },
};

type Row = Record<string, unknown>;
type Lake = Awaited<ReturnType<typeof openLake>>;

let lake: Lake;
beforeEach(async () => {
  lake = await openLake();
});
afterEach(() => lake.close());

async function openLake() {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  const run = async (sql: string): Promise<void> => {
    await connection.run(sql);
  };
  const rows = async (sql: string): Promise<Row[]> => (await connection.runAndReadAll(sql)).getRowObjectsJson();
  for (const sql of [...DIALECT, ...LOOKALIKE_TABLES.map(duckDbDdl)]) await run(sql);
  await run('CREATE TABLE features (profile_id VARCHAR, family VARCHAR, feature VARCHAR)');
  await run('CREATE TABLE segment_members (segment_id VARCHAR, profile_id VARCHAR, left_at TIMESTAMP)');
  const bound = (sql: string, parameters: readonly string[]): string =>
    bindPlaceholders(
      sql,
      parameters.map(() => AS_OF),
    );

  return {
    run,
    rows,

    async put(profiles: readonly SimulatedProfile[], segment = 'orderers'): Promise<void> {
      const appender = await connection.createAppender('features');
      for (const { profileId, features } of profiles)
        for (const { family, feature } of features) {
          for (const value of [profileId, family, feature]) appender.appendVarchar(value);
          appender.endRow();
        }
      appender.closeSync();
      await this.enter(
        segment,
        profiles.filter(({ isSeed }) => isSeed).map(({ profileId }) => profileId),
      );
    },

    async enter(segment: string, profiles: readonly string[]): Promise<void> {
      if (profiles.length > 0)
        await run(
          `INSERT INTO segment_members VALUES ${profiles.map((id) => `('${segment}', '${id}', NULL)`).join(', ')}`,
        );
    },

    /** Runs the statements before the audience. */
    async learn(rule = RULE): Promise<void> {
      for (const { sql, parameters } of lookalikePlan(rule).statements) await run(bound(sql, parameters));
    },

    async audience(rule = RULE): Promise<string[]> {
      const { sql, parameters } = lookalikePlan(rule).audience;
      return (await rows(`SELECT profile_id FROM (${bound(sql, parameters)}) AS q`))
        .map((row) => String(row.profile_id))
        .sort();
    },

    async scores(): Promise<Map<string, number>> {
      const found = await rows('SELECT profile_id, score FROM lookalike_scores');
      return new Map(found.map((row) => [String(row.profile_id), Number(row.score)]));
    },

    async quality(): Promise<Row> {
      const [row] = await rows('SELECT * FROM lookalike_quality');
      return row ?? {};
    },

    async clean(): Promise<void> {
      for (const { sql } of lookalikePlan(RULE).cleanUp) await run(sql);
    },

    close(): void {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

const admitted = ({ features }: SimulatedProfile): string[] =>
  features.flatMap(({ family, feature }) => (feature.startsWith('Order Completed:') ? [] : `${family} ${feature}`));

const shuffled = <T>(list: readonly T[], seed: number): T[] => {
  const random = seeded(seed);
  return list
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
};

describe('the model', () => {
  const profiles = simulatedProfiles({ seed: 3, profiles: 800 });
  const sample = profiles.map((profile) => ({ isSeed: profile.isSeed, features: admitted(profile) }));
  const weights = ridgeDiscriminant(sample);

  it('has the weights of the same arithmetic in dense matrices', async () => {
    await lake.put(profiles);
    await lake.learn();
    const model = await lake.rows('SELECT * FROM lookalike_model');
    expect(model.map((row) => `${row.family} ${row.feature}`).sort()).toEqual([...weights.keys()].sort());
    for (const row of model)
      expect(row.weight).toBeCloseTo(weights.get(`${row.family} ${row.feature}`) ?? Number.NaN, 8);
  });

  it('gives everybody outside the seed the sum of the weights of what they have', async () => {
    await lake.put(profiles);
    await lake.learn();
    const scores = await lake.scores();
    const eligible = profiles.filter(({ isSeed }) => !isSeed);
    expect([...scores.keys()].sort()).toEqual(eligible.map(({ profileId }) => profileId).sort());
    for (const profile of eligible) {
      const score = admitted(profile).reduce((sum, feature) => sum + (weights.get(feature) ?? 0), 0);
      expect(scores.get(profile.profileId)).toBeCloseTo(score, 6);
    }
  });

  it('is solved by twenty steps as far as scores tell', () => {
    const exact = ridgeDiscriminant(sample, true);
    const score = (by: Map<string, number>, features: readonly string[]): number =>
      features.reduce((sum, feature) => sum + (by.get(feature) ?? 0), 0);
    const largest = Math.max(...sample.map(({ features }) => Math.abs(score(exact, features))));
    for (const { features } of sample)
      expect(Math.abs(score(weights, features) - score(exact, features)) / largest).toBeLessThan(0.001);
  });

  it('tells why: the rates of seed and background, and their lift', async () => {
    await lake.put(profiles);
    await lake.learn();
    const seeds = sample.filter(({ isSeed }) => isSeed);
    const others = sample.filter(({ isSeed }) => !isSeed);
    const rate = (of: typeof sample): number =>
      of.filter(({ features }) => features.includes('category Product Viewed:taste-0')).length / of.length;
    const [row] = await lake.rows("SELECT * FROM lookalike_model WHERE feature = 'Product Viewed:taste-0'");
    expect(row?.seed_rate).toBeCloseTo(rate(seeds), 12);
    expect(row?.background_rate).toBeCloseTo(rate(others), 12);
    expect(row?.lift).toBeCloseTo(rate(seeds) / rate(others), 12);
  });

  it('keeps three hundred features, of equal ones the first by family and name', async () => {
    const twins = profiles.map((profile) => {
      const extra = admitted(profile).includes('category Product Viewed:taste-0')
        ? Array.from({ length: 400 }, (_, i) => ({ family: 'twin', feature: `Seen:${String(i).padStart(3, '0')}` }))
        : [];
      return { ...profile, features: [...profile.features, ...extra] };
    });
    await lake.put(twins);
    await lake.learn();
    const model = await lake.rows('SELECT family, feature FROM lookalike_model ORDER BY family, feature');
    expect(model).toHaveLength(300);
    const kept = model.filter(({ family }) => family === 'twin').map(({ feature }) => feature);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept).toEqual(kept.map((_, i) => `Seen:${String(i).padStart(3, '0')}`));
  });

  it('is the same to the last digit whatever the order of the rows, and in a second run', async () => {
    await lake.put(profiles);
    await lake.learn();
    const state = async (of: Lake) => ({
      scores: [...(await of.scores())].sort(),
      quality: await of.quality(),
      audience: await of.audience(),
    });
    const first = await state(lake);
    await lake.learn();
    expect(await state(lake)).toEqual(first);
    const other = await openLake();
    try {
      await other.put(shuffled(profiles, 5));
      await other.learn();
      expect(await state(other)).toEqual(first);
    } finally {
      other.close();
    }
  });
});

describe('events that define the seed', () => {
  const profiles = simulatedProfiles({ seed: 4, profiles: 800 });
  const features = async (): Promise<string[]> =>
    (await lake.rows('SELECT DISTINCT family, feature FROM lookalike_selection')).map(
      (row) => `${row.family} ${row.feature}`,
    );

  it('tell the model nothing', async () => {
    await lake.put(profiles);
    await lake.learn();
    expect((await features()).filter((feature) => feature.includes('Order Completed'))).toEqual([]);
    expect((await lake.quality()).auc).toBeLessThan(0.95);
  });

  it('would tell it everything', async () => {
    await lake.put(profiles);
    await lake.learn({ ...RULE, definedBy: { events: ['Order Refunded'], products: [], categories: [] } });
    expect(await features()).toContain('count Order Completed:1');
    expect((await lake.quality()).auc).toBeGreaterThan(0.99);
  });

  it.each<[string, Partial<LookalikeRule['definedBy']>, string[]]>([
    ['products', { products: ['p1'] }, ['product Order Completed:p2']],
    [
      'categories',
      { categories: ['taste-1'] },
      ['category Order Completed:taste-0', 'category_often Order Completed:taste-0'],
    ],
    [
      'both',
      { products: ['p1'], categories: ['taste-0'] },
      ['product Order Completed:p2', 'category Order Completed:taste-1'],
    ],
  ])('of some %s leave the others, and no sum over all of them', async (_, narrowed, kept) => {
    const ordered = profiles.map((profile, i) => ({
      ...profile,
      features: [
        ...profile.features.filter(({ feature }) => !feature.startsWith('Order Completed:')),
        ...['count:1', 'value:EUR 25-99', 'product:p1', 'product:p2', 'category:taste-0', 'category:taste-1']
          .concat('category_often:taste-0')
          .filter((_feature, k) => (i + k) % 3 !== 0)
          .map((feature) => feature.split(':'))
          .map(([family = '', rest = '']) => ({ family, feature: `Order Completed:${rest}` })),
      ],
    }));
    await lake.put(ordered);
    await lake.learn({ ...RULE, definedBy: { ...RULE.definedBy, ...narrowed } });
    const seen = (await features()).filter((feature) => feature.includes('Order Completed:'));
    // Of a category nothing says which products it has, and of a product not its category.
    const expected = { products: kept, categories: kept, both: kept }[_ as 'products'];
    expect(seen.filter((feature) => !expected.includes(feature))).toEqual([]);
    expect(expected.filter((feature) => !seen.includes(feature))).toEqual([]);
  });
});

describe('people', () => {
  const profiles = simulatedProfiles({ seed: 6, profiles: 2000 });
  const tasteOf = new Map(profiles.map(({ profileId, taste }) => [profileId, taste]));

  it('simulated like the seed rank above the others and are the audience', async () => {
    await lake.put(profiles);
    await lake.learn();
    const scores = [...(await lake.scores())];
    const { auc } = metricsOf(
      Float64Array.from(scores, ([, score]) => score),
      scores.map(([id]) => tasteOf.get(id) === 0),
      Float64Array.from(scores, (_, i) => i),
    );
    expect(auc).toBeGreaterThan(0.9);
    const audience = await lake.audience();
    expect(audience).toHaveLength(Math.floor(scores.length * 0.05));
    // One in seven of those who may be members is like the seed.
    expect(audience.filter((id) => tasteOf.get(id) === 0).length / audience.length).toBeGreaterThan(0.9);
  });

  it('of the seed and of what is excluded are never in the audience', async () => {
    await lake.put(profiles);
    const alike = profiles.filter(({ taste, isSeed }) => taste === 0 && !isSeed).map(({ profileId }) => profileId);
    await lake.enter('suppressed', alike.slice(0, 150));
    const rule = { ...RULE, exclude: ['suppressed'], audience: { size: 60 } };
    await lake.learn(rule);
    const audience = await lake.audience(rule);
    expect(audience).toHaveLength(60);
    const seeds = new Set(profiles.filter(({ isSeed }) => isSeed).map(({ profileId }) => profileId));
    expect(audience.filter((id) => seeds.has(id) || alike.slice(0, 150).includes(id))).toEqual([]);
  });

  it('who have left the seed may be in it', async () => {
    await lake.put(profiles);
    await lake.run(
      "UPDATE segment_members SET left_at = TIMESTAMP '2026-11-01 00:00:00' WHERE profile_id < 'd.simulated-2'",
    );
    await lake.learn({ ...RULE, audience: { share: 0.5 } });
    const left = profiles.filter(({ isSeed, profileId }) => isSeed && profileId < 'd.simulated-2');
    const audience = new Set(await lake.audience({ ...RULE, audience: { share: 0.5 } }));
    expect(left.filter(({ profileId }) => audience.has(profileId)).length).toBeGreaterThan(0);
  });

  it('with equal scores are taken by their ids, to the number exactly', async () => {
    await lake.put(profiles);
    await lake.learn();
    await lake.run("UPDATE lookalike_scores SET score = CASE WHEN profile_id < 'd.simulated-1000' THEN 1 ELSE 0 END");
    const rule = { ...RULE, audience: { size: 100 } };
    const all = [...(await lake.scores())].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    expect(await lake.audience(rule)).toEqual(
      all
        .slice(0, 100)
        .map(([id]) => id)
        .sort(),
    );
  });

  it('with one score all are taken as well', async () => {
    await lake.put(profiles);
    await lake.learn();
    await lake.run('UPDATE lookalike_scores SET score = 2');
    expect(await lake.audience({ ...RULE, audience: { size: 7 } })).toEqual(
      [...(await lake.scores()).keys()].sort().slice(0, 7),
    );
  });
});

describe('the estimate', () => {
  const profiles = simulatedProfiles({ seed: 8, profiles: 1500 });

  it('scores nobody by a model that has seen them', async () => {
    await lake.put(profiles);
    await lake.learn();
    const folds = await lake.rows('SELECT profile_id, fold FROM lookalike_sample');
    const foldOf = new Map(folds.map((row) => [row.profile_id, row.fold]));
    const held = await lake.rows('SELECT profile_id, score FROM lookalike_held_out');
    expect(held).toHaveLength(profiles.length);
    for (const fold of [1, 2, 3]) {
      const weights = ridgeDiscriminant(
        profiles
          .filter(({ profileId }) => foldOf.get(profileId) !== fold)
          .map((profile) => ({ isSeed: profile.isSeed, features: admitted(profile) })),
      );
      const inFold = profiles.filter(({ profileId }) => foldOf.get(profileId) === fold);
      expect(inFold.length).toBeGreaterThan(profiles.length / 4);
      const scoreOf = new Map(held.map((row) => [row.profile_id, row.score]));
      for (const profile of inFold) {
        const score = admitted(profile).reduce((sum, feature) => sum + (weights.get(feature) ?? 0), 0);
        expect(scoreOf.get(profile.profileId)).toBeCloseTo(score, 6);
      }
    }
  });

  it('tells AUC and lift of the held-out scores, beside activity and chance', async () => {
    await lake.put(profiles);
    await lake.learn();
    const held = await lake.rows('SELECT * FROM lookalike_held_out');
    const quality = await lake.quality();
    const positive = held.map((row) => row.is_seed === 1);
    for (const [column, prefix] of [
      ['score', ''],
      ['activity', 'activity_'],
      ['chance', 'random_'],
    ] as const) {
      const scores = held.map((row) => Number(row[column]));
      const { auc } = metricsOf(Float64Array.from(scores), positive, Float64Array.from(scores));
      expect(quality[`${prefix}auc`]).toBeCloseTo(auc, 10);
      for (const percent of [1, 5, 10])
        expect(quality[`${prefix}lift_${percent}`]).toBeCloseTo(expectedLift(scores, positive, percent / 100), 8);
    }
    expect(quality).toMatchObject({ seed_profiles: String(positive.filter(Boolean).length), refusal: null });
    expect(quality.auc).toBeGreaterThan(0.7);
    expect(Math.abs(Number(quality.random_auc) - 0.5)).toBeLessThan(0.1);
  });

  /** The lift that many random orders of equal scores have on average. */
  function expectedLift(scores: readonly number[], positive: readonly boolean[], share: number): number {
    const cut = share * scores.length;
    let found = 0;
    for (const [i, score] of scores.entries()) {
      if (!positive[i]) continue;
      const above = scores.filter((other) => other > score).length;
      const equal = scores.filter((other) => other === score).length;
      found += Math.min(1, Math.max(0, (cut - above) / equal));
    }
    return found / positive.filter(Boolean).length / share;
  }

  it('lets the audience be published once it beats both, and not before it is there', async () => {
    await lake.put(profiles);
    await expect(lake.audience()).rejects.toThrow('lookalike refused: not_measured');
    await lake.learn();
    expect((await lake.audience()).length).toBeGreaterThan(0);
    await lake.clean();
    await expect(lake.audience()).rejects.toThrow('lookalike refused: not_scored');
  });

  it('refuses a seed below a hundred', async () => {
    const [few, rest] = [
      profiles.filter(({ isSeed }) => isSeed).slice(0, 99),
      profiles.filter(({ isSeed }) => !isSeed),
    ];
    await lake.put([...few, ...rest]);
    await lake.learn();
    expect(await lake.quality()).toMatchObject({ seed_profiles: '99', refusal: 'seed_too_small' });
    await expect(lake.audience()).rejects.toThrow('lookalike refused: seed_too_small');
  });

  it('refuses an empty seed, and a lake without features', async () => {
    await lake.learn();
    expect(await lake.quality()).toMatchObject({ seed_profiles: '0', auc: null, refusal: 'seed_too_small' });
    await expect(lake.audience()).rejects.toThrow('lookalike refused: seed_too_small');
    await lake.put(profiles, 'others');
    await lake.learn();
    expect(await lake.quality()).toMatchObject({ seed_profiles: '0', refusal: 'seed_too_small' });
    expect(new Set((await lake.scores()).values())).toEqual(new Set([0]));
  });

  it.each([1, 2, 3])('refuses a seed that was drawn by lot (%i)', async (lot) => {
    const random = seeded(lot);
    await lake.put(profiles.map((profile) => ({ ...profile, isSeed: random() < 0.1 })));
    await lake.learn();
    expect((await lake.quality()).refusal).toBe('no_better_than_random');
    await expect(lake.audience()).rejects.toThrow('lookalike refused: no_better_than_random');
  });

  it('refuses a seed that is nothing but active', async () => {
    const random = seeded(9);
    const active = Array.from({ length: 1500 }, (_, i) => {
      const isSeed = i % 10 === 0;
      const features = Array.from({ length: 60 }, (_f, k) => ({
        family: 'product',
        feature: `Product Viewed:p${k}`,
      })).filter(() => random() < (isSeed ? 0.3 : 0.15));
      return {
        profileId: `d.active-${i}`,
        taste: 0,
        isSeed,
        features: [...features, { family: 'device', feature: 'Page Viewed:tv' }],
      };
    });
    await lake.put(active);
    await lake.learn();
    expect((await lake.quality()).refusal).toBe('no_better_than_activity');
  });
});

describe('the sample', () => {
  it('has the whole seed and the lowest hashes of the others, each for as many as it stands for', async () => {
    await lake.run("INSERT INTO features SELECT 'd.' || i, 'device', 'Page Viewed:tv' FROM range(130000) AS t (i)");
    await lake.enter(
      'orderers',
      Array.from({ length: 200 }, (_, i) => `d.${i * 7}`),
    );
    const [empty, fill] = lookalikePlan(RULE).statements;
    for (const statement of [empty, fill]) await lake.run(statement?.sql ?? '');
    const [row] = await lake.rows(
      `SELECT sum(is_seed)::INTEGER AS seeds, sum(1 - is_seed)::INTEGER AS others,
         sum((1 - is_seed) * weight) AS stands_for, count(DISTINCT weight)::INTEGER AS weights,
         (SELECT max(substr(to_hex(sha256(to_utf8(profile_id))), 1, 4)) FROM lookalike_sample WHERE is_seed = 0) AS last
       FROM lookalike_sample`,
    );
    expect(row?.seeds).toBe(200);
    expect(row?.others).toBeLessThanOrEqual(100_000);
    // Whole parts are drawn, of which there are 65,536.
    expect(row?.others).toBeGreaterThan(99_980);
    expect(row?.stands_for).toBeCloseTo(129_800, 5);
    const below = await lake.rows(
      `SELECT count(*)::INTEGER AS n FROM features
       WHERE substr(to_hex(sha256(to_utf8(profile_id))), 1, 4) <= '${row?.last}'
         AND profile_id NOT IN (SELECT profile_id FROM segment_members)`,
    );
    expect(below[0]?.n).toBe(row?.others);
    const folds = await lake.rows('SELECT count(*)::INTEGER AS n FROM lookalike_sample GROUP BY fold');
    expect(folds).toHaveLength(3);
    for (const { n } of folds) expect(Math.abs(Number(n) - 100_200 / 3)).toBeLessThan(1000);
  });
});
