import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** An item as JSON has it. Bytes are left out: they are packed, and whoever shows them unpacks them. */
export const plainItem = (item: Record<string, AttributeValue>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) => (value.B === undefined ? [[name, plain(value)]] : [])),
  );

function plain(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.SS !== undefined) return [...value.SS].sort();
  if (value.L !== undefined) return value.L.map(plain);
  return value.M === undefined ? null : plainItem(value.M);
}
