/**
 * What is known of a device or a person, as a fold of its events. Maps and lists are bounded, because DynamoDB bills the
 * whole item at every update. Exact in any order of arrival: times, counts, totals, touches, purchases and, within the
 * bounds, scores; see `fold`. Fields that may be empty are always there, so that all profiles have one shape, which the
 * hot loops of fold and codec are compiled for.
 */
export type Profile = {
  /** Earliest and latest `occurred_at`, milliseconds since the epoch; 0 in an empty profile. */
  firstSeen: number;
  lastSeen: number;
  /** Latest day of receipt, days since the epoch: retention counts from it. */
  lastReceivedDay: number;
  /** The last record that was folded; numbers are comparable only within a shard. */
  applied: StreamPosition | undefined;
  /** Events by event name; `OTHER` takes those past the bound. */
  counts: ReadonlyMap<string, number>;
  /** By ISO 4217 currency; `OTHER` takes the currencies past the bound and amounts without one. */
  totals: ReadonlyMap<string, Totals>;
  firstTouch: Touch | undefined;
  lastTouch: Touch | undefined;
  /** Decayed scores, see `decayedWeight`. */
  products: ReadonlyMap<string, number>;
  categories: ReadonlyMap<string, number>;
  campaigns: ReadonlyMap<string, CampaignContact>;
  /** Ad impressions by short hash of the campaign: whole seconds since the epoch, oldest first; see `addImpression`. */
  impressions: ReadonlyMap<number, readonly number[]>;
  /** By short hash of the product id: those of the profile item and, once read, of the `bought` item. */
  purchases: ReadonlyMap<number, Purchase>;
  /** Some purchases have moved to the `bought` item. */
  spilled: boolean;
  /** Hashes of the last event ids and order ids in order of arrival, oldest first. */
  events: readonly number[];
  orders: readonly number[];
};

export type StreamPosition = { shard: string; sequence: string };

/** `orders` counts Order Completed, `refunds` Order Refunded and Order Cancelled; `revenue` is their sum in 1/10000. */
export type Totals = { orders: number; refunds: number; revenue: bigint };

/** An event that names a campaign, its own or that of a UTM parameter. `id` is the hash of its event id. */
export type Touch = {
  at: number;
  id: number;
  event: string;
  campaign: string | undefined;
  placement: string | undefined;
  utmSource: string | undefined;
  utmMedium: string | undefined;
  utmCampaign: string | undefined;
  referrerHost: string | undefined;
};

/** `lastAt`: the latest event that names the campaign, in whole seconds since the epoch. */
export type CampaignContact = { score: number; impressions: number; lastAt: number };

/**
 * `day`: the latest order, refund or cancellation of the product, days since the epoch. `net`: bought minus returned.
 * `category`: short hash of the product's category where an order line named one; where lines disagree, the greatest, so
 * that the order of arrival does not matter.
 */
export type Purchase = { day: number; net: number; category: number | undefined };

/** Where a bounded map counts what it does not keep apart. */
export const OTHER = 'other';

/** More event names than a tracking plan has in practice; the rest is counted together. */
export const MAX_EVENT_NAMES = 40;

/** A person pays in one currency, seldom two; the bound is the design's. */
export const MAX_CURRENCIES = 3;

/** Interests and contacts kept apart: enough to choose an offer, few enough to keep the item within one write unit. */
export const MAX_PRODUCTS = 12;
export const MAX_CATEGORIES = 8;
export const MAX_CAMPAIGNS = 8;

/** How many events must lie between an event and its retry before the retry counts again; the lake still drops it. */
export const EVENT_RING = 24;

/** Orders are rarer and dearer than other events, so they are remembered for longer. */
export const ORDER_RING = 32;

/** Purchases in the profile item (10 bytes each); the oldest beyond it move to the `bought` item. */
export const MAX_PURCHASES = 64;

/** Purchases in the `bought` item (10 kB). */
export const MAX_BOUGHT = 1000;

/** Purchases of a profile in both items together; the fold forgets the oldest beyond it, whichever item holds it. */
export const MAX_ALL_PURCHASES = MAX_PURCHASES + MAX_BOUGHT;

export const DAY_MS = 86_400_000;

/** A profile of which nothing is known yet. */
export const EMPTY_PROFILE: Profile = {
  firstSeen: 0,
  lastSeen: 0,
  lastReceivedDay: 0,
  applied: undefined,
  counts: new Map(),
  totals: new Map(),
  firstTouch: undefined,
  lastTouch: undefined,
  products: new Map(),
  categories: new Map(),
  campaigns: new Map(),
  impressions: new Map(),
  purchases: new Map(),
  spilled: false,
  events: [],
  orders: [],
};

/**
 * Seconds since the epoch after which the profile no longer counts: the end of its last day of receipt plus the retention.
 */
export const expiryOf = (profile: Profile, retentionDays: number): number =>
  (profile.lastReceivedDay + 1 + retentionDays) * 86_400;
