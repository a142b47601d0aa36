import { type AttributeValue, type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { ReceiptItem } from '../../domain/items.ts';
import type { Purpose } from '../../domain/purposes.ts';
import type { ReceiptStore } from '../collect/deps.ts';

/** The receipts in table `consents`: they are added and never changed. */
export function receiptStore(client: DynamoDBClient, table: string): ReceiptStore {
  return {
    async latest(subject) {
      const { Items } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :subject',
          ExpressionAttributeValues: { ':subject': { S: subject } },
          ScanIndexForward: false,
          Limit: 1,
          ConsistentRead: true,
        }),
      );
      const [item] = Items ?? [];
      return item && receiptOf(item);
    },

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

function itemOf(receipt: ReceiptItem): Record<string, AttributeValue> {
  const texts = (purposes: readonly Purpose[]): AttributeValue => ({ L: purposes.map((S) => ({ S })) });
  return {
    pk: { S: receipt.pk },
    sk: { S: receipt.sk },
    receipt_id: { S: receipt.receipt_id },
    site: { S: receipt.site },
    granted: texts(receipt.granted),
    withdrawn: texts(receipt.withdrawn),
    method: { S: receipt.method },
    notice_version: { S: receipt.notice_version },
    given_at: { N: String(receipt.given_at) },
    expires_at: { N: String(receipt.expires_at) },
    ...(receipt.prior_receipt_id !== undefined && { prior_receipt_id: { S: receipt.prior_receipt_id } }),
  };
}

function receiptOf(item: Record<string, AttributeValue>): ReceiptItem {
  const text = (name: string): string => item[name]?.S ?? '';
  const purposes = (name: string): Purpose[] => (item[name]?.L ?? []).map((purpose) => purpose.S as Purpose);
  return {
    pk: text('pk'),
    sk: text('sk'),
    receipt_id: text('receipt_id'),
    site: text('site'),
    granted: purposes('granted'),
    withdrawn: purposes('withdrawn'),
    method: text('method') as ReceiptItem['method'],
    notice_version: text('notice_version'),
    given_at: Number(item.given_at?.N),
    expires_at: Number(item.expires_at?.N),
    ...(item.prior_receipt_id?.S !== undefined && { prior_receipt_id: item.prior_receipt_id.S }),
  };
}
