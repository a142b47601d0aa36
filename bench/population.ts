import { createHash } from 'node:crypto';
import { DAY_MS } from '../domain/profile.ts';
import type { EventRecord, OrderLine } from '../domain/stream-record.ts';
import { seeded } from './random.ts';

/** The population of the issue: so many events per profile (lognormal) within so many days, products and buyers. */
const MEDIAN_EVENTS = 8;
const MEAN_EVENTS = 20;
const DAYS = 90;
const PRODUCTS = 2_000;
const BUYER_SHARE = 0.03;
const MAX_LINES = 30;

/** A lognormal's mean is its median times exp(sigma^2 / 2). */
const SIGMA = Math.sqrt(2 * Math.log(MEAN_EVENTS / MEDIAN_EVENTS));

/** When the population's 90 days end. */
export const POPULATION_END = Date.UTC(2026, 10, 24);

/** One simulated browser and its events, in order of time. */
export type SimulatedProfile = { id: string; events: EventRecord[] };

/** Draws profiles from a seed, always the same ones. */
export function* population(seed: number, size: number): Generator<SimulatedProfile> {
  const random = seeded(seed);
  const productRank = zipf(PRODUCTS, random);
  const campaignRank = zipf(CAMPAIGNS.length, random);
  for (let n = 0; n < size; n++) yield drawProfile(`${seed}-${n}`, { random, productRank, campaignRank });
}

type Draw = { random: () => number; productRank: () => number; campaignRank: () => number };

function drawProfile(name: string, draw: Draw): SimulatedProfile {
  const { random } = draw;
  const id = `d.${digest(name)}`;
  const wanted = Math.max(1, Math.round(MEDIAN_EVENTS * Math.exp(SIGMA * normal(random))));
  const times = Array.from({ length: wanted }, () => Math.floor(POPULATION_END - random() * DAYS * DAY_MS)).sort(
    (a, b) => a - b,
  );
  const orders = random() < BUYER_SHARE ? drawOrders(wanted, draw) : new Map<number, OrderLine[]>();
  const events = times.map((at, n) => {
    const lines = orders.get(n);
    const record = lines ? order(lines, n, draw) : browse(draw);
    return {
      ...record,
      event_id: digest(`${name}-${n}`),
      device_id: id,
      occurred_at: at,
      received_at: at + 40,
    } as EventRecord;
  });
  return { id, events };
}

/** One to thirty lines over up to three orders, at random places among the profile's events. */
function drawOrders(events: number, { random, productRank }: Draw): Map<number, OrderLine[]> {
  const lines = 1 + Math.floor(random() * MAX_LINES);
  const orders = new Map<number, OrderLine[]>();
  const places = Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * events));
  for (let n = 0; n < lines; n++) {
    const place = places[n % places.length] as number;
    const product = productRank();
    const line = {
      product_id: productId(product),
      category: categoryOf(product),
      quantity: 1 + Math.floor(random() * 3),
      price: '19.9',
    };
    orders.set(place, [...(orders.get(place) ?? []), line]);
  }
  return orders;
}

type Draft = Partial<EventRecord>;

function order(lines: OrderLine[], n: number, { random }: Draw): Draft {
  const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  return {
    ...visit('Order Completed', random),
    order_id: `A-${Math.floor(random() * 1e7)}-${n}`,
    value: String(Math.round(pieces * 199) / 10),
    currency: 'EUR',
    properties: { products: JSON.stringify(lines) },
  };
}

function browse({ random, productRank, campaignRank }: Draw): Draft {
  const dice = random();
  if (dice < 0.36)
    return advertised(
      dice < 0.3 ? 'Ad Impression' : dice < 0.33 ? 'Ad Clicked' : 'Video Started',
      campaignRank(),
      random,
    );
  if (dice < 0.4) return { ...advertised('Email Opened', campaignRank(), random), utm_medium: 'email' };
  if (dice < 0.7) return { ...visit('Page Viewed', random), ...landing(campaignRank(), random) };
  const product = productRank();
  return {
    ...visit(dice < 0.95 ? 'Product Viewed' : 'Product Added', random),
    product_id: productId(product),
    category: categoryOf(product),
    value: '19.9',
    currency: 'EUR',
  };
}

function advertised(event: string, campaign: number, random: () => number): Draft {
  return {
    ...base(event, 'portal', random),
    campaign: CAMPAIGNS[campaign] as string,
    placement: pick(PLACEMENTS, random),
    creative: `${CAMPAIGNS[campaign]}-v${1 + Math.floor(random() * 4)}`,
  };
}

const visit = (event: string, random: () => number): Draft => ({
  ...base(event, 'shop', random),
  page_path: `/shop/page-${Math.floor(random() * 400)}`,
});

/** One visit in four comes from a campaign, one more from somewhere else on the web. */
function landing(campaign: number, random: () => number): Draft {
  const dice = random();
  if (dice > 0.5) return {};
  if (dice > 0.25) return { referrer_host: pick(REFERRERS, random) };
  return {
    utm_source: pick(SOURCES, random),
    utm_medium: pick(MEDIA, random),
    utm_campaign: CAMPAIGNS[campaign] as string,
    referrer_host: pick(REFERRERS, random),
    click_id: digest(String(random())).slice(0, 24),
  };
}

const base = (event: string, site: string, random: () => number): Draft => ({
  kind: 'event',
  schema_version: 1,
  source: site === 'shop' ? 'web' : 'portal',
  site,
  event,
  is_bot: false,
  device_class: random() < 0.6 ? 'mobile' : 'desktop',
  browser: 'Chrome 141',
  os: 'Android 16',
  country: 'DE',
  purposes: ['storage', 'measurement', 'profile', 'personalisation'],
  basis: 'consent',
});

const CAMPAIGNS = [
  'serum-launch',
  'spring-glow',
  'summer-spf',
  'autumn-care',
  'winter-balm',
  'mothers-day',
  'black-week',
  'advent-calendar',
].flatMap((theme) => [`${theme}-2026-awareness`, `${theme}-2026-retarget`, `${theme}-2026-video`]);
const PLACEMENTS = ['home', 'article', 'gallery', 'video', 'newsletter'].flatMap((page) =>
  ['top', 'side', 'inline', 'footer'].map((spot) => `${page}-${spot}`),
);
const SOURCES = ['google', 'bing', 'instagram', 'tiktok', 'pinterest', 'newsletter', 'beauty-portal'];
const MEDIA = ['cpc', 'display', 'social', 'email', 'affiliate', 'video'];
const REFERRERS = [
  'www.google.com',
  'www.bing.com',
  'duckduckgo.com',
  'l.instagram.com',
  'www.tiktok.com',
  'www.pinterest.de',
  'www.beauty-portal.example',
];
const CATEGORIES = ['face', 'eyes', 'lips', 'hair', 'body', 'sun'].flatMap((part) =>
  ['care', 'colour', 'clean', 'gift'].map((kind) => `${part}/${kind}`),
);

const productId = (rank: number): string => `SKU-${String(rank).padStart(5, '0')}`;
const categoryOf = (rank: number): string => CATEGORIES[rank % CATEGORIES.length] as string;
const pick = (from: readonly string[], random: () => number): string =>
  from[Math.floor(random() * from.length)] as string;
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** A standard normal deviate (Box and Muller 1958). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Draws ranks from 0 on, rank r with weight 1 / (r + 1). */
function zipf(size: number, random: () => number): () => number {
  const cumulated: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= size; rank++) {
    sum += 1 / rank;
    cumulated.push(sum);
  }
  return () => {
    const target = random() * sum;
    let low = 0;
    let high = size - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulated[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
