import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { audiencePk, SK } from '../../domain/items.ts';

/** The audiences of each profile (table `profiles`) and the expiry of each audience (table `control`). */
export function audienceStore(client: DynamoDBClient, tables: { profiles: string; control: string }) {
  const keyOf = (profile: string) => ({ pk: { S: profile }, sk: { S: SK.audiences } });

  return {
    async enter(profile: string, segment: string): Promise<void> {
      await client.send(
        new UpdateItemCommand({
          TableName: tables.profiles,
          Key: keyOf(profile),
          UpdateExpression: 'ADD ids :segment',
          ExpressionAttributeValues: { ':segment': { SS: [segment] } },
        }),
      );
    },

    /** An item whose last audience goes is deleted, unless another one has come in between. */
    async leave(profile: string, segment: string): Promise<void> {
      await unlessConditionFails(async () => {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName: tables.profiles,
            Key: keyOf(profile),
            UpdateExpression: 'DELETE ids :segment',
            // Without it an update would make an empty item for a profile that has none.
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeValues: { ':segment': { SS: [segment] } },
            ReturnValues: 'ALL_NEW',
          }),
        );
        if (Attributes?.ids) return;
        await client.send(
          new DeleteItemCommand({
            TableName: tables.profiles,
            Key: keyOf(profile),
            ConditionExpression: 'attribute_not_exists(ids)',
          }),
        );
      });
    },

    async mark(segment: string, publishedUntil: string, expires: number): Promise<void> {
      await client.send(
        new PutItemCommand({
          TableName: tables.control,
          Item: {
            pk: { S: audiencePk(segment) },
            published_until: { S: publishedUntil },
            expires: { N: String(expires) },
          },
        }),
      );
    },
  };
}

async function unlessConditionFails(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
