import { seeded } from './random.ts';

/** How the benchmark's messages are made up; the run checks that it saw exactly this. */
export const MESSAGE_COUNT = 10_000;
export const USER_AGENTS = 500;
/** One message in fifty carries an e-mail address in a text that is kept. */
const REDACTED_EVERY = 50;
/** One message in a hundred names no event of the plan. */
const REJECTED_EVERY = 100;

/** Bytes of a message: what a shop's tag sends for a product view with its page and campaign. */
const MESSAGE_BYTES = 1200;

/** `planned` says that its event is in the tracking plan, so that it is admitted. */
export type BenchMessage = { body: Buffer; userAgent: string; planned: boolean };

export type BenchMessages = { messages: BenchMessage[]; redacted: number; rejected: number };

/** Segment `track` messages of 1.2 kB each, all different. */
export function benchMessages(seed: number): BenchMessages {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const userAgents = Array.from({ length: USER_AGENTS }, (_, i) => userAgent(i));
  let redacted = 0;
  let rejected = 0;
  const messages = Array.from({ length: MESSAGE_COUNT }, (_, i): BenchMessage => {
    const isRejected = i % REJECTED_EVERY === 7;
    const isRedacted = !isRejected && i % REDACTED_EVERY === 3;
    if (isRejected) rejected++;
    if (isRedacted) redacted++;
    const product = Math.floor(random() * 2000);
    const message = {
      type: 'track',
      messageId: `ajs-${i}-${Math.floor(random() * 2 ** 40).toString(36)}`,
      timestamp: new Date(Date.UTC(2026, 10, 24, 8) + i * 137).toISOString(),
      event: isRejected ? `Unplanned ${i}` : pick(['Product Viewed', 'Product Added']),
      anonymousId: `a-${i}`,
      properties: {
        product_id: `SKU-${String(product).padStart(5, '0')}`,
        category: isRedacted
          ? `recommended by paula.${i}%40example.com`
          : pick(['Make-up/Lips', 'Care/Face', 'Care/Body', 'Fragrance']),
        name: `Crème de la Rose №${product}`,
        brand: 'Lindenblatt',
        quantity: 1 + Math.floor(random() * 3),
        value: (random() * 80).toFixed(2),
        currency: 'EUR',
        campaign: `autumn-${i % 12}`,
        placement: `home-${i % 5}`,
        url: `https://www.lindenblatt.example/products/${product}`,
      },
      context: {
        page: {
          url: `https://www.lindenblatt.example/products/${product}?utm_source=portal&utm_medium=banner&utm_campaign=autumn-${i % 12}&gclid=Cj0${i}&session=${i}`,
          path: `/products/${product}`,
          referrer: `https://www.beauty-portal.example/articles/${i % 300}?page=2`,
          title: 'Product',
        },
        campaign: { source: 'portal', medium: 'banner', name: `autumn-${i % 12}` },
        library: { name: 'analytics.js', version: '2.11.1' },
        locale: 'de-DE',
        screen: { width: 1920, height: 1080 },
        padding: '',
      },
    };
    message.context.padding = 'x'.repeat(Math.max(0, MESSAGE_BYTES - Buffer.byteLength(JSON.stringify(message))));
    return {
      body: Buffer.from(JSON.stringify(message)),
      planned: !isRejected,
      userAgent: userAgents[Math.floor(random() * USER_AGENTS)] as string,
    };
  });
  return { messages, redacted, rejected };
}

function userAgent(i: number): string {
  const major = 100 + (i % 40);
  const build = 1000 + i;
  return [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.${build}.0 Safari/537.36`,
    `Mozilla/5.0 (iPhone; CPU iPhone OS 17_${i % 7} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.${i % 7} Mobile/15E${build} Safari/604.1`,
    `Mozilla/5.0 (Linux; Android 14; SM-S9${i}B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.${build}.0 Mobile Safari/537.36`,
    `Mozilla/5.0 (X11; Linux x86_64; rv:${major}.0) Gecko/20100101 Firefox/${major}.${i}`,
  ][i % 4] as string;
}
