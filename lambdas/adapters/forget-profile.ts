import { DeleteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SK } from '../../domain/items.ts';

/** Deletes what profiling has made of an id in table `profiles`: profile, purchases and audiences. May be done twice. */
export async function forgetProfile(client: DynamoDBClient, table: string, id: string): Promise<void> {
  for (const sk of [SK.profile, SK.bought, SK.audiences])
    await client.send(new DeleteItemCommand({ TableName: table, Key: { pk: { S: id }, sk: { S: sk } } }));
}
