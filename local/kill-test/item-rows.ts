import { type AttributeValue, type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unpackBought, unpackProfile } from '../../domain/profile-codec.ts';

/** A row of the lake, or an item of DynamoDB with its packed fields in the place of their bytes; values as JSON has them. */
export type Row = Readonly<Record<string, unknown>>;

/** Reads all items of a table. */
export async function* itemRows(client: DynamoDBClient, TableName: string): AsyncGenerator<Row> {
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true }))
    for (const item of Items)
      yield unpacked(Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)])));
}

/** An attribute as a value: a set in a fixed order, since it has none; packed bytes as they are. */
function plain(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return value.N;
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return value.B;
  if (value.SS !== undefined) return [...value.SS].sort();
  if (value.L !== undefined) return value.L.map(plain);
  if (value.M !== undefined)
    return Object.fromEntries(Object.entries(value.M).map(([name, inner]) => [name, plain(inner)]));
  throw new Error(`an attribute of an unknown type: ${Object.keys(value).join()}`);
}

function unpacked({ b, ...item }: Row): Row {
  if (b === undefined) return item;
  if (item.sk === 'profile') return { ...item, ...jsonOf(unpackProfile(b as Uint8Array)) };
  return { ...item, purchases: jsonValue(unpackBought(b as Uint8Array)) };
}

const jsonOf = (value: object): Row =>
  Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, jsonValue(inner)]));

/** Maps as lists of their entries, in their order; big integers as texts. */
function jsonValue(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(([key, inner]) => [key, jsonValue(inner)]);
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(jsonValue);
  return typeof value === 'object' && value !== null ? jsonOf(value) : (value ?? null);
}
