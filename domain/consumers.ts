import type { StageConfig } from './config.ts';

/** The two functions that read the stream, each at its own pace. */
export type ConsumerName = 'profile' | 'land';

/**
 * How a consumer is fed: the settings of its event-source mapping, on AWS and on the laptop alike. Both also report
 * partial batches and have a failed batch bisected; what fails for good goes to S3 whole.
 */
export type Consumer = {
  name: ConsumerName;
  /** Records per call at most; Lambda's limit of 6 MB per call may end a batch earlier. */
  batchSize: number;
  /** How long records are gathered for a call, in seconds. */
  batchingWindowSeconds: number;
  /** Calls after the first that a record is given. A split of the batch is none of them. */
  retryAttempts: number;
  /** Records older than this are not tried any more but kept in S3, in seconds. */
  maxRecordAgeSeconds: number;
};

/** Enough for a throttled table or a slow object store to come back; then the shard must move on. */
const RETRY_ATTEMPTS = 5;

/** The stream forgets after 24 hours, and silently: what is still unread a few hours before that is saved to S3. */
const MAX_RECORD_AGE_SECONDS = 20 * 3600;

/** A thousand events fold into few writes; more would only make a retry dearer. */
const PROFILE_BATCH_SIZE = 1_000;

/** Lambda's own limit: the fewer and larger the files, the cheaper every scan. */
const LAND_BATCH_SIZE = 10_000;

/** The consumers of a stage. */
export function consumers(stage: StageConfig): Record<ConsumerName, Consumer> {
  const shared = { retryAttempts: RETRY_ATTEMPTS, maxRecordAgeSeconds: MAX_RECORD_AGE_SECONDS };
  return {
    profile: {
      ...shared,
      name: 'profile',
      batchSize: PROFILE_BATCH_SIZE,
      batchingWindowSeconds: stage.profileWindowSeconds,
    },
    land: { ...shared, name: 'land', batchSize: LAND_BATCH_SIZE, batchingWindowSeconds: stage.landWindowSeconds },
  };
}
