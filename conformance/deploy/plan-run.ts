import { setTimeout as pause } from 'node:timers/promises';
import type { AwsCalls, AwsResult } from '../engines/aws-calls.ts';

/** A run of the plan has some thirty statements, one of the rights job twice as many; a run that waits for another's lease adds that one's time. */
const RUN_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 250;

/** Waits until a run has ended; throws with the error that Step Functions names where it did not succeed. */
export async function runEnded({ call }: AwsCalls, executionArn: string): Promise<void> {
  const until = Date.now() + RUN_WITHIN_MS;
  while (Date.now() < until) {
    const { status, error } = await call('stepfunctions', 'describe_execution', { executionArn });
    if (status === 'SUCCEEDED') return;
    if (status !== 'RUNNING') throw new Error(`the run ended with ${status}: ${error}`);
    await pause(LOOK_EVERY_MS);
  }
  throw new Error(`the run has not ended after ${RUN_WITHIN_MS / 1000} s`);
}

/**
 * Starts a state machine as its schedule does, or as of a time as a person may, and waits for its end.
 */
export async function runMachine(calls: AwsCalls, stateMachineArn: string, asOf?: Date): Promise<void> {
  const input = JSON.stringify(asOf === undefined ? {} : { as_of: asOf.toISOString() });
  const { executionArn } = await calls.call('stepfunctions', 'start_execution', { stateMachineArn, input });
  await runEnded(calls, executionArn);
}

/** Waits for a run that has started after `since` (milliseconds) without anybody's doing, and for its end. */
export async function scheduledRun(calls: AwsCalls, stateMachineArn: string, since: number): Promise<void> {
  const until = Date.now() + RUN_WITHIN_MS;
  while (Date.now() < until) {
    const { executions } = await calls.call('stepfunctions', 'list_executions', { stateMachineArn });
    const started = (executions as AwsResult[]).find(({ startDate }) => Date.parse(startDate) >= since);
    if (started) return runEnded(calls, started.executionArn);
    await pause(LOOK_EVERY_MS);
  }
  throw new Error(`the schedule has not started the plan within ${RUN_WITHIN_MS / 1000} s`);
}
