import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { LEASE_PK } from '../domain/items.ts';
import { LEASE_SECONDS } from '../domain/plan.ts';

/**
 * The lease of the lake's one writer, as the state machine holds it on AWS. `take` returns false while another owner has
 * it; the same owner may take it again, so a platform that was killed does not wait for itself. `now` in milliseconds.
 */
export function lakeLease(client: DynamoDBClient, controlTable: string, owner: string) {
  return {
    async take(now: number): Promise<boolean> {
      const seconds = Math.floor(now / 1000);
      return unlessConditionFails(
        client.send(
          new PutItemCommand({
            TableName: controlTable,
            Item: { pk: { S: LEASE_PK }, owner: { S: owner }, expires: { N: String(seconds + LEASE_SECONDS) } },
            ConditionExpression: 'attribute_not_exists(pk) OR #owner = :owner OR expires < :now',
            ExpressionAttributeNames: { '#owner': 'owner' },
            ExpressionAttributeValues: { ':owner': { S: owner }, ':now': { N: String(seconds) } },
          }),
        ),
      );
    },

    /** Gives the lease back; one that has gone to another owner meanwhile stays with it. */
    async release(): Promise<void> {
      await unlessConditionFails(
        client.send(
          new DeleteItemCommand({
            TableName: controlTable,
            Key: { pk: { S: LEASE_PK } },
            ConditionExpression: '#owner = :owner',
            ExpressionAttributeNames: { '#owner': 'owner' },
            ExpressionAttributeValues: { ':owner': { S: owner } },
          }),
        ),
      );
    },
  };
}

async function unlessConditionFails(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
