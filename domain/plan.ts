/** A value that a statement takes for a `?`: the run's time, or a literal that the configuration gives. */
export type Parameter = 'as_of' | { literal: string };

/**
 * One step of the plan. The state machine is generated from these and the local runner interprets them; neither knows
 * more. SQL is Athena's. `statement` runs one; `add_column` runs only where the table lacks the column; `unload` writes
 * its result as gzipped JSON lines under `unload/<segment>/<run>/`; `publish` hands that prefix to the publish function.
 */
export type Step =
  | { kind: 'statement'; id: string; sql: string; parameters: readonly Parameter[] }
  | { kind: 'add_column'; id: string; table: string; column: string; sql: string }
  | { kind: 'unload'; id: string; segment: string; sql: string; parameters: readonly Parameter[] }
  | { kind: 'publish'; id: string; segment: string };

/** What a `publish` step hands to its function. `as_of` is ISO 8601 with milliseconds and Z. */
export type PublishInput = { segment: string; as_of: string; prefix: string };

/** Where one run's difference of a segment is unloaded to, with its closing slash. `run` names the execution. */
export const unloadPrefix = (segment: string, run: string): string => `unload/${segment}/${run}/`;

/** `as_of` as an Athena literal. */
export const asOfLiteral = (asOf: Date): string => `TIMESTAMP '${asOf.toISOString().slice(0, 23).replace('T', ' ')}'`;
