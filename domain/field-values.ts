import { isCurrency } from './currency.ts';
import { isUnexpandedMacro } from './macros.ts';
import { parseMoney } from './money.ts';
import type { PlannedEventField } from './tracking-plan.ts';

/** What a sender got wrong: the path of the field and the rule, without the value. */
export type Issue = { path: string; rule: string };

/** A line of an order as sent and checked; money is in units of 1/10000. */
export type SentLine = { product_id: string; category?: string; quantity: number; price?: bigint };

/** A checked value by field type: text, currency -> string; integer -> number; decimal -> bigint; boolean; products -> lines. */
export type FieldValue = string | number | bigint | boolean | SentLine[];

/** More lines than the largest order seen in a real shop (541) by a wide margin. */
const MAX_LINES = 2000;
const MAX_INTEGER = 2_147_483_647;

/**
 * Reads one field, or says in `issues` which rule it breaks, with a path from the field on: '' or `[2].price`. Empty values
 * and unexpanded macros are absent: `undefined`.
 */
export function readField(field: PlannedEventField, value: unknown, issues: Issue[]): FieldValue | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && isUnexpandedMacro(value)) return undefined;
  switch (field.type) {
    case 'text':
      return readText(value, field.maxLength, HERE, issues);
    case 'integer':
      return readInteger(value, HERE, issues);
    case 'decimal':
      return readDecimal(value, HERE, issues);
    case 'boolean':
      return readBoolean(value, HERE, issues);
    case 'currency':
      return readCurrency(value, HERE, issues);
    case 'products':
      return readLines(value, issues);
  }
}

/** The path of the field itself. */
const HERE = '';

function readText(value: unknown, maxLength: number, path: string, issues: Issue[]): string | undefined {
  const text = typeof value === 'number' && Number.isFinite(value) ? String(value) : value;
  if (typeof text !== 'string') return refuse(issues, path, 'must be a text');
  if (text.length > maxLength) return refuse(issues, path, `must have at most ${maxLength} characters`);
  return text;
}

function readInteger(value: unknown, path: string, issues: Issue[]): number | undefined {
  const number = typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || Math.abs(number) > MAX_INTEGER)
    return refuse(issues, path, 'must be a whole number of at most 32 bits');
  return number;
}

function readDecimal(value: unknown, path: string, issues: Issue[]): bigint | undefined {
  const money = typeof value === 'string' || typeof value === 'number' ? parseMoney(value) : undefined;
  return money ?? refuse(issues, path, 'must be a decimal with at most 14 digits before and 4 after the point');
}

function readBoolean(value: unknown, path: string, issues: Issue[]): boolean | undefined {
  if (value === true || value === 'true' || value === '1') return true;
  if (value === false || value === 'false' || value === '0') return false;
  return refuse(issues, path, 'must be true or false');
}

function readCurrency(value: unknown, path: string, issues: Issue[]): string | undefined {
  const code = typeof value === 'string' ? value.toUpperCase() : '';
  return isCurrency(code) ? code : refuse(issues, path, 'must be an ISO 4217 currency');
}

function readLines(value: unknown, issues: Issue[]): SentLine[] | undefined {
  if (!Array.isArray(value)) return refuse(issues, HERE, 'must be a list of order lines');
  if (value.length > MAX_LINES) return refuse(issues, HERE, `must have at most ${MAX_LINES} lines`);
  const lines: SentLine[] = [];
  for (let i = 0; i < value.length; i++) {
    const line = readLine(value[i], `[${i}]`, issues);
    if (line) lines.push(line);
  }
  return lines.length > 0 ? lines : undefined;
}

/** A product id or category in a line is held to the length that the plan's standard fields have by default. */
export const MAX_LINE_TEXT = 100;

function readLine(value: unknown, path: string, issues: Issue[]): SentLine | undefined {
  if (typeof value !== 'object' || value === null) return refuse(issues, path, 'must be an order line');
  const sent = value as Record<string, unknown>;
  const productId = readText(sent.product_id ?? '', MAX_LINE_TEXT, `${path}.product_id`, issues);
  if (productId === '') return refuse(issues, `${path}.product_id`, 'is required');
  const category =
    sent.category == null ? undefined : readText(sent.category, MAX_LINE_TEXT, `${path}.category`, issues);
  const quantity = sent.quantity == null ? 1 : readInteger(sent.quantity, `${path}.quantity`, issues);
  const price = sent.price == null ? undefined : readDecimal(sent.price, `${path}.price`, issues);
  if (productId === undefined || quantity === undefined) return undefined;
  return { product_id: productId, quantity, ...(category && { category }), ...(price !== undefined && { price }) };
}

function refuse(issues: Issue[], path: string, rule: string): undefined {
  issues.push({ path, rule });
  return undefined;
}
