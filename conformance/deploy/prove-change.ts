import config from '../../paula.config.ts';
import type { AwsCalls, AwsResult } from '../engines/aws-calls.ts';
import type { Report } from '../report.ts';
import { athenaRows } from './athena-rows.ts';
import { ADDED_FIELD, CHANGED_STAGE } from './changed-app.ts';
import { type DeployedStage, type DeployOptions, deployStage } from './deployed-stage.ts';
import { askForPixel, landedEvent } from './landed-event.ts';
import { runMachine, scheduledRun } from './plan-run.ts';
import { readBack } from './read-back.ts';
import { entryCounts, lostEntries, storedData } from './stored-data.ts';

/**
 * Deploys a changed configuration onto a stage that holds data: every resource stays the one it was, its properties are the
 * new ones, nothing is lost, and the new field has its column in landing at once and in `events` after the next run of the
 * plan, which the schedule starts. Answers with the stage as it is then.
 */
export async function proveChange(
  report: Report,
  options: DeployOptions,
  before: DeployedStage,
): Promise<DeployedStage> {
  const { calls } = options;
  await landedEvent(calls, before, config.stages[CHANGED_STAGE]?.landWindowSeconds ?? 0);
  await runMachine(calls, before.stateMachineArn);
  const events = await eventCount(calls, before);
  const stored = await storedData(calls, before);

  const changedAt = Date.now();
  const after = await deployStage(options);
  await readBack(report, calls, after.state);
  await readBack(report, calls, after.line);

  const replaced = (['state', 'line'] as const).flatMap((stack) =>
    Object.entries(before[stack].physicalIds)
      .filter(([logicalId, id]) => after[stack].physicalIds[logicalId] !== id)
      .map(([logicalId]) => `${before[stack].stackName}/${logicalId}`),
  );
  if (replaced.length === 0) report.ok('a changed retention updates in place', 'no resource was replaced');
  else for (const place of replaced) report.fail('a changed retention updates in place', place);

  const lost = lostEntries(stored, await storedData(calls, after));
  if (lost.length === 0) report.ok('the change loses nothing', entryCounts(stored));
  else for (const store of lost) report.fail('the change loses nothing', store);

  const status = await askForPixel(after.door);
  if (status === 200) report.ok('the door answers under its new collector host', after.door.host);
  else
    report.fail(
      `the door answers ${status} under its new collector host`,
      `${after.line.stackName}: ${after.door.host}`,
    );

  await hasColumn(report, calls, after, 'landing_events', 'at once');
  await scheduledRun(calls, after.stateMachineArn, changedAt);
  report.ok('the schedule starts the plan');
  await hasColumn(report, calls, after, 'events', 'after a run of the plan');
  const [[all, filled] = []] = await athenaRows(calls, after, `SELECT count(*), count(${ADDED_FIELD}) FROM events`);
  if (Number(all) >= events && events > 0 && filled === '0')
    report.ok('the new column keeps the rows that were there', `${events} before, ${all} after, none filled`);
  else report.fail(`events had ${events} rows, now ${all}, ${filled} of them with a value`, `${after.database}.events`);
  return after;
}

async function eventCount(calls: AwsCalls, stage: DeployedStage): Promise<number> {
  const [[count] = []] = await athenaRows(calls, stage, 'SELECT count(*) FROM events');
  return Number(count);
}

async function hasColumn(
  report: Report,
  { call }: AwsCalls,
  { database }: DeployedStage,
  table: string,
  when: string,
): Promise<void> {
  const { Table } = await call('glue', 'get_table', { DatabaseName: database, Name: table });
  const columns = (Table.StorageDescriptor.Columns as AwsResult[]).map(({ Name }) => Name);
  const check = `a field with column: true has its column in ${table} ${when}`;
  if (columns.includes(ADDED_FIELD)) report.ok(check, `${columns.length} columns`);
  else report.fail(check, `${database}.${table}`);
}
