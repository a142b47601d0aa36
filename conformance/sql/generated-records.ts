import { seeded } from '../../bench/random.ts';
import type { Purpose } from '../../domain/purposes.ts';
import type { EventRecord, OrderLine, StreamRecord } from '../../domain/stream-record.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';

/** A batch as the stream would deliver it to `land`. Milliseconds; `first` is the number of its first record in the shard. */
export type Batch = { shard: string; first: number; arrivedAt: number; records: readonly StreamRecord[] };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const DEVICES = 120;
const PERSONS = 50;
const BATCH = 60;
const SHARDS = ['shardId-000000000000', 'shardId-000000000001'];
/** Of all batches: these come a second time as they are, or cut otherwise so that they overlap the first time. */
const AGAIN = 0.1;

const EVENTS = ['Page Viewed', 'Product Viewed', 'Product Added', 'Ad Impression', 'Video Started', 'Email Opened'];
/** Texts that a reader of JSON, CSV or Hive's own escapes trips over. */
const TEXTS = [
  'serum-30',
  'Größe "M"',
  "l'eau",
  'a\\b',
  '{"x":[1]}',
  '',
  ' tab\tand\nline ',
  '🌿',
  'Straße',
  'NULL',
  '\\N',
];
const AMOUNTS = ['0.0001', '12.5', '-3', '19.99', '0', '99999999999999.9999', '1000.1', undefined];
const CURRENCIES = ['EUR', 'EUR', 'EUR', 'USD', undefined];
const PURPOSES: readonly (readonly Purpose[])[] = [
  ['storage', 'measurement'],
  ['storage', 'measurement', 'profile'],
  ['storage', 'measurement', 'profile', 'personalisation', 'activation'],
  ['storage', 'profile'],
];

const device = (n: number): string => `d.${hashes.sha256(`device ${n}`)}`;
const person = (n: number): string => `p.k1.${hashes.sha256(`person ${n}`)}`;
const tombstone = (id: string): string => Buffer.from(hashes.sha256(id), 'base64url').toString('hex');

const DOUBLE_OPT_IN = {
  email_permission: 'double_opt_in',
  email_requested_at: Date.UTC(2026, 10, 1),
  email_confirmed_at: Date.UTC(2026, 10, 2),
  email_text_version: '2026-11',
} as const;

/** The fields that have a value. */
const present = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

/** An event of the same sender and millisecond as an earlier one, and with purposes of its own, as a batch may hold it. */
function inRequestOf(earlier: EventRecord, event: EventRecord): EventRecord {
  if (earlier.basis !== 'consent' || event.basis !== 'consent') return event;
  const { device_id: _, person_id: __, ...rest } = event;
  const { source, device_id, person_id, received_at } = earlier;
  return { ...rest, ...present({ source, device_id, person_id }), received_at };
}

/**
 * Records of every kind as a door would have put them on the stream from `from` on, over `days` days, in batches; the same
 * for the same seed. Retries, overlapping batches, late copies, events before an erasure and after it, objections, withdrawals
 * and new grants, links that move, anonymous rows, odd texts and absent values are all among them.
 */
