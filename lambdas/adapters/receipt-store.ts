import { type AttributeValue, type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { ReceiptItem } from '../../domain/items.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { proofTtl } from '../../domain/rights.ts';
import type { ReceiptStore } from '../collect/deps.ts';

/**
 * Receipts that are looked at for what stands. A site's string adds one when it says something new, which is rarer than
 * once a day, and an own choice ends the list.
 */
const RECENT = 50;

/** The receipts in table `consents`: they are added and never changed. */
export function receiptStore(client: DynamoDBClient, table: string): ReceiptStore {
  const newest = async (subject: string, Limit: number): Promise<ReceiptItem[]> => {
    const { Items } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :subject',
        ExpressionAttributeValues: { ':subject': { S: subject } },
        ScanIndexForward: false,
        Limit,
        ConsistentRead: true,
      }),
    );
    return (Items ?? []).map(receiptOf);
  };

  return {
    latest: async (subject) => (await newest(subject, 1))[0],

    recent: (subject) => newest(subject, RECENT),

    async append(receipt) {
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item: itemOf(receipt),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    },
  };
}

/** The fields of one text or one number, beside the lists of purposes. */
const TEXTS = [
  'pk',
  'sk',
  'receipt_id',
  'site',
  'method',
  'notice_version',
  'prior_receipt_id',
  'controller',
  'language',
  'notice_digest',
  'legal_basis',
  'region',
  'signal_kind',
  'signal_digest',
  'email_permission',
  'email_text_version',
] as const satisfies readonly (keyof ReceiptItem)[];
const NUMBERS = [
  'given_at',
  'expires_at',
  'signal_updated_at',
  'email_requested_at',
  'email_confirmed_at',
] as const satisfies readonly (keyof ReceiptItem)[];

/** The item, which ends by itself when no claim can need the proof any more. */
function itemOf(receipt: ReceiptItem): Record<string, AttributeValue> {
  const item: Record<string, AttributeValue> = { ttl: { N: String(proofTtl(receipt.expires_at)) } };
  for (const name of ['granted', 'withdrawn'] as const) item[name] = { L: receipt[name].map((S) => ({ S })) };
  for (const name of TEXTS) if (receipt[name] !== undefined) item[name] = { S: receipt[name] };
  for (const name of NUMBERS) if (receipt[name] !== undefined) item[name] = { N: String(receipt[name]) };
  return item;
}

function receiptOf(item: Record<string, AttributeValue>): ReceiptItem {
  const purposes = (name: string): Purpose[] => (item[name]?.L ?? []).map((purpose) => purpose.S as Purpose);
  const texts = TEXTS.flatMap((name) => (item[name]?.S === undefined ? [] : [[name, item[name].S]]));
  const numbers = NUMBERS.flatMap((name) => (item[name]?.N === undefined ? [] : [[name, Number(item[name].N)]]));
  return {
    granted: purposes('granted'),
    withdrawn: purposes('withdrawn'),
    ...Object.fromEntries([...texts, ...numbers]),
  } as ReceiptItem;
}
