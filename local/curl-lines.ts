import type { PaulaConfig } from '../domain/config.ts';
import type { Keys } from '../domain/keys.ts';
import { PURPOSES } from '../domain/purposes.ts';

/** A step of the story as a command to paste. */
export type CurlLine = { what: string; command: string };

/** A product of the demo brand; nothing depends on it. */
const PRODUCT = 'serum-30';

/** Curl's own name is a robot's, and robots are in no audience. */
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';

/**
 * The story of one browser in a handful of curl lines, in order. They name `localhost`, for which curl keeps Secure
 * cookies, and a cookie jar file.
 */
export function curlLines(config: PaulaConfig, keys: Keys, url: string, jar: string): CurlLine[] {
  const [shop, origin] = firstSite(config);
  const portal = Object.keys(config.sites).find((site) => site !== shop) ?? shop;
  const host = config.sites[shop]?.clickHosts[0];
  const server = Object.entries(config.sources).find(([, source]) => source.kind === 'server' && source.site === shop);
  const writeKey = server && keys.writeKeys[server[0]]?.[0];

  const query = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString();
  const pixel = (parameters: Record<string, string>) => `'${url}${config.pixelPath}?${query(parameters)}'`;
  const jarred = `curl -s -A '${AGENT}' -b '${jar}' -c '${jar}'`;
  const json = "-H 'Content-Type: application/json'";
  const advert = { c: 'autumn', pl: 'top', cr: 'banner-1', p: PRODUCT };
  const purposes = JSON.stringify({ purposes: Object.fromEntries(PURPOSES.map((purpose) => [purpose, true])) });
  const order = JSON.stringify({
    event: 'Order Completed',
    userId: 'customer-1',
    messageId: 'order-1001',
    properties: {
      order_id: '1001',
      revenue: '29.90',
      currency: 'EUR',
      products: [{ product_id: PRODUCT, quantity: 1, price: '29.90' }],
    },
    context: { consent: { categoryPreferences: { measurement: true, profile: true } } },
  });

  return [
    {
      what: 'a banner without consent: a GIF, no cookie',
      command: `curl -s -D - -o /dev/null ${pixel({ e: 'impression', site: portal, ...advert })}`,
    },
    {
      what: 'consent: a receipt and the cookies',
      command: `${jarred} -i -X PUT -H 'Origin: ${origin}' ${json} -d '${purposes}' '${url}/v1/consent'`,
    },
    {
      what: 'the banner again, with the cookie',
      command: `${jarred} -D - -o /dev/null ${pixel({ e: 'impression', site: shop, ...advert })}`,
    },
    ...(host
      ? [
          {
            what: 'a click: a redirect to the shop',
            command: `${jarred} -i '${url}/click?${query({ site: shop, ...advert, to: `https://${host}/${PRODUCT}` })}'`,
          },
        ]
      : []),
    {
      what: 'she looks at the product',
      command: `${jarred} -D - -o /dev/null ${pixel({ e: 'product_view', site: shop, p: PRODUCT, cat: 'face', v: '29.90', cu: 'EUR' })}`,
    },
    {
      what: 'and puts it into the cart',
      command: `${jarred} -D - -o /dev/null ${pixel({ e: 'cart', site: shop, p: PRODUCT, cat: 'face', q: '1', v: '29.90', cu: 'EUR' })}`,
    },
    ...(writeKey
      ? [
          {
            what: "a customer's order, from the shop's server",
            command: `curl -s -i -u '${writeKey}:' ${json} -d '${order}' '${url}/v1/track'`,
          },
        ]
      : []),
    {
      what: 'show her this banner? A minute later the answer names her audience',
      command: `${jarred} -i -H 'Origin: ${origin}' '${url}/v1/decision?${query({ product: PRODUCT, campaign: 'autumn' })}'`,
    },
  ];
}

/** The site whose pages run on this machine and its origin; where none does, the first. */
function firstSite({ sites }: PaulaConfig): [site: string, origin: string] {
  const all = Object.entries(sites).flatMap(([site, { origins }]) => origins.map((origin) => [site, origin] as const));
  const [site = '', origin = ''] = all.find(([, origin]) => origin.startsWith('http://localhost')) ?? all[0] ?? [];
  return [site, origin];
}
