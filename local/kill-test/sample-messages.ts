import { seeded } from '../../bench/random.ts';
import { EVENT_RING } from '../../domain/profile.ts';

/** On average. None has more than its profile remembers: what is sent again after those counts again, as designed. */
const MESSAGES_PER_PERSON = 12;
const MOST_MESSAGES = EVENT_RING;
const PRODUCTS = 300;
const CAMPAIGNS = ['spring', 'summer', 'autumn', 'winter'];
/** So that the purchases of some outgrow the profile item. */
const MOST_LINES = 40;
const DAY_MS = 86_400_000;
/** The shop's history runs over this time, so that audiences have members who come and members who go. */
const DAYS = 120;
const START = Date.UTC(2025, 0, 1);

/**
 * Yields messages of a server source, the same for the same seed: consent first for each person, then looks, carts, orders
 * with lines, and refunds of earlier orders. Times rise over the whole.
 */
export function* sampleMessages(count: number, seed: number): Generator<Record<string, unknown>> {
  const random = seeded(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const persons = Math.max(1, Math.round(count / MESSAGES_PER_PERSON));
  const people = new Map<string, { sent: number; placed: { order: string; products: Line[] }[] }>();
  const context = {
    consent: { categoryPreferences: { measurement: true, profile: true, personalisation: true, activation: true } },
  };

  for (let n = 0; n < count; ) {
    const userId = `customer-${below(persons)}`;
    const timestamp = new Date(START + Math.floor((n / count) * DAYS * DAY_MS)).toISOString();
    const told = { userId, timestamp, context };
    const person = people.get(userId);
    if (!person) {
      people.set(userId, { sent: 1, placed: [] });
      n += 1;
      yield { type: 'identify', messageId: `consent-${userId}`, ...told };
      continue;
    }
    if (person.sent === MOST_MESSAGES) continue;
    person.sent += 1;
    const { placed } = person;
    n += 1;
    const messageId = `message-${n}`;
    const product = `product-${below(PRODUCTS)}`;
    const campaign = random() < 0.3 ? { campaign: CAMPAIGNS[below(CAMPAIGNS.length)] } : {};
    const dice = random();
    const refunded = dice < 0.1 ? placed[below(placed.length)] : undefined;
    if (refunded) {
      const properties = { order_id: refunded.order, currency: 'EUR', products: refunded.products.slice(0, 1) };
      yield { type: 'track', event: 'Order Refunded', messageId, ...told, properties };
    } else if (dice < 0.4) {
      const products = Array.from({ length: 1 + below(MOST_LINES) }, () => lineOf(`product-${below(PRODUCTS)}`, below));
      placed.push({ order: `order-${n}`, products });
      const properties = { order_id: `order-${n}`, currency: 'EUR', products, ...campaign };
      yield { type: 'track', event: 'Order Completed', messageId, ...told, properties };
    } else if (dice < 0.7) {
      const properties = { product_id: product, category: `category-${below(12)}`, ...campaign };
      yield { type: 'track', event: 'Product Viewed', messageId, ...told, properties };
    } else {
      yield {
        type: 'track',
        event: 'Product Added',
        messageId,
        ...told,
        properties: { product_id: product, quantity: 1 },
      };
    }
  }
}

type Line = { product_id: string; quantity: number; price: string };

const lineOf = (product_id: string, below: (n: number) => number): Line => ({
  product_id,
  quantity: 1 + below(5),
  price: `${1 + below(60)}.${String(below(100)).padStart(2, '0')}`,
});
