import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type LinkItem, MAX_SIBLINGS, SK } from '../../domain/items.ts';
import type { LinkStore } from '../collect/deps.ts';
import { forgetProfile } from './forget-profile.ts';
import { linkItemOf } from './link-item.ts';

/** Two doors that link devices of one person at once re-read and try again; more than a few in a row is a fault. */
const ATTEMPTS = 8;

/** The link items in table `profiles`, and whether a profile stands beside one. */
export function linkStore(client: DynamoDBClient, table: string): LinkStore {
  const key = (id: string) => ({ pk: { S: id }, sk: { S: SK.link } });

  const readOne = async (id: string): Promise<LinkItem | undefined> => {
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key(id), ConsistentRead: true }));
    return Item && linkItemOf(Item);
  };

  /**
   * Rewrites a person's devices from what was read, unless another door was faster: each rewrite raises `revision`.
   * Each device then gets a copy, so that a decision finds the others without a read more; an older copy never
   * replaces a newer one.
   */
  const rewriteSiblings = async (
    person: string,
    change: (siblings: string[]) => string[],
    ttl: number | undefined,
  ): Promise<void> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { siblings: before = [], revision = 0 } = (await readOne(person)) ?? {};
      const after = change(before);
      if (after.length === before.length && after.every((device, i) => device === before[i])) return;
      const values = { ':after': { L: after.map((S) => ({ S })) }, ':next': { N: String(revision + 1) } };
      const done = await conditionally(client, {
        TableName: table,
        Key: key(person),
        UpdateExpression: `SET siblings = :after, revision = :next${ttl === undefined ? '' : ', #ttl = :ttl'}`,
        ConditionExpression: revision === 0 ? 'attribute_not_exists(revision)' : 'revision = :revision',
        ...(ttl !== undefined && { ExpressionAttributeNames: { '#ttl': 'ttl' } }),
        ExpressionAttributeValues: {
          ...values,
          ...(revision > 0 && { ':revision': { N: String(revision) } }),
          ...(ttl !== undefined && { ':ttl': { N: String(ttl) } }),
        },
      });
      if (!done) continue;
      await Promise.all(
        after.map((device) =>
          conditionally(client, {
            TableName: table,
            Key: key(device),
            UpdateExpression: 'SET siblings = :after, revision = :next',
            ConditionExpression: 'person = :person AND (attribute_not_exists(revision) OR revision < :next)',
            ExpressionAttributeValues: { ...values, ':person': { S: person } },
          }),
        ),
      );
      return;
    }
    throw new Error('the devices of a person could not be rewritten: too many doors at once');
  };

  return {
    async read(ids) {
      const items = await Promise.all(ids.map(readOne));
      return new Map(items.flatMap((item) => (item ? [[item.pk, item] as const] : [])));
    },

    async hasProfile(id) {
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: table,
          Key: { pk: { S: id }, sk: { S: SK.profile } },
          ProjectionExpression: 'pk',
          ConsistentRead: true,
        }),
      );
      return Item !== undefined;
    },

    async link({ device, person, since, receipt, ttl, personTtl }) {
      const linked = await conditionally(client, {
        TableName: table,
        Key: key(device),
        UpdateExpression: 'SET person = :person, since = :since, receipt = :receipt, #ttl = :ttl',
        ConditionExpression: 'attribute_not_exists(person) OR person = :person',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          ':person': { S: person },
          ':since': { N: String(since) },
          ':receipt': { S: receipt },
          ':ttl': { N: String(ttl) },
        },
      });
      const add = (siblings: string[]) =>
        siblings.includes(device) ? siblings : [...siblings, device].slice(-MAX_SIBLINGS);
      if (linked) await rewriteSiblings(person, add, personTtl);
      return linked;
    },

    async unlink(device, person) {
      await conditionally(client, {
        TableName: table,
        Key: key(device),
        UpdateExpression: 'REMOVE person, since, receipt, siblings, revision',
        ConditionExpression: 'person = :person',
        ExpressionAttributeValues: { ':person': { S: person } },
      });
      await rewriteSiblings(person, (siblings) => siblings.filter((sibling) => sibling !== device), undefined);
    },

    async noteConsent(id, { withdrawn, regranted, at, ttl }) {
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: key(id),
          UpdateExpression:
            'SET withdrawn = if_not_exists(withdrawn, :none), regranted = if_not_exists(regranted, :none), #ttl = :ttl',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':none': { M: {} }, ':ttl': { N: String(ttl) } },
        }),
      );
      const noted = [
        ...withdrawn.map((purpose) => ['withdrawn', purpose] as const),
        ...regranted.map((purpose) => ['regranted', purpose] as const),
      ];
      const noteAll = (notes: typeof noted): Promise<boolean> =>
        conditionally(client, {
          TableName: table,
          Key: key(id),
          UpdateExpression: `SET ${notes.map(([map, purpose]) => `${map}.#${purpose} = :at`).join(', ')}`,
          ConditionExpression: notes
            .map(([map, purpose]) => `(attribute_not_exists(${map}.#${purpose}) OR ${map}.#${purpose} <= :at)`)
            .join(' AND '),
          // `storage` is one of DynamoDB's reserved words.
          ExpressionAttributeNames: Object.fromEntries(notes.map(([, purpose]) => [`#${purpose}`, purpose])),
          ExpressionAttributeValues: { ':at': { N: String(at) } },
        });
      if (noted.length === 0 || (await noteAll(noted))) return;
      // A later choice has been noted already: what it does not speak of is noted one by one.
      for (const note of noted) await noteAll([note]);
    },

    forgetProfile: (id) => forgetProfile(client, table, id),
  };
}

async function conditionally(
  client: DynamoDBClient,
  input: ConstructorParameters<typeof UpdateItemCommand>[0],
): Promise<boolean> {
  try {
    await client.send(new UpdateItemCommand(input));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
