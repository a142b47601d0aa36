import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  type CampaignContact,
  DAY_MS,
  type Profile,
  type Purchase,
  type StreamPosition,
  type Totals,
  type Touch,
} from './profile.ts';
import { scoreUnit } from './score.ts';

/**
 * First byte of every packed profile and overflow. Items of version 1 are read, without what they did not hold: impressions
 * and the categories of purchases. Any other version is refused rather than misread.
 */
const VERSION = 2;
const FIRST_VERSION = 1;

/** Texts that are stored as a number. Their order belongs to VERSION: new ones go to the end. */
const KNOWN_TEXTS: readonly string[] = [
  'Ad Impression',
  'Ad Clicked',
  'Page Viewed',
  'Product Viewed',
  'Product Added',
  'Product Removed',
  'Order Completed',
  'Order Refunded',
  'Order Cancelled',
  'Video Started',
  'Video 25',
  'Video 50',
  'Video 75',
  'Video Completed',
  'Email Opened',
  'Email Link Clicked',
  'Identified',
  'other',
  'EUR',
];

const KNOWN: ReadonlyMap<string, number> = new Map(KNOWN_TEXTS.map((text, index) => [text, index]));

/** Scratch space of one call of `packProfile`; what it holds never outlives the call. */
const body = new ByteWriter();
const head = new ByteWriter();

/**
 * Packs a profile into the attribute `b`: version, the table of its texts (each once), then the fields in the order of
 * the type. Times, days and scores are relative to the first and last time, so that they take few bytes. Purchases are
 * given apart, because some may stand in the `bought` item.
 */
export function packProfile(profile: Profile, purchases: ReadonlyMap<number, Purchase>): Uint8Array {
  const texts = new TextTable();
  body.clear();
  body.varint(profile.firstSeen);
  body.varint(profile.lastSeen - profile.firstSeen);
  body.varint(profile.lastReceivedDay);
  writePosition(profile.applied, texts);
  body.varint(profile.counts.size);
  for (const [event, count] of profile.counts) {
    body.varint(texts.indexOf(event));
    body.varint(count);
  }
  body.varint(profile.totals.size);
  for (const [currency, { orders, refunds, revenue }] of profile.totals) {
    body.varint(texts.indexOf(currency));
    body.varint(orders);
    body.varint(refunds);
    body.bigint(revenue);
  }
  writeTouch(profile.firstTouch, profile, texts);
  writeTouch(profile.lastTouch, profile, texts);
  const unit = scoreUnit(profile.firstSeen);
  writeScores(profile.products, unit, texts);
  writeScores(profile.categories, unit, texts);
  body.varint(profile.campaigns.size);
  const lastSecond = Math.floor(profile.lastSeen / 1000);
  for (const [campaign, { score, impressions, lastAt }] of profile.campaigns) {
    body.varint(texts.indexOf(campaign));
    body.varint(score / unit);
    body.varint(impressions);
    body.varint(lastSecond - lastAt);
  }
  writeImpressions(profile.impressions, lastSecond);
  writePurchases(purchases, dayOf(profile.lastSeen));
  body.byte(profile.spilled ? 1 : 0);
  writeRing(profile.events);
  writeRing(profile.orders);

  head.clear();
  head.byte(VERSION);
  texts.write(head);
  return head.takeWith(body);
}

/** Reads a packed profile; throws on another version or on bytes that end too early. */
export function unpackProfile(bytes: Uint8Array): Profile {
  const { reader, version } = versioned(bytes);
  const texts = readTexts(reader);
  const text = (): string => {
    const index = reader.varint();
    const value = KNOWN_TEXTS[index] ?? texts[index - KNOWN_TEXTS.length];
    if (value === undefined) throw new Error('packed profile names a text that it does not hold');
    return value;
  };
  const firstSeen = reader.varint();
  const lastSeen = firstSeen + reader.varint();
  const lastReceivedDay = reader.varint();
  const applied = readPosition(reader, text);
  const counts = new Map<string, number>();
  for (let n = reader.varint(); n > 0; n--) counts.set(text(), reader.varint());
  const totals = new Map<string, Totals>();
  for (let n = reader.varint(); n > 0; n--)
    totals.set(text(), { orders: reader.varint(), refunds: reader.varint(), revenue: reader.bigint() });
  const firstTouch = readTouch(reader, firstSeen, text);
  const lastTouch = readTouch(reader, firstSeen, text);
  const unit = scoreUnit(firstSeen);
  const products = readScores(reader, unit, text);
  const categories = readScores(reader, unit, text);
  const campaigns = new Map<string, CampaignContact>();
  const lastSecond = Math.floor(lastSeen / 1000);
  for (let n = reader.varint(); n > 0; n--)
    campaigns.set(text(), {
      score: reader.varint() * unit,
      impressions: reader.varint(),
      lastAt: lastSecond - reader.varint(),
    });
  return {
    firstSeen,
    lastSeen,
    lastReceivedDay,
    applied,
    counts,
    totals,
    firstTouch,
    lastTouch,
    products,
    categories,
    campaigns,
    impressions: version === FIRST_VERSION ? new Map() : readImpressions(reader, lastSecond),
    purchases: readPurchases(reader, version, dayOf(lastSeen)),
    spilled: reader.byte() === 1,
    events: readRing(reader),
    orders: readRing(reader),
  };
}

