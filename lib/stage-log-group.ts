import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';
import type { DataKey } from './data-key.ts';

export interface StageLogGroupProps {
  readonly stage: StageConfig;
  readonly key: DataKey;
}

/** A log group under the stage's key and retention. It holds counts and reasons, never an event, so it may go with its stack. */
export class StageLogGroup extends LogGroup {
  constructor(scope: Construct, id: string, { stage, key }: StageLogGroupProps) {
    super(scope, id, {
      retention: retentionOf(stage.logRetentionDays),
      encryptionKey: key,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}

/** CloudWatch knows certain retentions only; throws with the list of them where the stage asks for another. */
export function retentionOf(days: number): RetentionDays {
  const known = Object.values(RetentionDays).filter((value) => typeof value === 'number' && value <= 365);
  if (!known.includes(days))
    throw new Error(`logRetentionDays: CloudWatch Logs has no retention of ${days} days; it has ${known.join(', ')}`);
  return days;
}