export function generatedBatches(options: { seed: number; records: number; from: number; days: number }): Batch[] {
  const { seed, records: total, from, days } = options;
  const random = seeded(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const one = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const maybe = <T>(chance: number, value: () => T): T | undefined => (random() < chance ? value() : undefined);

  const line = (): OrderLine => ({
    product_id: `product-${below(40)}`,
    ...(random() < 0.5 && { category: one(TEXTS) }),
    quantity: 1 + below(5),
    ...(random() < 0.9 && { price: `${below(80)}.${String(below(10_000)).padStart(4, '0')}` }),
  });

  const properties = (): Record<string, string> | undefined => {
    const found = {
      ...(random() < 0.2 && { coupon: one(TEXTS) }),
      ...(random() < 0.2 && { skin_type: one(['dry', 'oily', '']) }),
    };
    return Object.keys(found).length > 0 ? found : undefined;
  };

  const base = (n: number, at: number): EventRecord => ({
    kind: 'event',
    schema_version: 1,
    event_id: hashes.sha256(`event ${n}`),
    source: 'web',
    site: one(['shop', 'portal']),
    event: one(EVENTS),
    occurred_at: at - below(3 * HOUR_MS),
    received_at: at,
    is_bot: random() < 0.05,
    purposes: [...one(PURPOSES)],
    basis: 'consent',
  });

  const described = (record: EventRecord): EventRecord => ({
    ...record,
    ...present({
      campaign: maybe(0.4, () => one(['spring', 'summer', ...TEXTS])),
      placement: maybe(0.2, () => one(TEXTS)),
      creative: maybe(0.1, () => one(TEXTS)),
      product_id: maybe(0.6, () => `product-${below(40)}`),
      category: maybe(0.5, () => `category-${below(6)}`),
      quantity: maybe(0.2, () => below(9)),
      page_path: maybe(0.3, () => '/a/b'),
      referrer_host: maybe(0.2, () => 'www.example.com'),
      utm_source: maybe(0.1, () => one(TEXTS)),
      device_class: maybe(0.8, () => one(['desktop', 'mobile', 'tablet'])),
      browser: maybe(0.5, () => 'Firefox 140'),
      os: maybe(0.5, () => 'Linux'),
      country: maybe(0.7, () => 'DE'),
      bot_reason: record.is_bot ? 'user_agent' : undefined,
      time_clamped: maybe(0.05, () => true as const),
      properties: properties(),
    }),
  });

  const order = (record: EventRecord): EventRecord => {
    const refund = random() < 0.2;
    const products = maybe(0.7, () => Array.from({ length: 1 + below(6) }, line));
    const amount = one(AMOUNTS);
    const signed = refund && amount !== undefined && !amount.startsWith('-') && amount !== '0' ? `-${amount}` : amount;
    return {
      ...described(record),
      event: refund ? one(['Order Refunded', 'Order Cancelled']) : 'Order Completed',
      order_id: `order-${below(400)}`,
      ...present({
        value: signed,
        currency: one(CURRENCIES),
        quantity: maybe(0.5, () => (refund ? -1 : 1) * (1 + below(3))),
      }),
      ...(products && { properties: { ...properties(), products: JSON.stringify(products) } }),
    };
  };

  const event = (n: number, at: number): EventRecord => {
    const record = random() < 0.25 ? order(base(n, at)) : described(base(n, at));
    const kind = random();
    if (kind < 0.55) return { ...record, device_id: device(below(DEVICES)) };
    if (kind < 0.9)
      return {
        ...record,
        source: one(['shop_backend', 'history']),
        person_id: person(below(PERSONS)),
        // A server may send history, and its clock may run ahead.
        ...(random() < 0.1 && { occurred_at: Date.UTC(2000 + below(100), 0, 1) }),
      };
    const { source: _, properties: __, ...rest } = record;
    const hour = at - (at % HOUR_MS);
    return { ...rest, occurred_at: hour, received_at: hour, purposes: [], basis: 'anonymous' };
  };

  const consent = (at: number): StreamRecord => ({
    kind: 'consent',
    receipt_id: hashes.sha256(`receipt ${below(1_000_000)}`),
    subject: random() < 0.7 ? device(below(DEVICES)) : person(below(PERSONS)),
    site: 'shop',
    granted: [...one(PURPOSES)],
    withdrawn: [...one([[], [], ['profile'], ['activation'], ['storage', 'measurement'], ['measurement']] as const)],
    method: one(['browser', 'server']),
    notice_version: '2026-11',
    given_at: at,
    expires_at: at + 395 * DAY_MS,
    controller: 'Lindenblatt Cosmetics',
    notice_digest: '0'.repeat(64),
    region: 'eu-central-1',
    ...one([
      { signal_kind: 'own' },
      { signal_kind: 'own', language: 'de', legal_basis: 'profile=consent,email=consent', ...DOUBLE_OPT_IN },
      { signal_kind: 'tcf', signal_digest: 'f'.repeat(64), signal_updated_at: at - DAY_MS },
    ] as const),
    ...(random() < 0.5 && { prior_receipt_id: hashes.sha256(`receipt ${below(100)}`) }),
  });

  const link = (at: number): StreamRecord => ({
    kind: 'link',
    device_id: device(below(DEVICES)),
    person_id: person(below(PERSONS)),
    since: at - below(DAY_MS),
    receipt_id: hashes.sha256(`receipt ${below(100)}`),
    ...(random() < 0.3 && { removed_at: at }),
  });

  const erasure = (at: number): StreamRecord => ({
    kind: 'erasure',
    tombstone: tombstone(random() < 0.5 ? device(below(DEVICES)) : person(below(PERSONS))),
    request_id: `request-${below(30)}`,
    erased_at: at - below(HOUR_MS),
  });

  const right = (at: number): StreamRecord => ({
    kind: 'right',
    request_kind: one(['access', 'objection']),
    subject_hash: tombstone(random() < 0.5 ? device(below(DEVICES)) : person(below(PERSONS))),
    salt: '',
    request_id: `request-${below(30)}`,
    requested_at: at - below(HOUR_MS),
  });

  const rejected = (at: number): StreamRecord => ({
    kind: 'rejected',
    received_at: at,
    ...(random() < 0.8 && { source: 'web', site: 'shop', event: one(EVENTS) }),
    reason: one(['field_missing', 'event_unknown']),
    ...(random() < 0.5 && { path: 'properties.value' }),
  });

  const sent: EventRecord[] = [];
  const record = (n: number, at: number): StreamRecord => {
    const kind = random();
    if (kind < 0.04) return consent(at);
    if (kind < 0.07) return link(at);
    if (kind < 0.075) return erasure(at);
    if (kind < 0.08) return right(at);
    if (kind < 0.1) return rejected(at);
    // A sender's retry: the same event under another sequence number, later, in either shard.
    if (kind < 0.14 && sent.length > 0) return one(sent);
    const earlier = sent.at(-1);
    const alone = event(n, at);
    const made = random() < 0.2 && earlier ? inRequestOf(earlier, alone) : alone;
    sent.push(made);
    return made;
  };

  const batches: Batch[] = [];
  const next = new Map(SHARDS.map((shard) => [shard, 1]));
  for (let n = 0; n < total; ) {
    const shard = one(SHARDS);
    const first = next.get(shard) ?? 1;
    const size = Math.min(1 + below(2 * BATCH), total - n);
    const arrivedAt = Math.floor(from + (n / total) * days * DAY_MS);
    // Several of a millisecond, as of one request.
    const records = Array.from({ length: size }, (_, i) => record(n + i, arrivedAt - 10 * Math.floor((size - i) / 3)));
    n += size;
    next.set(shard, first + size);
    batches.push({ shard, first, arrivedAt, records });
    if (random() < AGAIN) batches.push({ shard, first, arrivedAt, records });
    if (random() < AGAIN && size > 2) {
      const cut = 1 + below(size - 1);
      batches.push({ shard, first: first + cut, arrivedAt, records: records.slice(cut) });
    }
  }
  return batches;
}
