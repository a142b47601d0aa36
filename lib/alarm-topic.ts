import { CfnOutput, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { DataKey } from './data-key.ts';

export interface AlarmTopicProps {
  readonly key: DataKey;
}

/**
 * Where the alarms of a stage go. Nobody is subscribed: a platform team has a channel of its own, and an address in a
 * template would be personal data in every copy of it. The output is what the team subscribes to.
 */
export class AlarmTopic extends Topic {
  constructor(scope: Construct, id: string, { key }: AlarmTopicProps) {
    super(scope, id, { displayName: 'Paula alarms', masterKey: key, enforceSSL: true });
    const { partition, region, account } = Stack.of(this);
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsPublish',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:*` },
        },
      }),
    );
    new CfnOutput(this, 'Arn', {
      value: this.topicArn,
      description: 'Topic of the alarms: subscribe the on-call to it',
    });
  }
}
