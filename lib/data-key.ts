import { Aws, Duration, Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';
import { pinLogicalId, removalOf } from './pinned.ts';

/** KMS's shortest: a throw-away stage's key should not be billed for a month after it. */
const PENDING_DAYS = 7;

/** What DynamoDB, S3, Secrets Manager and Athena need of a key on behalf of who reads and writes through them. */
const USE = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

/** The customer-managed key under which all data of the stage stands: stream, tables, lake, secret and logs. */
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

  /** Lets a principal read and write data that stands under the key, through the services that hold it. */
  grantUse(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({ grantee, actions: USE, resourceArns: [this.keyArn] });
  }

  /** Lets a principal write data only. */
  grantSeal(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({ grantee, actions: ['kms:GenerateDataKey'], resourceArns: [this.keyArn] });
  }

  /** Lets a principal read data only. */
  grantOpen(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({ grantee, actions: ['kms:Decrypt'], resourceArns: [this.keyArn] });
  }
}
