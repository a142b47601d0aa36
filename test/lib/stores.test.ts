import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { SK } from '../../domain/items.ts';
import {
  ATHENA_RESULTS,
  BACKUP_DAYS,
  BUNDLES,
  EXPORTS,
  FAILED_BATCHES,
  SCRATCH_DAYS,
  STREAM_HOURS,
  stores,
  UNLOADED,
} from '../../domain/stores.ts';
import { lakeTables } from '../../domain/tables.ts';
import config from '../../paula.config.ts';
import { resourcesOf, type Synthesised, synthesise } from './synthesised.ts';

const SQL = join(import.meta.dirname, '../../sql');

/** Types of which no resource holds data: rights, code, wires, pictures and what only counts. */
const WITHOUT_DATA =
  /^(AWS::(IAM|Lambda|ApiGatewayV2|Scheduler)::|AWS::CloudWatch::(Alarm|Dashboard)$|AWS::(S3::Bucket|SNS::Topic)Policy$|AWS::Glue::Table$|AWS::CDK::Metadata$|Custom::PaulaKeys$)/;

const all = stores(config);
let prod: Synthesised;
beforeAll(() => {
  prod = synthesise('prod');
});

describe('the list of stores', () => {
  it('has every resource of the templates that could hold data', () => {
    const listed = new Set(all.map(({ resource }) => resource));
    for (const { Resources = {} } of [prod.state, prod.line])
      for (const [id, { Type }] of Object.entries(Resources))
        if (!WITHOUT_DATA.test(Type)) expect([Type, id, listed.has(id) || listed.has(Type)]).toEqual([Type, id, true]);
  });

  it('names no resource that is not there', () => {
    const made = Object.entries({ ...prod.state.Resources, ...prod.line.Resources }).flatMap(([id, { Type }]) => [
      id,
      Type,
    ]);
    for (const { resource } of all) expect(made).toContain(resource);
  });

  it('has every table of the lake, every item of the profiles and every prefix that the bucket knows', () => {
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(lakeTables(config).map(({ name }) => name)));
    const items = all.flatMap(({ resource, kind, part }) =>
      resource === 'ProfilesTable' && kind === 'items' ? [part] : [],
    );
    expect(items.sort()).toEqual(Object.values(SK).sort());
    const [[, bucket] = []] = resourcesOf(prod.state, 'AWS::S3::Bucket');
    const { Rules } = (bucket?.Properties.LifecycleConfiguration ?? { Rules: [] }) as {
      Rules: { Prefix?: string; ExpirationInDays?: number }[];
    };
    const objects = new Map(
      all.flatMap(({ kind, part, retention }) => (kind === 'objects' ? [[part, retention.days]] : [])),
    );
    for (const { Prefix, ExpirationInDays } of Rules)
      if (Prefix !== undefined) expect([Prefix, objects.get(Prefix)]).toEqual([Prefix, ExpirationInDays]);
    expect([...objects.keys()].filter((part) => part !== BUNDLES).sort()).toEqual(
      Rules.flatMap(({ Prefix }) => Prefix ?? []).sort(),
    );
  });

  it('has one name for each, and says of each how it is erased, shown and ended', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { name, erasure, access, retention } of all) {
      if (erasure.by === 'none') expect([name, erasure.why.length > 5]).toEqual([name, true]);
      if ('none' in access) expect([name, access.none.length > 5]).toEqual([name, true]);
      expect([name, retention.ends.length > 3]).toEqual([name, true]);
    }
  });

  it('names statements that there are', () => {
    const files = all.flatMap(({ erasure }) => (erasure.by === 'statement' ? [erasure.file] : []));
    expect(files).toHaveLength(9);
    for (const file of files) expect(readFileSync(join(SQL, file), 'utf8')).toMatch(/^-- parameters:/);
  });
});

describe('the windows that an erasure waits out', () => {
  it('are those of the templates', () => {
    expect(prod.state.Resources?.EventStream?.Properties).toMatchObject({ RetentionPeriodHours: STREAM_HOURS });
    for (const [, { Properties }] of resourcesOf(prod.state, 'AWS::DynamoDB::GlobalTable'))
      expect(Properties.Replicas).toMatchObject([
        { PointInTimeRecoverySpecification: { RecoveryPeriodInDays: BACKUP_DAYS } },
      ]);
  });

  it('and the prefixes, too', () => {
    const rules = JSON.stringify(resourcesOf(prod.state, 'AWS::S3::Bucket')[0]?.[1].Properties.LifecycleConfiguration);
    for (const prefix of [FAILED_BATCHES, UNLOADED, ATHENA_RESULTS, EXPORTS]) expect(rules).toContain(`"${prefix}"`);
    expect(rules).toContain(`"ExpirationInDays":${SCRATCH_DAYS}`);
    expect(BUNDLES.startsWith(EXPORTS)).toBe(true);
  });
});