/** Packs the purchases of a `bought` item. */
export function packBought(purchases: ReadonlyMap<number, Purchase>): Uint8Array {
  let lastDay = 0;
  for (const { day } of purchases.values()) lastDay = Math.max(lastDay, day);
  body.clear();
  body.byte(VERSION);
  body.varint(lastDay);
  writePurchases(purchases, lastDay);
  return body.take();
}

/** Reads the purchases of a `bought` item; throws as `unpackProfile` does. */
export function unpackBought(bytes: Uint8Array): ReadonlyMap<number, Purchase> {
  const { reader, version } = versioned(bytes);
  return readPurchases(reader, version, reader.varint());
}

function versioned(bytes: Uint8Array): { reader: ByteReader; version: number } {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version < FIRST_VERSION || version > VERSION) throw new Error(`packed profile of unknown version ${version}`);
  return { reader, version };
}

const dayOf = (time: number): number => Math.floor(time / DAY_MS);

/** Gives each text its index, the known ones first. */
class TextTable {
  readonly #indexes = new Map<string, number>();

  indexOf(text: string): number {
    const present = this.#indexes.get(text) ?? KNOWN.get(text);
    if (present !== undefined) return present;
    const index = KNOWN_TEXTS.length + this.#indexes.size;
    this.#indexes.set(text, index);
    return index;
  }

  /** How many, the length of each in UTF-16 units, then all of them as one run of UTF-8, which is read in one go. */
  write(writer: ByteWriter): void {
    writer.varint(this.#indexes.size);
    let run = '';
    for (const text of this.#indexes.keys()) {
      writer.varint(text.length);
      run += text;
    }
    writer.utf8(run);
  }
}

function readTexts(reader: ByteReader): readonly string[] {
  const lengths: number[] = [];
  for (let n = reader.varint(); n > 0; n--) lengths.push(reader.varint());
  const run = reader.utf8();
  const texts: string[] = [];
  let at = 0;
  for (const length of lengths) {
    texts.push(run.slice(at, at + length));
    at += length;
  }
  return texts;
}

/** How Kinesis names its shards; any other name is kept as a text. */
const SHARD = /^shardId-(\d{12})$/;

/** Digits of a sequence number that fit into 48 bits. */
const SEQUENCE_DIGITS = 14;

function writePosition(position: StreamPosition | undefined, texts: TextTable): void {
  if (!position) {
    body.byte(0);
    return;
  }
  const number = SHARD.exec(position.shard)?.[1];
  body.byte(number === undefined ? 1 : 2);
  body.varint(number === undefined ? texts.indexOf(position.shard) : Number(number));
  const { sequence } = position;
  body.varint(sequence.length);
  for (let at = 0; at < sequence.length; at += SEQUENCE_DIGITS)
    body.uint48(Number(sequence.slice(at, at + SEQUENCE_DIGITS)));
}

function readPosition(reader: ByteReader, text: () => string): StreamPosition | undefined {
  const kind = reader.byte();
  if (kind === 0) return undefined;
  const shard = kind === 1 ? text() : `shardId-${String(reader.varint()).padStart(12, '0')}`;
  let sequence = '';
  for (let rest = reader.varint(); rest > 0; rest -= SEQUENCE_DIGITS)
    sequence += String(reader.uint48()).padStart(Math.min(rest, SEQUENCE_DIGITS), '0');
  return { shard, sequence };
}

/** The optional texts of a touch in the order of the type; a bit each says which are there. */
const TOUCH_TEXTS = ['campaign', 'placement', 'utmSource', 'utmMedium', 'utmCampaign', 'referrerHost'] as const;
const TOUCH_PRESENT = 1 << TOUCH_TEXTS.length;
type TouchText = (typeof TOUCH_TEXTS)[number];

function writeTouch(touch: Touch | undefined, { firstSeen }: Profile, texts: TextTable): void {
  if (!touch) {
    body.byte(0);
    return;
  }
  let mask = TOUCH_PRESENT;
  for (let i = 0; i < TOUCH_TEXTS.length; i++) if (touch[TOUCH_TEXTS[i] as TouchText] !== undefined) mask |= 1 << i;
  body.byte(mask);
  body.varint(touch.at - firstSeen);
  body.uint48(touch.id);
  body.varint(texts.indexOf(touch.event));
  for (const name of TOUCH_TEXTS) {
    const value = touch[name];
    if (value !== undefined) body.varint(texts.indexOf(value));
  }
}

function readTouch(reader: ByteReader, firstSeen: number, text: () => string): Touch | undefined {
  const mask = reader.byte();
  if (mask === 0) return undefined;
  const optional = (i: number): string | undefined => (mask & (1 << i) ? text() : undefined);
  return {
    at: firstSeen + reader.varint(),
    id: reader.uint48(),
    event: text(),
    campaign: optional(0),
    placement: optional(1),
    utmSource: optional(2),
    utmMedium: optional(3),
    utmCampaign: optional(4),
    referrerHost: optional(5),
  };
}

function writeScores(scores: ReadonlyMap<string, number>, unit: number, texts: TextTable): void {
  body.varint(scores.size);
  for (const [key, score] of scores) {
    body.varint(texts.indexOf(key));
    body.varint(score / unit);
  }
}

function readScores(reader: ByteReader, unit: number, text: () => string): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  for (let n = reader.varint(); n > 0; n--) scores.set(text(), reader.varint() * unit);
  return scores;
}

