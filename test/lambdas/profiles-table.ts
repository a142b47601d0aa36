import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamo } from '../../local/dynamo-server.ts';

export const PROFILES = 'profiles';
export const CONTROL = 'control';

/** A DynamoDB of its own on the loopback, with the tables of `profile` and `decide`, both empty. */
export async function startTables(): Promise<{ client: DynamoDBClient; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'paula-tables-'));
  const region = 'eu-central-1';
  const engine = await startDynamo(folder, region, [
    { name: PROFILES, sk: true },
    { name: CONTROL, sk: false },
  ]);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: engine.endpoint, region, credentials });
  return {
    client,
    async stop() {
      client.destroy();
      await engine.stop();
      await rm(folder, { recursive: true });
    },
  };
}
