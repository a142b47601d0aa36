import { Duration, Validations } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import { Construct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';
import type { DataKey } from './data-key.ts';
import { pinLogicalId, removalOf } from './pinned.ts';

export interface EventStreamProps {
  readonly stage: StageConfig;
  readonly key: DataKey;
}

/** Kinesis's shortest: an erasure waits it out, and a consumer that is down for longer has its batches in S3. */
const RETENTION_HOURS = 24;

/** The stream between the door and its two consumers. */
export class EventStream extends Construct {
  readonly stream: Stream;
  readonly #key: DataKey;

  constructor(scope: Construct, id: string, { stage, key }: EventStreamProps) {
    super(scope, id);
    this.#key = key;
    this.stream = new Stream(this, 'Stream', {
      streamMode: StreamMode.PROVISIONED,
      shardCount: stage.shards,
      retentionPeriod: Duration.hours(RETENTION_HOURS),
      encryption: StreamEncryption.KMS,
      encryptionKey: key,
      removalPolicy: removalOf(stage),
    });
    pinLogicalId(this.stream, 'EventStream');
    Validations.of(this.stream).acknowledge({
      id: 'AwsSolutions-KDS3',
      reason:
        'The stage’s own key and not aws/kinesis: its policy is ours, and disabling it closes every store at once.',
    });
  }

  /** What the door needs. */
  grantPut(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['kinesis:PutRecords'], resourceArns: [this.stream.streamArn] });
    this.#key.grantSeal(grantee);
  }

  /** What an event-source mapping needs to poll on behalf of its function. */
  grantPoll(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: [
        'kinesis:DescribeStream',
        'kinesis:DescribeStreamSummary',
        'kinesis:GetRecords',
        'kinesis:GetShardIterator',
        'kinesis:ListShards',
      ],
      resourceArns: [this.stream.streamArn],
    });
    this.#key.grantOpen(grantee);
  }
}
