import { Aws, Duration, Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';
import { pinLogicalId, removalOf } from './pinned.ts';

/** KMS's shortest: a throw-away stage's key should not be billed for a month after it. */
const PENDING_DAYS = 7;

/** The customer-managed key under which all data of the stage stands: stream, tables, lake, secret, logs and alarms. */
export class DataKey extends Key {
  constructor(scope: Construct, id: string, { stage }: { stage: StageConfig }) {
    super(scope, id, {
      description: 'Paula: data of this stage',
      enableKeyRotation: true,
      removalPolicy: removalOf(stage),
      ...(stage.removal === 'destroy' && { pendingWindow: Duration.days(PENDING_DAYS) }),
    });
    pinLogicalId(this, 'DataKey');
    const { partition, region, account } = Stack.of(this);
    // An alarm publishes to its topic as the service, so the key itself must let it.
    this.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:*` },
        },
      }),
    );
    // CloudWatch Logs encrypts with the key itself, and only for log groups of this account and region.
    this.addToResourcePolicy(
      new PolicyStatement({
        principals: [ServicePrincipal.fromStaticServicePrincipleName(`logs.${region}.${Aws.URL_SUFFIX}`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
        resources: ['*'],
        conditions: {
          ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
        },
      }),
    );
  }

  /** Lets a principal write data, through the services that hold it. */
  grantSeal(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({ grantee, actions: ['kms:GenerateDataKey'], resourceArns: [this.keyArn] });
  }

  /**
   * Lets a principal read data, through the services that hold it. DynamoDB needs no more for a write: it opens the table's
   * key on behalf of whoever touches an item, and makes keys by the grant that it got when the table was made.
   */
  grantOpen(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({ grantee, actions: ['kms:Decrypt'], resourceArns: [this.keyArn] });
  }
}
