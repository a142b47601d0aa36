import { describe, expect, it } from '@jest/globals';
import { stageOf } from '../../domain/config.ts';
import { LEASE_PK } from '../../domain/items.ts';
import { LEASE_HELD_METRIC, SEGMENT_FAILED_METRIC } from '../../domain/metrics.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { buildPlan, LEASE_SECONDS, literalsOf, type Step, unloadPrefix } from '../../domain/plan.ts';
import { planDefinition } from '../../lib/plan-definition.ts';
import config from '../../paula.config.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';
import { type Call, runMachine, ServiceError, type States } from './run-machine.ts';

const targets = {
  partition: 'aws',
  workGroup: 'queries',
  database: 'lake',
  bucket: 'bucket',
  controlTable: 'control',
  publishFunctionArn: 'publish-arn',
  metricsNamespace: 'Paula/prod',
  leaseWaitSeconds: 60,
};
const START = '2026-11-24T11:22:33.120Z';
const AS_OF = new Date(START);
const RUN = 'run-1';
const steps = buildPlan({ config, stage: stageOf(config, 'prod'), bucket: 'bucket', ...readSqlTexts() });

const run = (plan: readonly Step[], answer: (call: Call) => unknown, options: { input?: object; name?: string } = {}) =>
  runMachine(planDefinition(plan, targets) as States, {
    answer,
    input: options.input ?? {},
    execution: { Id: 'arn:of:the:run', Name: options.name ?? RUN, StartTime: START },
  });

/** A Glue table with all the columns, so that nothing has to be added. */
const glueTable = (...columns: object[]) => ({ Table: { StorageDescriptor: { Columns: columns } } });

describe('a run', () => {
  it('takes the lease, runs every step of the plan in order, and gives the lease back', async () => {
    const { calls, status } = await run(steps, () => ({}));
    expect(status).toBe('SUCCEEDED');
    expect(calls[0]?.action).toBe('dynamodb:updateItem');
    expect(calls.at(-1)?.action).toBe('dynamodb:deleteItem');

    const done = calls.filter(({ action }) => !/^(dynamodb|aws-sdk:glue):/.test(action));
    const expected = steps.map((step) => {
      if (step.kind === 'publish')
        return {
          segment: step.segment,
          as_of: START,
          built_at: START,
          prefix: unloadPrefix(step.segment, RUN),
          lifetime_days: step.lifetimeDays,
        };
      if (step.kind === 'create_table' || step.kind === 'add_column') return step.sql;
      const sql = bindPlaceholders(step.sql, literalsOf(step.parameters, AS_OF));
      if (step.kind === 'statement') return sql;
      return `UNLOAD (${sql}) TO 's3://bucket/${unloadPrefix(step.segment, RUN)}' WITH (format = 'JSON')`;
    });
    expect(done.map(({ parameters }) => parameters.QueryString ?? parameters.Payload)).toEqual(expected);
    for (const { action, parameters } of done)
      if (action === 'athena:startQueryExecution.sync')
        expect(parameters).toMatchObject({ WorkGroup: 'queries', QueryExecutionContext: { Database: 'lake' } });
  });

  it('repeats the past where its input names a time, however that is spelt', async () => {
    const { calls } = await run(steps, () => ({}), { input: { as_of: '2026-11-01T01:00:00+01:00' } });
    const texts = calls.map(({ parameters }) => String(parameters.QueryString));
    expect(texts.some((text) => text.includes("TIMESTAMP '2026-11-01 00:00:00.000'"))).toBe(true);
    expect(texts.some((text) => text.includes('2026-11-24'))).toBe(false);
    expect(calls.find(({ action }) => action === 'lambda:invoke')?.parameters.Payload).toMatchObject({
      as_of: '2026-11-01T00:00:00.000Z',
    });
  });

  it('keeps an execution’s name out of the statement’s syntax', async () => {
    const { calls } = await run(steps, () => ({}), { name: "x') TO 's3://elsewhere" });
    const unloads = calls.flatMap(
      ({ parameters }) => String(parameters.QueryString).match(/^UNLOAD[\s\S]*TO '([^']*)'/)?.[1] ?? [],
    );
    expect(unloads.length).toBeGreaterThan(0);
    for (const folder of unloads) expect(folder).toMatch(/^s3:\/\/bucket\/unload\/[a-z0-9_]+\/[A-Za-z0-9_-]+\/$/);
  });

  it('brings any statement through unchanged', async () => {
    const sql = `SELECT '%}', '{% x %}', "ä", 'it''s', '\\', '?' -- 50 % ?\nFROM t\tWHERE at < ? AND n = ?`;
    const plan: Step[] = [{ kind: 'statement', id: 'odd', sql, parameters: ['as_of', { literal: "'%}'" }] }];
    const { calls } = await run(plan, () => ({}));
    expect(calls[1]?.parameters.QueryString).toBe(
      bindPlaceholders(sql, literalsOf(plan[0]?.kind === 'statement' ? plan[0].parameters : [], AS_OF)),
    );
  });
});

