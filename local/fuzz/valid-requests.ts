import { EVENT_ALIASES } from '../../domain/standard-fields.ts';
import type { Chance } from './chance.ts';
import type { Draft } from './draft.ts';
import type { Senders } from './senders.ts';

type Make = (senders: Senders, chance: Chance) => Omit<Draft, 'base'>;

/** What makes a valid request of each route, by route key. */
export const VALID_REQUESTS: Readonly<Record<string, Make>> = {
  'GET pixel': pixel,
  'GET /click': click,
  'POST /v1/track': (senders, chance) => authenticated('/v1/track', trackMessage(senders, chance), senders, chance),
  'POST /v1/page': (senders, chance) => authenticated('/v1/page', pageMessage(senders, chance), senders, chance),
  'POST /v1/identify': (senders, chance) =>
    authenticated('/v1/identify', identifyMessage(senders, chance), senders, chance),
  'POST /v1/batch': batch,
  'GET /v1/consent': (senders, chance) => {
    return { method: 'GET', path: '/v1/consent', query: [], headers: browserHeaders(senders, chance) };
  },
  'PUT /v1/consent': consent,
  'GET /v1/decision': decision,
  'POST /v1/decision': serverDecision,
  'OPTIONS /v1/{proxy+}': preflight,
};

const AGENTS: readonly string[] = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  'Googlebot/2.1 (+http://www.google.com/bot.html)',
];
const PRODUCTS: readonly string[] = ['serum-30', 'cream-50', 'mask-3', 'lip-balm', 'sun-50'];
const CATEGORIES: readonly string[] = ['face', 'lips', 'sun'];

const browserHeaders = ({ browsers, origin }: Senders, chance: Chance): [string, string][] => [
  ['Host', 'localhost'],
  ['User-Agent', chance.pick(AGENTS)],
  ...(chance.yes(0.6)
    ? [['Referer', `${origin}/care/${chance.pick(PRODUCTS)}?utm_source=mail`] as [string, string]]
    : []),
  ...(chance.yes(0.7) ? [['Cookie', chance.pick(browsers).cookie] as [string, string]] : []),
  ...(chance.yes(0.1) ? [[chance.pick(['Sec-GPC', 'DNT']), '1'] as [string, string]] : []),
];

const amount = (chance: Chance): string => `${chance.below(200)}.${10 + chance.below(90)}`;
const orderId = (chance: Chance): string => `o-${chance.below(100_000)}`;

function advert(chance: Chance): [string, string][] {
  return [
    ['c', `campaign-${chance.below(5)}`],
    ['pl', chance.pick(['top', 'side', 'video'])],
    ['cr', `banner-${chance.below(9)}`],
    ['cb', String(chance.below(1_000_000))],
  ];
}

function pixel({ config, site, ...senders }: Senders, chance: Chance): Omit<Draft, 'base'> {
  const query: [string, string][] = [
    ['e', chance.pick(Object.keys(EVENT_ALIASES))],
    ['site', site],
    ...advert(chance),
    ['p', chance.pick(PRODUCTS)],
    ['o', orderId(chance)],
    ['v', amount(chance)],
    ['cu', 'EUR'],
    ['q', String(1 + chance.below(3))],
  ];
  if (chance.yes(0.3)) query.push(['mid', `m-${chance.below(1_000)}`]);
  if (chance.yes(0.2)) query.push(['gdpr', '1'], ['gdpr_consent', 'CPxxxxxxxxxxxAcABBENBcCgAAAAAAAAAAAAAAAAAAAA']);
  const headers = browserHeaders({ config, site, ...senders }, chance);
  return { method: 'GET', path: config.pixelPath, query, headers };
}

function click(senders: Senders, chance: Chance): Omit<Draft, 'base'> {
  const host = senders.config.sites[senders.site]?.clickHosts[0];
  const query: [string, string][] = [
    ['site', senders.site],
    ...advert(chance),
    ['p', chance.pick(PRODUCTS)],
    ['to', `https://${host}/${chance.pick(PRODUCTS)}?utm_campaign=autumn`],
  ];
  return { method: 'GET', path: '/click', query, headers: browserHeaders(senders, chance) };
}

function trackMessage({ users }: Senders, chance: Chance): Record<string, unknown> {
  const lines = Array.from({ length: 1 + chance.below(chance.yes(0.02) ? 400 : 4) }, () => ({
    product_id: chance.pick(PRODUCTS),
    category: chance.pick(CATEGORIES),
    quantity: 1 + chance.below(3),
    price: chance.yes(0.5) ? amount(chance) : Number(amount(chance)),
  }));
  const orders = { order_id: orderId(chance), currency: 'EUR', products: lines };
  const one = {
    product_id: chance.pick(PRODUCTS),
    category: chance.pick(CATEGORIES),
    value: amount(chance),
    currency: 'EUR',
  };
  const [event, properties] = chance.pick<[string, Record<string, unknown>]>([
    ['Product Viewed', one],
    ['Product Added', { ...one, quantity: 1 + chance.below(3) }],
    ['Order Completed', { ...orders, revenue: amount(chance), coupon: 'WELCOME' }],
    ['Order Refunded', orders],
    ['Order Cancelled', { ...orders, value: amount(chance) }],
  ]);
  return { event, userId: chance.pick(users).id, properties: { ...properties }, ...envelope(chance) };
}

