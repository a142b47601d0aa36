import { addImpression, currentImpressions } from './impressions.ts';
import { parseMoney } from './money.ts';
import {
  type CampaignContact,
  DAY_MS,
  EVENT_RING,
  MAX_ALL_PURCHASES,
  MAX_CAMPAIGNS,
  MAX_CATEGORIES,
  MAX_CURRENCIES,
  MAX_EVENT_NAMES,
  MAX_PRODUCTS,
  ORDER_RING,
  OTHER,
  type Profile,
  type Purchase,
  type StreamPosition,
  type Totals,
  type Touch,
} from './profile.ts';
import { forgetOldest } from './purchases.ts';
import { decayedWeight } from './score.ts';
import { cutHash, shortHash } from './short-hash.ts';
import type { EventRecord, OrderLine } from './stream-record.ts';

/** An event with its place in the stream. */
export type StreamedEvent = StreamPosition & { record: EventRecord };

/**
 * Folds events into a profile, in the order of the stream. Pure, and a left fold: how the events are cut into batches
 * makes no difference. An event counts once: not again at or before the applied position of its shard, not again while
 * its id is in the ring, and an order or cancellation not again while its order id is. In any order of arrival the result
 * is the same but for the order of maps and rings and for what a bound has evicted: a score, contact or campaign's
 * impressions past their map's size, an event name or currency past its bound, a retry that comes later than its ring
 * remembers.
 */
export function fold(profile: Profile, events: readonly StreamedEvent[]): Profile {
  const draft: Draft = {
    base: profile,
    next: { ...profile, events: [...profile.events], orders: [...profile.orders] },
  };
  const { next } = draft;
  for (const { record, shard, sequence } of events) {
    if (isApplied(next.applied, shard, sequence)) continue;
    next.applied = { shard, sequence };
    foldEvent(draft, record);
  }
  return next;
}

/** `next` begins as `base`, with whose maps it parts when they first change: an event changes few of them. */
type Draft = { base: Profile; next: Next };
type Next = { -readonly [K in keyof Profile]: Profile[K] extends readonly number[] ? number[] : Profile[K] };
type MapName = 'counts' | 'totals' | 'products' | 'categories' | 'campaigns' | 'impressions' | 'purchases';
type OwnMap<N extends MapName> = Profile[N] extends ReadonlyMap<infer K, infer V> ? Map<K, V> : never;

function own<N extends MapName>({ base, next }: Draft, name: N): OwnMap<N> {
  if (next[name] === base[name]) next[name] = new Map(base[name] as ReadonlyMap<never, never>) as Next[N];
  return next[name] as unknown as OwnMap<N>;
}

/** True where the record is at or before the applied one. Sequence numbers are decimal integers without leading zeros. */
export function isApplied(applied: StreamPosition | undefined, shard: string, sequence: string): boolean {
  if (applied?.shard !== shard) return false;
  const last = applied.sequence;
  return sequence.length === last.length ? sequence <= last : sequence.length < last.length;
}

function foldEvent(draft: Draft, record: EventRecord): void {
  const { next } = draft;
  const id = cutHash(record.event_id);
  if (next.events.includes(id)) return;
  remember(next.events, id, EVENT_RING);
  if (isKnownOrder(next.orders, record)) return;

  const at = record.occurred_at;
  if (next.firstSeen === 0 || at < next.firstSeen) next.firstSeen = at;
  if (at > next.lastSeen) next.lastSeen = at;
  const receivedDay = dayOf(record.received_at);
  if (receivedDay > next.lastReceivedDay) {
    next.lastReceivedDay = receivedDay;
    next.impressions = currentImpressions(next.impressions, receivedDay);
  }
  count(own(draft, 'counts'), record.event);
  foldTouch(next, record, id);
  foldCampaign(draft, record);
  if (ORDER_EVENTS.has(record.event)) foldOrder(draft, record);
  else foldInterest(draft, record.event, at, record.product_id, record.category);
}

const dayOf = (time: number): number => Math.floor(time / DAY_MS);

function remember(ring: number[], hash: number, size: number): void {
  ring.push(hash);
  if (ring.length > size) ring.shift();
}

/** An order is placed once and cancelled once, whatever event ids say so; refunds of one order may be several. */
const ONCE_PER_ORDER: ReadonlySet<string> = new Set(['Order Completed', 'Order Cancelled']);

/** Order ids are the site's own; two shops may count from the same number. */
function isKnownOrder(ring: number[], { event, site, order_id }: EventRecord): boolean {
  if (order_id === undefined || !ONCE_PER_ORDER.has(event)) return false;
  const hash = shortHash(`${site}\n${event}\n${order_id}`);
  if (ring.includes(hash)) return true;
  remember(ring, hash, ORDER_RING);
  return false;
}

