import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DataKey } from './data-key.ts';
import { EventStream } from './event-stream.ts';
import { KeysSecret } from './keys-secret.ts';
import { Lake } from './lake.ts';
import type { PaulaStackProps } from './paula-stage.ts';
import { ProfileTables } from './profile-tables.ts';

/** What survives: the key and everything that holds data under it. */
export class StateStack extends Stack {
  readonly key: DataKey;
  readonly stream: EventStream;
  readonly tables: ProfileTables;
  readonly lake: Lake;
  readonly keys: KeysSecret;

  constructor(scope: Construct, id: string, { config, stage, stageName, env }: PaulaStackProps) {
    super(scope, id, {
      env,
      description: 'Paula: what survives a redeploy (key, stream, tables, lake, secret)',
      terminationProtection: stage.removal === 'retain',
      analyticsReporting: false,
    });
    this.key = new DataKey(this, 'Key', { stage });
    this.stream = new EventStream(this, 'Stream', { stage, key: this.key });
    this.tables = new ProfileTables(this, 'Tables', { stage, key: this.key });
    this.lake = new Lake(this, 'Lake', { config, stage, key: this.key });
    this.keys = new KeysSecret(this, 'Keys', { stage, stageName, key: this.key });
  }
}
