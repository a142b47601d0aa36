import type { Construct } from 'constructs';
import type { LineStackProps } from './line-stack.ts';
import { PaulaFunction } from './paula-function.ts';
import { grantRights } from './rights-grants.ts';

/** The function behind the door's routes for access, objection and erasure. */
export class Rights extends PaulaFunction {
  constructor(scope: Construct, id: string, props: LineStackProps) {
    const { state } = props;
    super(scope, id, {
      ...props,
      entry: 'rights',
      key: state.key,
      environment: {
        STREAM_NAME: state.stream.stream.streamName,
        PROFILES_TABLE: state.tables.profiles.tableName,
        CONSENTS_TABLE: state.tables.consents.tableName,
        BUCKET_NAME: state.lake.bucket.bucketName,
        KEYS_SECRET_ID: state.keys.arn,
      },
      // A bundle is held in memory twice, as bytes and as base64.
      memoryMb: 512,
      // API Gateway gives up after 30 s; before that the clients' own limits let the door answer itself.
      timeoutSeconds: 29,
    });
    grantRights(this, state);
  }
}