const pageMessage = ({ users, origin }: Senders, chance: Chance): Record<string, unknown> => ({
  name: 'Home',
  userId: chance.pick(users).id,
  properties: {
    url: `${origin}/care?utm_source=mail&utm_medium=news#top`,
    referrer: 'https://www.example.org/',
    title: 'x',
  },
  ...envelope(chance),
});

function identifyMessage({ users }: Senders, chance: Chance): Record<string, unknown> {
  const { id, token } = chance.pick(users);
  const message = envelope(chance);
  const context = { ...message.context, identityToken: token };
  return { ...message, userId: id, traits: { skin_type: 'dry', email: 'paula@private.example' }, context };
}

function envelope(chance: Chance): Record<string, unknown> & { context: object } {
  const ago = chance.below(86_400_000);
  return {
    anonymousId: 'a-1',
    ...(chance.yes(0.7) && { messageId: `m-${chance.below(10_000)}` }),
    ...(chance.yes(0.5) && { timestamp: new Date(Date.now() - ago).toISOString() }),
    context: {
      library: { name: 'analytics.js', version: '2' },
      ip: '203.0.113.9',
      userAgent: chance.pick(AGENTS),
      campaign: { source: 'mail', medium: 'news', name: 'autumn' },
      ...(chance.yes(0.8) && {
        consent: { categoryPreferences: { storage: true, measurement: true, profile: true, identity_merge: true } },
      }),
    },
  };
}

/** The source's key in the header or in the body, with the origin that a browser would send. */
function authenticated(
  path: string,
  json: Record<string, unknown>,
  senders: Senders,
  chance: Chance,
): Omit<Draft, 'base'> {
  const server = chance.yes(0.5);
  const source = Object.entries(senders.config.sources).find(
    ([, { kind, site, events }]) => (kind === 'server') === server && site === senders.site && !events,
  );
  const key = senders.keys.writeKeys[source?.[0] ?? '']?.[0] ?? '';
  const headers: [string, string][] = server
    ? [
        ['Host', 'localhost'],
        ['User-Agent', 'analytics-node/2'],
      ]
    : [...browserHeaders(senders, chance), ['Origin', senders.origin]];
  const beacon = chance.yes(0.2);
  headers.push(['Content-Type', beacon ? 'text/plain;charset=UTF-8' : 'application/json']);
  if (!beacon) headers.push(['Authorization', `Basic ${Buffer.from(`${key}:`).toString('base64')}`]);
  return { method: 'POST', path, query: [], headers, json: beacon ? { ...json, writeKey: key } : json };
}

function batch(senders: Senders, chance: Chance): Omit<Draft, 'base'> {
  const length = 1 + chance.below(chance.yes(0.01) ? 300 : 5);
  const messages = Array.from({ length }, () =>
    chance.pick([
      () => ({ type: 'track', ...trackMessage(senders, chance) }),
      () => ({ type: 'track', ...trackMessage(senders, chance) }),
      () => ({ type: 'page', ...pageMessage(senders, chance) }),
      () => ({ type: 'identify', ...identifyMessage(senders, chance) }),
    ])(),
  );
  return authenticated('/v1/batch', { batch: messages, context: { library: { name: 'x' } } }, senders, chance);
}

function consent(senders: Senders, chance: Chance): Omit<Draft, 'base'> {
  const names = Object.keys(senders.config.purposes);
  const purposes = Object.fromEntries(names.filter(() => chance.yes(0.8)).map((name) => [name, chance.yes(0.8)]));
  const headers: [string, string][] = [
    ...browserHeaders(senders, chance),
    ['Origin', senders.origin],
    ['Content-Type', 'application/json'],
  ];
  return { method: 'PUT', path: '/v1/consent', query: [], headers, json: { purposes } };
}

function decision(senders: Senders, chance: Chance): Omit<Draft, 'base'> {
  const query: [string, string][] = [
    ['product', chance.pick(PRODUCTS)],
    ['campaign', `campaign-${chance.below(5)}`],
  ];
  const headers: [string, string][] = [...browserHeaders(senders, chance), ['Origin', senders.origin]];
  return { method: 'GET', path: '/v1/decision', query, headers };
}

function serverDecision({ users, config, keys, site }: Senders, chance: Chance): Omit<Draft, 'base'> {
  const [source = ''] = Object.entries(config.sources).find(([, of]) => of.kind === 'server' && of.site === site) ?? [];
  const key = keys.writeKeys[source]?.[0] ?? '';
  const placements = Array.from({ length: 1 + chance.below(5) }, () => ({
    product: chance.pick(PRODUCTS),
    category: chance.pick(CATEGORIES),
    campaign: `campaign-${chance.below(5)}`,
  }));
  const headers: [string, string][] = [
    ['Host', 'localhost'],
    ['Authorization', `Basic ${Buffer.from(`${key}:`).toString('base64')}`],
    ['Content-Type', 'application/json'],
  ];
  return {
    method: 'POST',
    path: '/v1/decision',
    query: [],
    headers,
    json: { personId: chance.pick(users).id, placements },
  };
}

function preflight(senders: Senders, chance: Chance): Omit<Draft, 'base'> {
  const path = chance.pick(['/v1/track', '/v1/consent', '/v1/decision', '/v1/batch']);
  const headers: [string, string][] = [
    ['Host', 'localhost'],
    ['Origin', senders.origin],
    ['Access-Control-Request-Method', 'POST'],
  ];
  return { method: 'OPTIONS', path, query: [], headers };
}
