import { Names, Stack } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';
import type { DataKey } from './data-key.ts';
import { ATHENA_RESULTS, type Lake } from './lake.ts';

export interface QueryWorkgroupProps {
  readonly stage: StageConfig;
  readonly lake: Lake;
  readonly key: DataKey;
}

/** Athena's workgroup: where results go, under which key, and how much one statement may scan. No query can override it. */
export class QueryWorkgroup extends Construct {
  readonly workGroupName: string;

  constructor(scope: Construct, id: string, { stage, lake, key }: QueryWorkgroupProps) {
    super(scope, id);
    // CloudFormation makes no name for a workgroup, so it is derived from the path.
    this.workGroupName = Names.uniqueResourceName(this, { separator: '-', maxLength: 100 });
    new CfnWorkGroup(this, 'WorkGroup', {
      name: this.workGroupName,
      description: 'Paula: the plan and the analysts',
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        publishCloudWatchMetricsEnabled: true,
        requesterPaysEnabled: false,
        bytesScannedCutoffPerQuery: stage.scanLimitBytes,
        resultConfiguration: {
          outputLocation: lake.bucket.s3UrlForObject(ATHENA_RESULTS),
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn },
        },
      },
    });
  }

  /** Lets a principal run statements in this workgroup over the account's own catalogue, and stop them. */
  grantRun(grantee: IGrantable): void {
    const { partition, region, account } = Stack.of(this);
    const arn = (resource: string) => `arn:${partition}:athena:${region}:${account}:${resource}`;
    Grant.addToPrincipal({
      grantee,
      actions: ['athena:StartQueryExecution', 'athena:StopQueryExecution', 'athena:GetQueryExecution'],
      resourceArns: [arn(`workgroup/${this.workGroupName}`)],
    });
    Grant.addToPrincipal({
      grantee,
      actions: ['athena:GetDataCatalog'],
      resourceArns: [arn('datacatalog/AwsDataCatalog')],
    });
  }
}
