import { describe, expect, it } from '@jest/globals';
import { parseLookalike } from '../../domain/lookalike-file.ts';
import { admittedSql, type LookalikeRule, lookalikePlan, lookalikeSegment } from '../../domain/lookalike-plan.ts';
import { type LookalikeQuality, promisedLift, refusalMessage } from '../../domain/lookalike-quality.ts';
import { LOOKALIKE_TABLES } from '../../domain/lookalike-tables.ts';
import { splitAtPlaceholders } from '../../domain/placeholders.ts';
import { outsideSubset } from '../../domain/sql-subset.ts';

const RULE: LookalikeRule = {
  id: 'like_fans',
  seed: 'fans',
  audience: { share: 0.025 },
  exclude: ['buyers'],
  definedBy: { events: ["Buyer's Choice?", 'Größe'], products: ["p'1"], categories: [] },
};

const { statements, audience, cleanUp } = lookalikePlan(RULE);
const all = [...statements, audience, ...cleanUp];

describe('lookalikePlan', () => {
  it.each(all.map(({ id, sql }) => [id, sql]))("keeps %s to Athena's SQL", (_, sql) => {
    expect(outsideSubset(sql, 1)).toEqual([]);
  });

  it.each(all.map((one) => [one.id, one] as const))('has a name for each ? of %s, literals aside', (_, one) => {
    expect(splitAtPlaceholders(one.sql)).toHaveLength(one.parameters.length + 1);
  });

  it('fills every table that it has after emptying it of the last run', () => {
    for (const { name } of LOOKALIKE_TABLES) {
      const first = statements.findIndex(({ sql }) => sql.startsWith(`INSERT INTO ${name} `));
      const emptied = statements.findIndex(({ sql }) => sql.startsWith(`DELETE FROM ${name} WHERE lookalike_id = '`));
      expect([name, first > emptied && emptied >= 0]).toEqual([name, true]);
    }
  });

  it('empties in the end all that holds profiles', () => {
    for (const { name, columns } of LOOKALIKE_TABLES)
      if (columns.some((column) => column.name === 'profile_id'))
        expect(cleanUp.map(({ sql }) => sql)).toContain(`DELETE FROM ${name} WHERE lookalike_id = 'like_fans'`);
  });

  it('names every statement once, and of what it is', () => {
    expect(new Set([...statements, audience].map(({ id }) => id)).size).toBe(statements.length + 1);
    for (const { id } of all) expect(id).toMatch(/^like_fans-[a-z_]+(?:-[a-z_0-9]+)?$/);
  });

  it('is the same for the same lookalike', () =>
    expect(lookalikePlan(RULE)).toEqual({ statements, audience, cleanUp }));
});

describe('lookalikeSegment', () => {
  it('is a segment of the same id, words and lifetime whose rule is the audience', () => {
    const words = ['name.de: A', 'name.en: B', 'description.de: C', 'description.en: D'];
    const rule = [
      'seed: fans',
      'size: 500',
      'purpose: activation',
      'defined.events: Order Completed',
      'lifetime: 9 days',
    ];
    const header = [...words, ...rule, 'destinations: crm'].map((line) => `-- ${line}\n`).join('');
    const lookalike = parseLookalike('lookalikes/like_fans.sql', header);
    expect(lookalikeSegment(lookalike)).toMatchObject({
      id: 'like_fans',
      file: 'lookalikes/like_fans.sql',
      name: { de: 'A', en: 'B' },
      purpose: 'activation',
      lifetimeDays: 9,
      refreshSeconds: 86_400,
      destinations: ['crm'],
      sql: lookalikePlan(lookalike).audience.sql,
      parameters: [],
    });
  });
});

describe('admittedSql', () => {
  it('leaves out by event alone', () => {
    expect(admittedSql('f', { events: ['Order Completed'], products: [], categories: [] })).toBe(
      "NOT ((substr(f.feature, 1, 16) = 'Order Completed:'))",
    );
  });

  it('counts characters and doubles quotes', () => {
    expect(admittedSql('f', { events: ["Größe's 😀"], products: [], categories: [] })).toBe(
      "NOT ((substr(f.feature, 1, 10) = 'Größe''s 😀:'))",
    );
  });

  it('leaves out nothing where nothing defines the seed', () => {
    expect(admittedSql('f', { events: [], products: [], categories: [] })).toBe('true');
  });
});

describe('refusalMessage', () => {
  const quality: LookalikeQuality = {
    lookalike_id: 'like_fans',
    seed_profiles: 99,
    auc: 0.61,
    lift_5: 1.5,
    activity_auc: 0.7,
    activity_lift_5: 2,
    random_auc: 0.5,
    random_lift_5: 1,
    refusal: null,
  };

  it('says nothing of what is published', () => expect(refusalMessage(quality)).toBeUndefined());

  it('says what is too few, what is not beaten, and what to do', () => {
    expect(refusalMessage({ ...quality, refusal: 'seed_too_small' })).toBe(
      'lookalike "like_fans": its seed has 99 profiles with features and needs 100; ' +
        'take a longer time or a wider rule for the seed',
    );
    expect(refusalMessage({ ...quality, refusal: 'no_better_than_activity' })).toContain(
      'AUC 0.610 and lift 1.500 in the best 5 %, and activity has 0.700 and 2.000',
    );
    expect(refusalMessage({ ...quality, refusal: 'no_better_than_random', auc: null, lift_5: null })).toContain(
      'AUC none and lift none in the best 5 %, and random has 0.500 and 1.000',
    );
  });

  it('promises half of the lift, and no loss', () => {
    expect(promisedLift(7)).toBe(3.5);
    expect(promisedLift(1.4)).toBe(1);
  });
});