describe('the lease', () => {
  const held = new ServiceError('DynamoDB.ConditionalCheckFailedException');

  it('is taken for longer than the run may last, on condition that it is free, expired or ours', async () => {
    const { calls, startedAt } = await run(steps, () => ({}));
    const { parameters } = calls[0] as Call;
    const values = parameters.ExpressionAttributeValues as Record<string, Record<string, string>>;
    expect(parameters).toMatchObject({
      TableName: 'control',
      Key: { pk: { S: LEASE_PK } },
      ConditionExpression: 'attribute_not_exists(pk) OR expires < :now OR #owner = :me',
    });
    const now = Number(values[':now']?.N);
    expect(now).toBeGreaterThanOrEqual(Math.floor(startedAt / 1000));
    expect(Number(values[':expires']?.N) - now).toBe(LEASE_SECONDS);
    expect(values[':me']?.S).toBe('arn:of:the:run');
    expect(planDefinition(steps, targets).TimeoutSeconds).toBeLessThan(LEASE_SECONDS);
  });

  it('is waited for while another writer has it', async () => {
    let looks = 0;
    const { calls, status, waited } = await run(steps, ({ action }) => {
      if (action === 'dynamodb:updateItem' && looks < 3) {
        looks += 1;
        throw held;
      }
      return {};
    });
    expect(status).toBe('SUCCEEDED');
    expect(waited).toBe(45);
    expect(calls.slice(0, 4).map(({ action }) => action)).toEqual(Array(4).fill('dynamodb:updateItem'));
    expect(calls[4]?.action).not.toBe('dynamodb:updateItem');
  });

  it.each([
    ['counted', {}],
    ['even where the count fails', new ServiceError('CloudWatch.ThrottlingException')],
  ])('is left to its owner, with nothing done and nothing released, where it stays held: %s', async (_, counting) => {
    const { calls, status, error, waited } = await run(steps, ({ action }) => {
      if (action === 'dynamodb:updateItem') throw held;
      if (counting instanceof Error) throw counting;
      return counting;
    });
    expect([status, error, waited]).toEqual(['FAILED', 'LeaseStaysHeld', targets.leaseWaitSeconds]);
    const count = calls.pop();
    expect(new Set(calls.map(({ action }) => action))).toEqual(new Set(['dynamodb:updateItem']));
    expect(count).toEqual({
      action: 'aws-sdk:cloudwatch:putMetricData',
      parameters: {
        Namespace: 'Paula/prod',
        MetricData: [{ MetricName: LEASE_HELD_METRIC, Unit: 'Count', Value: 1 }],
      },
    });
  });

  it('is given back by its owner alone, and a lease that was lost meanwhile is no failure', async () => {
    const { calls, status } = await run(steps, ({ action }) => {
      if (action === 'dynamodb:deleteItem') throw held;
      return {};
    });
    expect(status).toBe('SUCCEEDED');
    expect(calls.at(-1)?.parameters).toMatchObject({
      ConditionExpression: '#owner = :me',
      ExpressionAttributeValues: { ':me': { S: 'arn:of:the:run' } },
    });
  });
});

