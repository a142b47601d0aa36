import fc from 'fast-check';
import type { StreamedEvent } from '../../domain/fold.ts';
import type { EventRecord, OrderLine } from '../../domain/stream-record.ts';

export const SHARD = 'shardId-000000000000';
export const DEVICE = `d.${'D'.repeat(43)}`;

/** 2026-06-01T00:00:00Z */
export const START = Date.UTC(2026, 5, 1);

/** A sequence number as long as Kinesis' own. */
export const sequenceOf = (n: number): string => `4954541653408${String(n).padStart(43, '0')}`;

/** An event id as the door makes it: 256 bits, base64url. */
export const eventId = (n: number): string => {
  const bytes = new Uint8Array(32).map((_, i) => (n * 2654435761 + i * 40503) >>> (i % 24));
  bytes.set([n & 255, (n >>> 8) & 255, (n >>> 16) & 255], 0);
  return Buffer.from(bytes).toString('base64url');
};

export function event(n: number, over: Partial<EventRecord> = {}): EventRecord {
  return {
    kind: 'event',
    schema_version: 1,
    event_id: eventId(n),
    source: 'web',
    site: 'shop',
    event: 'Page Viewed',
    occurred_at: START + n * 60_000,
    received_at: START + n * 60_000 + 40,
    device_id: DEVICE,
    is_bot: false,
    purposes: ['storage', 'profile'],
    basis: 'consent',
    ...over,
  };
}

export const orderOf = (n: number, lines: readonly OrderLine[], over: Partial<EventRecord> = {}): EventRecord =>
  event(n, {
    event: 'Order Completed',
    order_id: `A-${n}`,
    value: '49.9',
    currency: 'EUR',
    properties: { products: JSON.stringify(lines) },
    ...over,
  });

/** Puts records on the stream in the order given, from a sequence number on. */
export const streamed = (records: readonly EventRecord[], from = 1, shard = SHARD): StreamedEvent[] =>
  records.map((record, i) => ({ record, shard, sequence: sequenceOf(from + i) }));

const oneOf = (...values: string[]) => fc.constantFrom(...values);

/** Few enough different values that no bound evicts anything; times need not follow the order of arrival. */
const anyDetails = fc.record(
  {
    campaign: oneOf('spring', 'summer', 'autumn'),
    placement: oneOf('top', 'side'),
    utm_source: oneOf('google', 'newsletter'),
    utm_campaign: oneOf('spring', 'brand'),
    referrer_host: oneOf('www.example.org'),
    product_id: oneOf('SKU-1', 'SKU-2', 'SKU-3', 'SKU-4'),
    category: oneOf('face/care', 'lips/colour'),
    quantity: fc.integer({ min: 1, max: 4 }),
    value: oneOf('9.9', '120', '0.0001'),
    currency: oneOf('EUR', 'GBP', 'PLN'),
  },
  { requiredKeys: [] },
);

const anyName = oneOf(
  'Ad Impression',
  'Page Viewed',
  'Product Viewed',
  'Product Added',
  'Order Completed',
  'Order Refunded',
  'Order Cancelled',
);

const anyLines = fc.array(
  fc.record(
    {
      product_id: oneOf('SKU-1', 'SKU-2', 'SKU-5', 'SKU-6'),
      category: oneOf('face/care', 'lips/colour'),
      quantity: fc.integer({ min: 1, max: 3 }),
    },
    { requiredKeys: ['product_id', 'quantity'] },
  ),
  { minLength: 1, maxLength: 4 },
);

/** Up to `max` different events of one profile, within a year and 13 months apart at most. */
export const anyEvents = (max: number): fc.Arbitrary<EventRecord[]> =>
  fc
    .array(
      fc.record({
        name: anyName,
        at: fc.integer({ min: 0, max: 395 * 86_400_000 }),
        details: anyDetails,
        lines: fc.option(anyLines),
      }),
      { minLength: 1, maxLength: max },
    )
    .map((drawn) =>
      drawn.map(({ name, at, details, lines }, n) => {
        const back = name === 'Order Refunded' || name === 'Order Cancelled';
        return event(n, {
          ...details,
          event: name,
          occurred_at: START + at,
          received_at: START + at + 40,
          order_id: `A-${n}`,
          ...(back && details.value !== undefined && { value: `-${details.value}` }),
          ...(back && details.quantity !== undefined && { quantity: -details.quantity }),
          ...(lines && {
            properties: {
              products: JSON.stringify(lines.map((line) => (back ? { ...line, quantity: -line.quantity } : line))),
            },
          }),
        });
      }),
    );
