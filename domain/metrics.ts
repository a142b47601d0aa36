/**
 * CloudWatch namespace of the platform's own metrics. One for each stage: two stages may share an account, and an alarm of
 * one must not ring for the other.
 */
export const metricsNamespace = (stageName: string): string => `Paula/${stageName}`;

/** Counts runs of the plan that found the lake's lease held for a whole interval; written by the state machine. */
export const LEASE_HELD_METRIC = 'LeaseHeld';

/** Counts segments whose steps failed in a run of the plan, in total and by segment; written by the state machine. */
export const SEGMENT_FAILED_METRIC = 'SegmentFailed';

/** The door's counters, by reason and in total: what leaves no row, never by person. */
export type DoorMetric =
  | 'Rejected'
  | 'Refused'
  | 'UnknownParameters'
  | 'UnexpandedMacros'
  | 'Redacted'
  | 'CountedOnly'
  | 'StreamFailed'
  | 'StorageRefused'
  /** A TC string, or what stood in its place, that opened no storage, by the reason of a closed list; or a void consent cookie. */
  | 'ConsentSignal'
  /** The function itself failed: it could not reach a table or the keys. */
  | 'Failed';
