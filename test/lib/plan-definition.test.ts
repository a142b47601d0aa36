import { describe, expect, it } from '@jest/globals';
import { stageOf } from '../../domain/config.ts';
import { LEASE_PK } from '../../domain/items.ts';
import { LEASE_HELD_METRIC } from '../../domain/metrics.ts';
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

    const done = calls.slice(1, -1).filter(({ action }) => action !== 'aws-sdk:glue:getTable');
    const expected = steps.map((step) => {
      if (step.kind === 'publish')
        return {
          segment: step.segment,
          as_of: START,
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
      if (action === 'dynamodb:updateItem' && ++looks <= 3) throw held;
      return {};
    });
    expect(status).toBe('SUCCEEDED');
    expect(waited).toBe(45);
    expect(calls.filter(({ action }) => action === 'dynamodb:updateItem')).toHaveLength(4);
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
  it.each(steps.map(({ id }, index) => [id, index] as const))(
    '%s: ends the run and gives the lease back',
    async (_, index) => {
      const failing = steps[index] as Step;
      let seen = 0;
      const { calls, status, error } = await run([failing], ({ action }) => {
        if (action.startsWith('dynamodb')) return {};
        seen += 1;
        throw new ServiceError('Some.Error');
      });
      expect([status, error, seen]).toEqual(['FAILED', 'Some.Error', 1]);
      expect(calls.at(-1)?.action).toBe('dynamodb:deleteItem');
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
