import { describe, expect, it } from '@jest/globals';
import { parseConfig, stageOf } from '../../domain/config.ts';
import { splitAtPlaceholders } from '../../domain/placeholders.ts';
import { asOfLiteral, buildPlan, literalsOf, QUERY_FILES } from '../../domain/plan.ts';
import { parseSegment } from '../../domain/sql-file.ts';
import demo from '../../paula.config.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';

const stage = stageOf(demo, 'local');
const texts = readSqlTexts();
const plan = buildPlan({ config: demo, stage, bucket: 'my-lake', ...texts });

describe('buildPlan', () => {
  it('orders the steps: tables, views, what withdraws, events, features, then each segment to its end', () => {
    expect(plan.map(({ id }) => id)).toEqual([
      ...['events', 'links', 'consents', 'erasures', 'rights', 'features', 'segment_members', 'audience_history'].map(
        (t) => `table-${t}`,
      ),
      'column-erasures-salt',
      ...['view-withdrawals', 'view-live_links', 'view-profile_events', 'view-order_lines'],
      ...['ingest-links', 'ingest-consents', 'ingest-erasures', 'ingest-rights', 'ingest-events', 'features'],
      ...['members', 'difference', 'publish', 'history'].map((step) => `buyers_30d-${step}`),
      ...['members', 'difference', 'publish', 'history'].map((step) => `cart_abandoners-${step}`),
    ]);
  });

  it('gives every placeholder its value, also where a segment stands inside another statement', () => {
    for (const step of plan)
      if ('parameters' in step) expect(splitAtPlaceholders(step.sql)).toHaveLength(step.parameters.length + 1);
    const members = plan.find(({ id }) => id === 'cart_abandoners-members');
    expect(members).toMatchObject({
      parameters: [
        ...['as_of', 'as_of', { literal: String(stage.segmentQuietSeconds) }, 'as_of'],
        ...[
          { literal: "'cart_abandoners'" },
          'as_of',
          { literal: "'cart_abandoners'" },
          { literal: "'cart_abandoners'" },
        ],
        ...['as_of', 'as_of', { literal: "'cart_abandoners'" }, 'as_of'],
      ],
    });
  });

  it("adds the brand's columns to the table and to all that carries an event over", () => {
    const { fields } = demo.trackingPlan;
    const config = parseConfig({
      ...demo,
      trackingPlan: {
        ...demo.trackingPlan,
        fields: {
          ...fields,
          skin_type: { ...fields.skin_type, column: true },
          coupon: { ...fields.coupon, column: true },
        },
      },
    });
    const branded = buildPlan({ config, stage, bucket: 'my-lake', ...texts });
    expect(branded.filter(({ kind }) => kind === 'add_column').map(({ id }) => id)).toEqual([
      'column-events-coupon',
      'column-events-skin_type',
      'column-erasures-salt',
    ]);
    const sqlOf = (id: string) => branded.flatMap((step) => (step.id === id && 'sql' in step ? [step.sql] : [])).join();
    expect(sqlOf('ingest-events').match(/, (c|s)\."coupon", \1\."skin_type"|, "coupon", "skin_type"/g)).toHaveLength(3);
    expect(sqlOf('view-profile_events')).toContain(', e."coupon", e."skin_type"');
  });

  it('refuses a plan that lacks a query, and a segment for a destination that is not configured', () => {
    expect(() =>
      buildPlan({ config: demo, stage, bucket: 'b', queries: texts.queries.slice(1), segments: [] }),
    ).toThrow(`sql/${QUERY_FILES[0]} is missing`);
    const [segment] = texts.segments;
    if (!segment) throw new Error('no segment');
    expect(() =>
      buildPlan({ config: demo, stage, bucket: 'b', ...texts, segments: [{ ...segment, destinations: ['crm'] }] }),
    ).toThrow('destinations: "crm" is not in paula.config.ts');
  });

  it('refuses a segment of a special category, and with explicit consent builds it without an export', () => {
    const [segment] = texts.segments;
    if (!segment) throw new Error('no segment');
    const akne = { ...segment, id: 'akne', file: 'segments/akne.sql' };
    const build = (config: typeof demo, segments: (typeof segment)[]) =>
      buildPlan({ config, stage, bucket: 'b', ...texts, segments });
    expect(() => build(demo, [akne])).toThrow(/^segments\/akne\.sql: id: "akne" tells of health \(GDPR Art\. 9\)/);
    const explicit = {
      ...demo,
      specialCategories: { extraTerms: [], explicitConsentPurpose: 'personalisation' as const },
    };
    expect(() => build(explicit, [akne])).toThrow(/akne\.sql: special\.category: is missing.*\n.*akne\.sql: purpose:/);
    const declared = { ...akne, specialCategory: 'health' as const, purpose: 'personalisation' as const };
    const activation = (plan: ReturnType<typeof build>, id: string) =>
      plan.flatMap((step) =>
        step.kind === 'unload' && step.segment === id ? [/\bfalse AS activation\b/.test(step.sql)] : [],
      );
    const built = build(explicit, [declared, segment]);
    expect(activation(built, 'akne')).toEqual([true]);
    expect(activation(built, segment.id)).toEqual([false]);
  });

  it('spells the time of a run as a literal in UTC', () => {
    const asOf = new Date('2026-11-24T12:00:00.007+01:00');
    expect(asOfLiteral(asOf)).toBe("TIMESTAMP '2026-11-24 11:00:00.007'");
    expect(literalsOf(['as_of', { literal: '8' }], asOf)).toEqual(["TIMESTAMP '2026-11-24 11:00:00.007'", '8']);
  });

  it('reads a segment of its own', () => {
    const text =
      '-- name.de: a\n-- name.en: a\n-- description.de: a\n-- description.en: a\n-- purpose: profile\n-- lifetime: 1 day\nSELECT profile_id FROM profile_events';
    const own = buildPlan({
      config: demo,
      stage,
      bucket: 'b',
      queries: texts.queries,
      segments: [parseSegment('segments/own.sql', text)],
    });
    expect(own.find(({ id }) => id === 'own-publish')).toEqual({
      kind: 'publish',
      id: 'own-publish',
      segment: 'own',
      lifetimeDays: 1,
    });
  });
});
