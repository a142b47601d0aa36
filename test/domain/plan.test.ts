import { describe, expect, it } from '@jest/globals';
import { parseConfig, stageOf } from '../../domain/config.ts';
import { splitAtPlaceholders } from '../../domain/placeholders.ts';
import { asOfLiteral, buildPlan, literalsOf, QUERY_FILES } from '../../domain/plan.ts';
import { parseSegment } from '../../domain/sql-file.ts';
import demo from '../../paula.config.ts';
import { soundSegments } from '../../sql/sound-segments.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';

const stage = stageOf(demo, 'local');
const texts = readSqlTexts();
const plan = buildPlan({ config: demo, stage, bucket: 'my-lake', ...texts });

describe('buildPlan', () => {
  it('orders the steps: tables, views, what withdraws, events, history and what is made of it, then each segment', () => {
    const tables = ['events', 'links', 'consents', 'erasures', 'rights', 'profile_days', 'profile_subjects'];
    const views = ['withdrawals', 'live_links', 'profile_events', 'order_lines', 'profile_history'];
    const ids = plan.map(({ id }) => id);
    expect(ids.filter((id) => id.startsWith('table-')).slice(0, tables.length)).toEqual(
      tables.map((table) => `table-${table}`),
    );
    const after = ids.slice(ids.findLastIndex((id) => /^(table|column)-/.test(id)) + 1);
    expect(after).toEqual([
      ...views.map((view) => `view-${view}`),
      ...['ingest-links', 'ingest-consents', 'ingest-erasures', 'ingest-rights', 'ingest-events'],
      ...['profile_days', 'profile_subjects', 'features', 'profile_features', 'profile_purposes', 'gate'],
      ...texts.segments.flatMap(({ id }) => ['members', 'difference', 'publish', 'history'].map((s) => `${id}-${s}`)),
    ]);
    expect(texts.segments.length).toBeGreaterThan(9);
  });

  it('has no segment that cannot be read or built', () => {
    expect(soundSegments(texts, demo).faults).toEqual([]);
  });

  it('reads events since the run before, back to the first day that ingest may still write; at first all of them', () => {
    const asOf = new Date('2026-11-24T12:00:00Z');
    const since = (before?: string) => literalsOf(['events_since'], asOf, before ? new Date(before) : undefined);
    expect(since('2026-11-24T11:45:00Z')).toEqual(["DATE '2026-11-15'"]);
    expect(since('2026-11-20T00:00:00Z')).toEqual(["DATE '2026-11-11'"]);
    expect(since('2026-12-24T00:00:00Z')).toEqual(["DATE '2026-11-15'"]);
    expect(since()).toEqual(["DATE '2025-10-25'"]);
  });

  it('gives every placeholder its value, also where a segment stands inside another statement', () => {
    for (const step of plan)
      if ('parameters' in step) expect(splitAtPlaceholders(step.sql)).toHaveLength(step.parameters.length + 1);
    const members = plan.find(({ id }) => id === 'cart_abandoners-members');
    expect(members).toMatchObject({
      parameters: [
        ...['as_of', 'as_of', { literal: String(stage.segmentQuietSeconds) }, 'as_of'],
        ...['as_of', { literal: "'profile'" }, 'as_of', { literal: "'cart_abandoners'" }, 'as_of'],
        ...[{ literal: "'cart_abandoners'" }, { literal: "'cart_abandoners'" }],
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
    expect(() => build(demo, [akne])).toThrow(/^segments\/akne\.sql:1: id: "akne" tells of health \(GDPR Art\. 9\)/);
    const explicit = {
      ...demo,
      specialCategories: { extraTerms: [], explicitConsentPurpose: 'personalisation' as const },
    };
    expect(() => build(explicit, [akne])).toThrow(
      /akne\.sql:1: special\.category: is missing.*\n.*akne\.sql:5: purpose:/,
    );
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
      branch: 'own',
      segment: 'own',
      lifetimeDays: 1,
      mark: 'segment#own',
    });
  });
});