function count(counts: Map<string, number>, event: string): void {
  const name = counts.has(event) || counts.size < MAX_EVENT_NAMES ? event : OTHER;
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function foldTouch(next: Next, record: EventRecord, id: number): void {
  if ((record.campaign ?? record.utm_source ?? record.utm_medium ?? record.utm_campaign) === undefined) return;
  const at = record.occurred_at;
  const touch = touchOf(record, id);
  if (!next.firstTouch || isEarlier(at, id, next.firstTouch)) next.firstTouch = touch;
  if (!next.lastTouch || !isEarlier(at, id, next.lastTouch)) next.lastTouch = touch;
}

/** By time, then by id: a total order, so that the order of arrival does not matter. */
const isEarlier = (at: number, id: number, touch: Touch): boolean =>
  at < touch.at || (at === touch.at && id < touch.id);

const touchOf = (record: EventRecord, id: number): Touch => ({
  at: record.occurred_at,
  id,
  event: record.event,
  campaign: record.campaign,
  placement: record.placement,
  utmSource: record.utm_source,
  utmMedium: record.utm_medium,
  utmCampaign: record.utm_campaign,
  referrerHost: record.referrer_host,
});

function foldCampaign(draft: Draft, { campaign, event, occurred_at, received_at }: EventRecord): void {
  if (campaign === undefined) return;
  const campaigns = own(draft, 'campaigns');
  const before = campaigns.get(campaign);
  const at = Math.floor(occurred_at / 1000);
  const shown = event === 'Ad Impression';
  const contact: CampaignContact = {
    score: (before?.score ?? 0) + decayedWeight(1, occurred_at),
    impressions: (before?.impressions ?? 0) + (shown ? 1 : 0),
    lastAt: before ? Math.max(before.lastAt, at) : at,
  };
  campaigns.set(campaign, contact);
  if (campaigns.size > MAX_CAMPAIGNS) evictLowest(campaigns, campaign, ({ score }) => score);
  if (shown)
    addImpression(own(draft, 'impressions'), shortHash(campaign), {
      occurredAt: occurred_at,
      receivedAt: received_at,
      lastReceivedDay: draft.next.lastReceivedDay,
    });
}

/**
 * What an event says of an interest. An advertisement says what the brand wants to sell, not what the person wants, so it
 * has no weight; a cart and an order say more than a look. Powers of two keep sums exact.
 */
const INTEREST: Readonly<Record<string, number>> = {
  'Ad Impression': 0,
  'Product Added': 4,
  'Product Removed': 0,
  'Order Completed': 8,
  'Order Refunded': 0,
  'Order Cancelled': 0,
};

function foldInterest(draft: Draft, event: string, at: number, product?: string, category?: string): void {
  const interest = INTEREST[event] ?? 1;
  if (interest === 0) return;
  const weight = decayedWeight(interest, at);
  if (product !== undefined) addScore(own(draft, 'products'), product, weight, MAX_PRODUCTS);
  if (category !== undefined) addScore(own(draft, 'categories'), category, weight, MAX_CATEGORIES);
}

function addScore(scores: Map<string, number>, key: string, weight: number, size: number): void {
  scores.set(key, (scores.get(key) ?? 0) + weight);
  if (scores.size > size) evictLowest(scores, key, (score) => score);
}

/** The newcomer stays, or it could never gain on those that are there. */
function evictLowest<V>(map: Map<string, V>, newcomer: string, scoreOf: (value: V) => number): void {
  let lowest: string | undefined;
  let score = Number.POSITIVE_INFINITY;
  for (const [key, value] of map) {
    if (key === newcomer || scoreOf(value) >= score) continue;
    lowest = key;
    score = scoreOf(value);
  }
  if (lowest !== undefined) map.delete(lowest);
}

const ORDER_EVENTS: ReadonlySet<string> = new Set(['Order Completed', 'Order Refunded', 'Order Cancelled']);

function foldOrder(draft: Draft, record: EventRecord): void {
  const { next } = draft;
  const placed = record.event === 'Order Completed';
  addTotals(own(draft, 'totals'), record, placed);
  for (const { product_id, category, quantity } of linesOf(record)) {
    foldInterest(draft, record.event, record.occurred_at, product_id, category);
    const pieces = placed ? quantity : -Math.abs(quantity);
    addPurchase(own(draft, 'purchases'), product_id, category, pieces, dayOf(record.occurred_at));
  }
  if (next.purchases.size > MAX_ALL_PURCHASES) forgetOldest(own(draft, 'purchases'));
}

function addTotals(totals: Map<string, Totals>, { currency = OTHER, value = '0' }: EventRecord, placed: boolean): void {
  const units = parseMoney(value);
  if (units === undefined) throw new Error('an accepted event holds a value that is no amount');
  const kept = totals.size - (totals.has(OTHER) ? 1 : 0);
  const name = totals.has(currency) || kept < MAX_CURRENCIES ? currency : OTHER;
  const before: Totals = totals.get(name) ?? { orders: 0, refunds: 0, revenue: 0n };
  totals.set(name, {
    orders: before.orders + (placed ? 1 : 0),
    refunds: before.refunds + (placed ? 0 : 1),
    revenue: before.revenue + units,
  });
}

/** The order's lines, else its one product with its quantity, or one piece of it where that is absent. */
function linesOf({ properties, product_id, category, quantity = 1 }: EventRecord): readonly OrderLine[] {
  if (properties?.products !== undefined) return JSON.parse(properties.products) as OrderLine[];
  if (product_id === undefined) return [];
  return [{ product_id, quantity, ...(category !== undefined && { category }) }];
}

/** A return may arrive before its order, so a net below zero is kept. */
function addPurchase(
  purchases: Map<number, Purchase>,
  product: string,
  categoryName: string | undefined,
  quantity: number,
  day: number,
): void {
  const hash = shortHash(product);
  const category = categoryName === undefined ? undefined : shortHash(categoryName);
  const before = purchases.get(hash);
  purchases.set(hash, {
    day: before ? Math.max(before.day, day) : day,
    net: (before?.net ?? 0) + quantity,
    category: greater(before?.category, category),
  });
}

const greater = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a;
