import { describe, expect, it } from '@jest/globals';
import { stageOf } from '../../domain/config.ts';
import { buildErasure, type ErasureStep, REQUEST_IDS, requestIdsLiteral } from '../../domain/erasure.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { literalsOf, unloadPrefix } from '../../domain/plan.ts';
import { erasureDefinition } from '../../lib/erasure-definition.ts';
import config from '../../paula.config.ts';
import { readErasureTexts } from '../../sql/erasure-texts.ts';
import { type Call, runMachine, ServiceError, type States } from './run-machine.ts';

const targets = {
  partition: 'aws',
  workGroup: 'queries',
  database: 'lake',
  bucket: 'bucket',
  controlTable: 'control',
  publishFunctionArn: 'publish-arn',
  eraseFunctionArn: 'erase-arn',
  metricsNamespace: 'Paula/prod',
  leaseWaitSeconds: 60,
};
const START = '2026-11-24T11:22:33.120Z';
const RUN = 'run-1';
const steps = buildErasure({ config, stage: stageOf(config, 'prod'), bucket: 'bucket', ...readErasureTexts(config) });
const REQUESTS = requestIdsLiteral(['request-a', 'request-b']);

type Payload = { task: string; cursor?: string };
const taskOf = ({ parameters }: Call): string | undefined => (parameters.Payload as Payload | undefined)?.task;

const run = (answer: (call: Call) => unknown) =>
  runMachine(erasureDefinition(steps, targets) as States, {
    answer,
    input: {},
    execution: { Id: 'arn:of:the:run', Name: RUN, StartTime: START },
  });

/** The function has something to do, and is done with each task at once. */
const busy = (call: Call): unknown =>
  taskOf(call) === 'open' ? { Payload: { idle: false, requests: REQUESTS } } : { Payload: {} };

const bound = (sql: string, literals: readonly string[]): string =>
  bindPlaceholders(
    sql,
    literals.map((literal) => (literal === REQUEST_IDS ? REQUESTS : literal)),
  );

/** What a step must hand to Athena or to the function. */
function expectedOf(step: ErasureStep): unknown {
  if (step.kind === 'call') {
    const { task, segments } = step;
    return { task, as_of: START, run: RUN, ...(segments && { segments }) };
  }
  if (step.kind === 'maintain') return step.sql.replace('{run}', RUN);
  const sql = bound(step.sql, literalsOf(step.parameters, new Date(START)));
  return step.kind === 'statement'
    ? sql
    : `UNLOAD (${sql}) TO 's3://bucket/${unloadPrefix(step.segment, RUN)}' WITH (format = 'JSON')`;
}

describe('a run of the rights job', () => {
  it('looks first, then takes the lease, does every step in order, and gives the lease back', async () => {
    const { calls, status } = await run(busy);
    expect(status).toBe('SUCCEEDED');
    expect(taskOf(calls[0] as Call)).toBe('open');
    expect(calls[1]?.action).toBe('dynamodb:updateItem');
    expect(calls.at(-1)?.action).toBe('dynamodb:deleteItem');
    expect(calls.slice(2, -1).map(({ parameters }) => parameters.QueryString ?? parameters.Payload)).toEqual(
      steps.map(expectedOf),
    );
  });

  it('does nothing, and takes no lease, where nobody has asked', async () => {
    const { calls, status } = await run(() => ({ Payload: { idle: true, requests: "''" } }));
    expect([status, calls.length]).toEqual(['SUCCEEDED', 1]);
  });

  it('calls a walk again from where it has stopped', async () => {
    const cursors: (string | undefined)[] = [];
    const { status } = await run((call) => {
      if (taskOf(call) !== 'objects') return busy(call);
      cursors.push((call.parameters.Payload as Payload).cursor);
      return { Payload: cursors.length < 3 ? { cursor: `at ${cursors.length}` } : {} };
    });
    expect([status, cursors]).toEqual(['SUCCEEDED', [undefined, 'at 1', 'at 2']]);
  });

  it('leaves the requests open and gives the lease back where a step fails', async () => {
    const { calls, status, error } = await run((call) => {
      if (taskOf(call) === 'leftovers') throw new ServiceError('LeftOver');
      return busy(call);
    });
    expect([status, error]).toEqual(['FAILED', 'LeftOver']);
    expect(calls.map(taskOf)).not.toContain('close');
    expect(calls.at(-1)?.action).toBe('dynamodb:deleteItem');
  });

  it('carries times, request ids and texts of ours in its history, and nothing of a person', () => {
    const text = JSON.stringify(erasureDefinition(steps, targets));
    expect(text).not.toMatch(/subject"|(?<!profile_)subjects"|hash_of|\bd\.[A-Za-z0-9_-]{20}|p\.k\d/);
    expect(text.length).toBeLessThan(1_000_000);
  });
});

describe('what Iceberg needs so that bytes go', () => {
  it('is done to every table after the deletes, and looked after before the requests are closed', () => {
    const ids = steps.map(({ id }) => id);
    for (const table of ['events', 'links', 'consents', 'features', 'segment_members', 'erasures', 'rights']) {
      const places = [`properties-${table}`, `optimize-${table}`, `vacuum-${table}`, `files-${table}`].map((id) =>
        ids.indexOf(id),
      );
      expect([table, places.every((place, i) => place > (places[i - 1] ?? ids.indexOf('retention-rights')))]).toEqual([
        table,
        true,
      ]);
    }
    expect(ids.indexOf('leftovers')).toBeGreaterThan(ids.indexOf('files-events'));
    expect(ids.indexOf('close')).toBe(ids.length - 1);
  });

  it('asks for at once where the defaults keep things for days', () => {
    const properties = steps.find(({ id }) => id === 'properties-events');
    expect(properties?.kind === 'maintain' && properties.sql).toBe(
      "ALTER TABLE events SET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds' = '1', " +
        "'vacuum_min_snapshots_to_keep' = '1', 'vacuum_max_metadata_files_to_keep' = '1', " +
        "'optimize_rewrite_delete_file_threshold' = '1')",
    );
  });
});
