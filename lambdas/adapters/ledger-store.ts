import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { LEDGER, requestPk, subjectPk } from '../../domain/items.ts';
import { type LedgerItem, ledgerTtl, type RequestItem } from '../../domain/rights.ts';
import type { OpenRequests } from '../erase/deps.ts';
import type { Ledger } from '../rights/deps.ts';
import { batchGet } from './batch-get.ts';
import { tombstoneOf } from './tombstone.ts';

type Attributes = Record<string, AttributeValue>;

/** The erasure ledger and the requests in table `consents`; `random` makes the salt, once for a stage. */
export function ledgerStore(client: DynamoDBClient, table: string, random: () => string): Ledger & OpenRequests {
  const get = async (pk: string, sk: string): Promise<Attributes | undefined> =>
    (
      await client.send(
        new GetItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
      )
    ).Item;
  const put = async (Item: Attributes): Promise<void> => {
    await client.send(new PutItemCommand({ TableName: table, Item }));
  };
  const note = async (hash: string, at: number, attributes: Attributes, ConditionExpression?: string) => {
    const names = Object.keys(attributes);
    const set = names.map((name) => `#${name} = :${name}`);
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { pk: { S: subjectPk(hash) }, sk: { S: LEDGER.subject } },
        UpdateExpression: `SET ${set.join(', ')}, #ttl = :ttl`,
        ...(ConditionExpression !== undefined && { ConditionExpression }),
        ExpressionAttributeNames: { '#ttl': 'ttl', ...Object.fromEntries(names.map((name) => [`#${name}`, name])) },
        ExpressionAttributeValues: {
          ':ttl': { N: String(ledgerTtl(at)) },
          ...Object.fromEntries(names.map((name) => [`:${name}`, attributes[name] as AttributeValue])),
        },
      }),
    );
  };
  let salt: string | undefined;

  return {
    async salt() {
      salt ??= (await get(LEDGER.shared, LEDGER.salt))?.salt?.S;
      if (salt !== undefined) return salt;
      const made = random();
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: { pk: { S: LEDGER.shared }, sk: { S: LEDGER.salt }, salt: { S: made } },
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
        salt = made;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        salt = (await get(LEDGER.shared, LEDGER.salt))?.salt?.S;
      }
      if (salt === undefined) throw new Error('the ledger has no salt');
      return salt;
    },

    hashOf: tombstoneOf,

    async subject(hash) {
      const { erased, objected, access, erasure } = (await get(subjectPk(hash), LEDGER.subject)) ?? {};
      return {
        ...(erased?.N !== undefined && { erased: Number(erased.N) }),
        ...(objected?.N !== undefined && { objected: Number(objected.N) }),
        ...(access?.S !== undefined && { access: access.S }),
        ...(erasure?.S !== undefined && { erasure: erasure.S }),
      } satisfies LedgerItem;
    },

    async noteErasure(hash, request, at) {
      try {
        await note(
          hash,
          at,
          { erased: { N: String(at) }, erasure: { S: request } },
          'attribute_not_exists(erased) OR erased <= :erased',
        );
      } catch (error) {
        // A later erasure stands already.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
    async noteObjection(hash, at) {
      try {
        await note(hash, at, { objected: { N: String(at) } }, 'attribute_not_exists(objected)');
      } catch (error) {
        // The first objection stands.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
    noteAccess: (hash, request, at) => note(hash, at, { access: { S: request } }),

    async save(request, waits) {
      await put(itemOf(request));
      const marker = { pk: { S: LEDGER.open }, sk: { S: request.id } };
      if (waits) await put(marker);
      else await client.send(new DeleteItemCommand({ TableName: table, Key: marker }));
    },

    async request(id) {
      const item = await get(requestPk(id), LEDGER.request);
      return item && requestOf(id, item);
    },

    async openRequests() {
      const ids: string[] = [];
      const query = {
        TableName: table,
        KeyConditionExpression: 'pk = :open',
        ExpressionAttributeValues: { ':open': { S: LEDGER.open } },
        ConsistentRead: true,
      };
      for await (const { Items = [] } of paginateQuery({ client }, query))
        for (const { sk } of Items) if (sk?.S !== undefined) ids.push(sk.S);
      const keys = ids.map((id) => ({ pk: { S: requestPk(id) }, sk: { S: LEDGER.request } }));
      const items = await batchGet(client, table, keys, 'strong');
      return items.map((item) => requestOf((item.pk?.S ?? '').slice(requestPk('').length), item));
    },

    async maintainedAt() {
      return Number((await get(LEDGER.shared, LEDGER.maintenance))?.at?.N ?? 0);
    },

    async noteMaintenance(at) {
      await put({ pk: { S: LEDGER.shared }, sk: { S: LEDGER.maintenance }, at: { N: String(at) } });
    },
  };
}

const texts = (values: readonly string[]): AttributeValue => ({ L: values.map((S) => ({ S })) });

function itemOf(request: RequestItem): Attributes {
  return {
    pk: { S: requestPk(request.id) },
    sk: { S: LEDGER.request },
    right: { S: request.right },
    channel: { S: request.channel },
    received_at: { N: String(request.received_at) },
    state: { S: request.state },
    since: { N: String(request.since) },
    hashes: texts(request.hashes),
    ...(request.subjects && { subjects: texts(request.subjects) }),
    ttl: { N: String(request.ttl) },
  };
}

function requestOf(id: string, item: Attributes): RequestItem {
  const list = (name: string): string[] => (item[name]?.L ?? []).map(({ S = '' }) => S);
  return {
    id,
    right: item.right?.S as RequestItem['right'],
    channel: item.channel?.S as RequestItem['channel'],
    received_at: Number(item.received_at?.N),
    state: item.state?.S as RequestItem['state'],
    since: Number(item.since?.N),
    hashes: list('hashes'),
    ...(item.subjects && { subjects: list('subjects') }),
    ttl: Number(item.ttl?.N),
  };
}