/** Each campaign's times from the latest on, as what lies between two of them. */
function writeImpressions(impressions: Profile['impressions'], lastSecond: number): void {
  body.varint(impressions.size);
  for (const [campaign, times] of impressions) {
    body.uint48(campaign);
    body.varint(times.length);
    let later = lastSecond;
    for (let i = times.length - 1; i >= 0; i--) {
      const second = times[i] as number;
      body.varint(later - second);
      later = second;
    }
  }
}

function readImpressions(reader: ByteReader, lastSecond: number): Profile['impressions'] {
  const impressions = new Map<number, readonly number[]>();
  for (let n = reader.varint(); n > 0; n--) {
    const campaign = reader.uint48();
    const times: number[] = [];
    let later = lastSecond;
    for (let left = reader.varint(); left > 0; left--) {
      later -= reader.varint();
      times.push(later);
    }
    impressions.set(campaign, times.reverse());
  }
  return impressions;
}

/** The categories once, then each purchase with the place of its own among them, from 1 on; 0 where it has none. */
function writePurchases(purchases: ReadonlyMap<number, Purchase>, lastDay: number): void {
  body.varint(purchases.size);
  if (purchases.size === 0) return;
  const places = new Map<number, number>();
  for (const { category } of purchases.values())
    if (category !== undefined && !places.has(category)) places.set(category, places.size + 1);
  body.varint(places.size);
  for (const category of places.keys()) body.uint48(category);
  for (const [hash, { day, net, category }] of purchases) {
    body.uint48(hash);
    body.varint(lastDay - day);
    body.signed(net);
    body.varint(category === undefined ? 0 : (places.get(category) as number));
  }
}

function readPurchases(reader: ByteReader, version: number, lastDay: number): ReadonlyMap<number, Purchase> {
  const purchases = new Map<number, Purchase>();
  const size = reader.varint();
  if (size === 0) return purchases;
  const categories: number[] = [];
  const hasCategories = version !== FIRST_VERSION;
  if (hasCategories) for (let n = reader.varint(); n > 0; n--) categories.push(reader.uint48());
  for (let n = size; n > 0; n--)
    purchases.set(reader.uint48(), {
      day: lastDay - reader.varint(),
      net: reader.signed(),
      category: hasCategories ? categories[reader.varint() - 1] : undefined,
    });
  return purchases;
}

function writeRing(ring: readonly number[]): void {
  body.varint(ring.length);
  for (const hash of ring) body.uint48(hash);
}

function readRing(reader: ByteReader): readonly number[] {
  const ring: number[] = [];
  for (let n = reader.varint(); n > 0; n--) ring.push(reader.uint48());
  return ring;
}
