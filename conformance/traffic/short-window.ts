import type { AwsCalls, AwsResult } from '../engines/aws-calls.ts';

/** Enough to gather a batch; the stage's own window of a minute would be waited for with every check. */
const SHORT_SECONDS = 1;

/**
 * Shortens the batching window of a function's mapping, by the API and not in the template; answers with what sets it
 * right again.
 */
export async function shortenWindow({ call }: AwsCalls, FunctionName: string): Promise<() => Promise<void>> {
  const { EventSourceMappings } = await call('lambda', 'list_event_source_mappings', { FunctionName });
  const [mapping] = EventSourceMappings as AwsResult[];
  if (!mapping) throw new Error(`${FunctionName} has no event source mapping`);
  const { UUID, MaximumBatchingWindowInSeconds: before } = mapping;
  const set = async (seconds: number): Promise<void> => {
    await call('lambda', 'update_event_source_mapping', { UUID, MaximumBatchingWindowInSeconds: seconds });
  };
  await set(SHORT_SECONDS);
  return () => set(before);
}