describe('a step that fails', () => {
  const failing = (step: Step) =>
    run([step], ({ action }) => {
      if (action.startsWith('dynamodb') || action.includes('putMetricData')) return {};
      throw new ServiceError('Some.Error');
    });

  it.each(steps.flatMap((step) => (step.branch === undefined ? [[step.id, step] as const] : [])))(
    '%s: ends the run and gives the lease back',
    async (_, step) => {
      const { calls, status, error } = await failing(step);
      expect([status, error]).toEqual(['FAILED', 'Some.Error']);
      expect(calls.at(-1)?.action).toBe('dynamodb:deleteItem');
    },
  );

  it.each(steps.flatMap((step) => (step.branch === 'cart_abandoners' ? [[step.id, step] as const] : [])))(
    '%s: is counted, in total and by its segment, and the run goes on',
    async (_, step) => {
      // A publish tells when the segment was built, which a step before it has read.
      const { calls, status } = await failing(
        step.kind === 'publish'
          ? { kind: 'unload', id: 'x', segment: 'x', sql: '', parameters: [], branch: 'cart_abandoners' }
          : step,
      );
      expect(status).toBe('SUCCEEDED');
      const point = { MetricName: SEGMENT_FAILED_METRIC, Unit: 'Count', Value: 1 };
      const dimensions = { Dimensions: [{ Name: 'segment', Value: 'cart_abandoners' }] };
      expect(calls.find(({ action }) => action.includes('putMetricData'))?.parameters).toEqual({
        Namespace: 'Paula/prod',
        MetricData: [point, { ...point, ...dimensions }],
      });
    },
  );

  it('is tried again, but an UNLOAD only where it never began', () => {
    const definition = JSON.stringify(planDefinition(steps, targets));
    const { States: all } = planDefinition(steps, targets) as {
      States: Record<string, { Branches: { States: Record<string, { Retry?: { ErrorEquals: string[] }[] }> }[] }>;
    };
    const states = all.Run?.Branches[0]?.States ?? {};
    for (const step of steps) {
      const errors = states[step.id]?.Retry?.flatMap(({ ErrorEquals }) => ErrorEquals) ?? [];
      expect(errors).toContain('Athena.TooManyRequestsException');
      expect(errors.includes('States.TaskFailed')).toBe(step.kind !== 'unload');
    }
    expect(definition.length).toBeLessThan(1_000_000);
  });
});

describe('a segment', () => {
  const own = steps.filter(({ branch }) => branch === 'buyers_serum_30');
  const after: Step = { kind: 'statement', id: 'after', sql: 'SELECT 1', parameters: [] };
  const markAt = (at: string) => ({ Item: { at: { S: at } } });
  /** Which steps of the segment and the one after it are done, when its mark is at a time and one of them fails. */
  const doneOf = async (mark: object, fails?: string) => {
    const { calls, status } = await run([...own, after], ({ action, parameters }) => {
      if (action === 'dynamodb:getItem') return mark;
      const sql = String(parameters.QueryString);
      if (fails !== undefined && (fails === 'publish' ? action === 'lambda:invoke' : sql.startsWith(fails)))
        throw new ServiceError('Some.Error');
      return {};
    });
    expect(status).toBe('SUCCEEDED');
    return calls.flatMap(({ action, parameters }) => {
      if (action === 'lambda:invoke') return `publish ${(parameters.Payload as { built_at: string }).built_at}`;
      if (action === 'dynamodb:updateItem' && JSON.stringify(parameters.Key).includes('mark#')) return 'mark';
      if (action.includes('putMetricData')) return 'count';
      const [, verb] = /^(MERGE INTO \w+|UNLOAD|SELECT 1)/.exec(String(parameters.QueryString)) ?? [];
      return verb ?? [];
    });
  };
  const [members, difference, history] = ['MERGE INTO segment_members', 'UNLOAD', 'MERGE INTO audience_history'];
  const onward = (built: string) => [difference, `publish ${built}`, history, 'SELECT 1'];
  const HOUR_BEFORE = '2026-11-24T10:22:33.120Z';
  const LESS = '2026-11-24T10:22:33.121Z';

  it('is built where it never was, or as long ago as its refresh says; else its departures alone are published', async () => {
    expect(await doneOf({})).toEqual([members, 'mark', ...onward(START)]);
    expect(await doneOf(markAt(HOUR_BEFORE))).toEqual([members, 'mark', ...onward(START)]);
    expect(await doneOf(markAt(LESS))).toEqual(onward(LESS));
    // A person goes back to a time before.
    expect(await doneOf(markAt('2026-12-24T00:00:00.000Z'))).toEqual([members, 'mark', ...onward(START)]);
  });

  it('that cannot be built goes on with its last good audience, where it has one', async () => {
    expect(await doneOf(markAt(HOUR_BEFORE), members)).toEqual([members, 'count', ...onward(HOUR_BEFORE)]);
    expect(await doneOf({}, members)).toEqual([members, 'count', 'SELECT 1']);
  });

  it('ends where a later step fails, and the plan goes on', async () => {
    expect(await doneOf(markAt(LESS), difference)).toEqual([difference, 'count', 'SELECT 1']);
    expect(await doneOf(markAt(LESS), 'publish')).toEqual([difference, `publish ${LESS}`, 'count', 'SELECT 1']);
    expect(await doneOf(markAt(LESS), history)).toEqual([...onward(LESS).slice(0, 3), 'count', 'SELECT 1']);
  });

  it('may be the last of the plan, whatever becomes of it', async () => {
    for (const mark of [{}, markAt(LESS), markAt(HOUR_BEFORE)])
      for (const fails of [undefined, members, difference, 'publish', history]) {
        const { status, calls } = await run(own, ({ action, parameters }) => {
          if (action === 'dynamodb:getItem') return mark;
          if (
            fails !== undefined &&
            (fails === 'publish' ? action === 'lambda:invoke' : String(parameters.QueryString).startsWith(fails))
          )
            throw new ServiceError('Some.Error');
          return {};
        });
        expect([status, calls.at(-1)?.action]).toEqual(['SUCCEEDED', 'dynamodb:deleteItem']);
      }
  });
});

