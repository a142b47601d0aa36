import { setTimeout as pause } from 'node:timers/promises';
import type { AwsCalls, AwsResult } from '../engines/aws-calls.ts';
import type { DeployedStage } from './deployed-stage.ts';

const LOOK_EVERY_MS = 100;

/** The rows of a query in the stage's workgroup, as an analyst gets them; throws with Athena's reason where it fails. */
export async function athenaRows({ call }: AwsCalls, stage: DeployedStage, sql: string): Promise<(string | null)[][]> {
  const { QueryExecutionId } = await call('athena', 'start_query_execution', {
    QueryString: sql,
    QueryExecutionContext: { Database: stage.database },
    WorkGroup: stage.workGroup,
  });
  for (;;) {
    const { QueryExecution } = await call('athena', 'get_query_execution', { QueryExecutionId });
    const { State, StateChangeReason } = QueryExecution.Status;
    if (State === 'SUCCEEDED') break;
    if (State === 'FAILED' || State === 'CANCELLED') throw new Error(`Athena: ${StateChangeReason}`);
    await pause(LOOK_EVERY_MS);
  }
  const { ResultSet } = await call('athena', 'get_query_results', { QueryExecutionId });
  // The first row of the first page holds the names.
  return (ResultSet.Rows as AwsResult[])
    .slice(1)
    .map(({ Data }) => (Data as AwsResult[]).map(({ VarCharValue }) => VarCharValue ?? null));
}
