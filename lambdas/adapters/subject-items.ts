import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { SK, subjectPk } from '../../domain/items.ts';
import { proofTtl } from '../../domain/rights.ts';
import type { ErasedItems } from '../erase/deps.ts';
import type { SubjectItems } from '../rights/deps.ts';
import { forgetProfile } from './forget-profile.ts';
import { plainItem } from './plain-attributes.ts';

type Attributes = Record<string, AttributeValue>;

/** What stands of one subject, by its id, in the two tables: read for an access, written for objection and erasure. */
export function subjectItems(
  client: DynamoDBClient,
  tables: { profiles: string; consents: string },
): SubjectItems & ErasedItems {
  const itemsOf = async (table: string, pk: string): Promise<Attributes[]> => {
    const found: Attributes[] = [];
    const query = {
      TableName: table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
      ConsistentRead: true,
    };
    for await (const { Items = [] } of paginateQuery({ client }, query)) found.push(...Items);
    return found;
  };
  const remove = async (table: string, { pk, sk }: Attributes): Promise<void> => {
    const Key = { pk: pk as AttributeValue, sk: sk as AttributeValue };
    await client.send(new DeleteItemCommand({ TableName: table, Key }));
  };

  return {
    async object(id, at, ttl) {
      await client.send(
        new UpdateItemCommand({
          TableName: tables.profiles,
          Key: { pk: { S: id }, sk: { S: SK.link } },
          UpdateExpression: 'SET objected = if_not_exists(objected, :at), #ttl = :ttl',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':at': { N: String(at) }, ':ttl': { N: String(ttl) } },
        }),
      );
    },

    forgetProfile: (id) => forgetProfile(client, tables.profiles, id),

    forgetLink: (id) => remove(tables.profiles, { pk: { S: id }, sk: { S: SK.link } }),

    async reduceReceipts(id, hash, until) {
      // Added under the hash before it goes: a run that ends in between does both again.
      for (const item of await itemsOf(tables.consents, id)) {
        if (Number(item.given_at?.N) > until) continue;
        // The digest of a TC string leads whoever holds the string to its browser; a proof names nobody.
        const { signal_digest: _, ...kept } = item;
        const Item = { ...kept, pk: { S: subjectPk(hash) }, ttl: { N: String(proofTtl(until)) } };
        await client.send(new PutItemCommand({ TableName: tables.consents, Item }));
        await remove(tables.consents, item);
      }
    },

    async receipts(id) {
      return (await itemsOf(tables.consents, id)).map(plainItem);
    },
  };
}