it.each([[undefined], ['2026-11-24T11:07:33.120Z'], ['2026-11-01T00:00:00.000Z'], ['2026-12-01T00:00:00.000Z']])(
  'history is added up since the run before: %s',
  async (before) => {
    const own = steps.filter(({ id }) => id === 'profile_days');
    const { calls } = await run(own, ({ action }) =>
      action === 'dynamodb:getItem' && before !== undefined ? { Item: { at: { S: before } } } : {},
    );
    const [step] = own;
    if (step?.kind !== 'statement') throw new Error('no statement');
    const expected = literalsOf(step.parameters, AS_OF, before === undefined ? undefined : new Date(before));
    expect(calls.flatMap(({ parameters }) => parameters.QueryString ?? [])).toEqual([
      bindPlaceholders(step.sql, expected),
    ]);
  },
);

describe('add_column', () => {
  const step: Step = {
    kind: 'add_column',
    id: 'column-events-coupon',
    table: 'events',
    column: 'coupon',
    sql: 'ALTER TABLE',
  };
  const after: Step = { kind: 'statement', id: 'after', sql: 'SELECT 1', parameters: [] };
  const queries = async (table: object, plan: Step[]) => {
    const { calls, status } = await run(plan, ({ action }) => (action === 'aws-sdk:glue:getTable' ? table : {}));
    expect(status).toBe('SUCCEEDED');
    expect(calls[1]).toMatchObject({
      action: 'aws-sdk:glue:getTable',
      parameters: { DatabaseName: 'lake', Name: 'events' },
    });
    return calls.flatMap(({ parameters }) => parameters.QueryString ?? []);
  };

  it.each([
    ['a table that lacks the column', glueTable({ Name: 'event_id' }), ['ALTER TABLE']],
    ['a table without any column', glueTable(), ['ALTER TABLE']],
    [
      'a table that has it',
      glueTable({ Name: 'event_id' }, { Name: 'coupon', Parameters: { 'iceberg.field.current': 'true' } }),
      [],
    ],
    ['a table that has it alone', glueTable({ Name: 'coupon' }), []],
    [
      'a table that had it once',
      glueTable({ Name: 'coupon', Parameters: { 'iceberg.field.current': 'false' } }),
      ['ALTER TABLE'],
    ],
  ])('%s', async (_, table, altered) => {
    expect(await queries(table, [step])).toEqual(altered);
    expect(await queries(table, [step, after])).toEqual([...altered, 'SELECT 1']);
  });
});

it('refuses a plan that no state machine could hold', () => {
  const named = (id: string): Step => ({ kind: 'statement', id, sql: 'SELECT 1', parameters: [] });
  expect(() => planDefinition([], targets)).toThrow('there is no step');
  expect(() => planDefinition([named('a'), named('a')], targets)).toThrow('two steps are called "a"');
  expect(() => planDefinition([named('a'.repeat(81))], targets)).toThrow('too long for the name of a state');
  expect(() => planDefinition([{ kind: 'statement', id: 'a', sql: 'SELECT ?', parameters: [] }], targets)).toThrow(
    '1 placeholders and 0 parameters',
  );
});
