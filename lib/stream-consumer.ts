import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, type IFunction, MetricType, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Consumer } from '../domain/consumers.ts';
import type { LineStackProps } from './line-stack.ts';
import { PaulaFunction } from './paula-function.ts';

export interface StreamConsumerProps extends LineStackProps {
  readonly consumer: Consumer;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
}

/** One record in flight per shard: a profile's events stay in order, and no two calls fold the same profile. */
const PARALLELIZATION = 1;

/** A function that reads the stream; what it cannot process ends whole in the lake's bucket. */
export class StreamConsumer extends Construct {
  readonly function: PaulaFunction;
  readonly mapping: EventSourceMapping;

  constructor(scope: Construct, id: string, props: StreamConsumerProps) {
    super(scope, id);
    const { consumer, stage, state } = props;
    this.function = new PaulaFunction(this, 'Function', {
      ...props,
      entry: consumer.name,
      key: state.key,
      // One call per shard and no more. Reserved where it matters, so that a flooded door cannot starve the consumers; not
      // in throw-away stages, because a new account's quota leaves nothing to reserve.
      ...(stage.removal === 'retain' && { reservedConcurrency: stage.shards * PARALLELIZATION }),
    });
    state.stream.grantPoll(this.function);
    state.lake.grantKeepFailed(this.function);

    this.mapping = new EventSourceMapping(this, 'Mapping', {
      target: this.function.function,
      eventSourceArn: state.stream.stream.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: consumer.batchSize,
      // Lambda takes whole seconds.
      maxBatchingWindow: Duration.seconds(Math.ceil(consumer.batchingWindowSeconds)),
      parallelizationFactor: PARALLELIZATION,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: consumer.retryAttempts,
      maxRecordAge: Duration.seconds(consumer.maxRecordAgeSeconds),
      // Counts what went to the destination: the function's own errors do not say whether a retry has healed them.
      metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
      supportS3OnFailureDestination: true,
      onFailure: { bind: (_mapping: unknown, _target: IFunction) => ({ destination: state.lake.bucket.bucketArn }) },
    });
  }
}
