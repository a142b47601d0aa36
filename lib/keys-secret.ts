import { Validations } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';
import { KEYS_TAG } from '../domain/keys.ts';
import type { DataKey } from './data-key.ts';
import { pinLogicalId, removalOf } from './pinned.ts';

export interface KeysSecretProps {
  readonly stage: StageConfig;
  readonly stageName: string;
  readonly key: DataKey;
}

/**
 * The secret that holds the platform's keys. It is made without a value: a value in the template would overwrite every key
 * at the next change of the template, and with the keys all ids would change. `KeysCompletion` fills it.
 */
export class KeysSecret extends Construct {
  readonly arn: string;
  readonly #key: DataKey;

  constructor(scope: Construct, id: string, { stage, stageName, key }: KeysSecretProps) {
    super(scope, id);
    this.#key = key;
    // The L2 construct has no secret without a value.
    const secret = new CfnSecret(this, 'Secret', {
      description: 'Paula: cookie, person, event, identity and write keys',
      kmsKeyId: key.keyArn,
      // CloudFormation makes the name; `npm run keys` finds the secret of a stage by this.
      tags: [{ key: KEYS_TAG, value: stageName }],
    });
    secret.applyRemovalPolicy(removalOf(stage));
    pinLogicalId(secret, 'KeysSecret');
    this.arn = secret.ref;
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Keys rotate by one command (npm run keys), old and new side by side: customer ids and event ids are made with them, so a key that ' +
        'changed by itself would split people in two and count retries twice.',
    });
  }

  grantRead(grantee: IGrantable): void {
    this.#grant(grantee, 'secretsmanager:GetSecretValue');
  }

  grantComplete(grantee: IGrantable): void {
    this.#grant(grantee, 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue');
    this.#key.grantSeal(grantee);
  }

  #grant(grantee: IGrantable, ...actions: string[]): void {
    Grant.addToPrincipal({ grantee, actions, resourceArns: [this.arn] });
    this.#key.grantOpen(grantee);
  }
}
