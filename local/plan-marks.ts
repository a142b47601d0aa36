import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { markPk } from '../domain/items.ts';

/** The plan's marks in table `control`, as the state machine reads and sets them. */
export function planMarks(client: DynamoDBClient, table: string) {
  const key = (name: string) => ({ TableName: table, Key: { pk: { S: markPk(name) } } });
  return {
    /** The time of a mark; undefined where it has never been set. */
    async get(name: string): Promise<Date | undefined> {
      const { Item } = await client.send(new GetItemCommand({ ...key(name), ConsistentRead: true }));
      return Item?.at?.S === undefined ? undefined : new Date(Item.at.S);
    },

    async set(name: string, at: Date): Promise<void> {
      await client.send(
        new UpdateItemCommand({
          ...key(name),
          UpdateExpression: 'SET #at = :at',
          ExpressionAttributeNames: { '#at': 'at' },
          ExpressionAttributeValues: { ':at': { S: at.toISOString() } },
        }),
      );
    },
  };
}
