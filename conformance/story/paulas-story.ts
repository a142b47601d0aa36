import { PURPOSES, type Purpose } from '../../domain/purposes.ts';
import {
  ago,
  type CookieRule,
  consentOf,
  identityToken,
  type JsonObject,
  type RequestStep,
  type Step,
} from './step.ts';

const SHOP = 'https://www.lindenblatt.example';
const PORTAL = 'https://www.beauty-portal.example';
const STRANGER = 'https://www.somebody-else.example';
const SERUM = 'serum-30';
const CREAM = 'cream-50';
const PAULA = 'customer-paula';
const EVA = 'customer-eva';
const TOM = 'customer-tom';

const HOUR = 3600;
const DAY = 24 * HOUR;

/** What browsers say of themselves and where they are; all of it is cut down or left out past the door. */
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const PAGE = `${SHOP}/care/serum?utm_source=newsletter&session=4f7c9a2e&mail=paula%40private.example`;

/** A TCF string of version 2. The demo brand is not on the vendor list, so that no string speaks of it. */
const TCF_STRING = 'CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA';

const BANNER = { site: 'portal', c: 'autumn', pl: 'top', p: SERUM };
const UNKNOWN = { show: true, reason: 'unknown' };
const ALLOWED = consentOf('measurement', 'profile');

const GIF = { status: 200, headers: { 'content-type': 'image/gif' }, body: 'gif' } as const;
const TAKEN = { status: 200, body: { success: true } } as const;
const refused = (status: number, path: string, rule: RegExp = /./): { status: number; body: JsonObject } => ({
  status,
  body: { success: false, errors: [{ path, rule }] },
});
const choices = (granted: readonly Purpose[]): JsonObject => ({
  purposes: Object.fromEntries(PURPOSES.map((purpose) => [purpose, granted.includes(purpose)])),
});
/** What a browser is told that it has: mail needs a permission that only the brand's server can show. */
const grantedOf = (asked: readonly Purpose[]): JsonObject => ({
  ...choices(asked.filter((purpose) => purpose !== 'email')),
  ...(asked.includes('email') && { ungranted: [{ path: 'purposes.email', rule: /./ }] }),
});
const allBut = (...withheld: Purpose[]): Purpose[] => PURPOSES.filter((purpose) => !withheld.includes(purpose));

/** CORS of a configured origin, and of any other. */
const ALLOWS_SHOP = {
  'access-control-allow-origin': SHOP,
  'access-control-allow-credentials': 'true',
  vary: 'Origin',
} as const;
const ALLOWS_NOBODY = { 'access-control-allow-origin': null, 'access-control-allow-credentials': null } as const;

const pixel = (name: string, browser: string, query: Record<string, string>): RequestStep => ({
  name,
  browser,
  method: 'GET',
  path: '/p.gif',
  query,
  headers: { 'user-agent': AGENT, referer: PAGE },
  answer: GIF,
});

const click = (name: string, browser: string, query: Record<string, string>, answer: RequestStep['answer']): Step => ({
  name,
  browser,
  method: 'GET',
  path: '/click',
  query,
  headers: { 'user-agent': AGENT, referer: PAGE },
  answer,
});

const consent = (name: string, browser: string, granted: readonly Purpose[], cookies: readonly CookieRule[]): Step => ({
  name,
  browser,
  method: 'PUT',
  path: '/v1/consent',
  headers: { origin: SHOP, 'content-type': 'application/json' },
  body: choices(granted),
  answer: { status: 200, headers: ALLOWS_SHOP, cookies, body: grantedOf(granted) },
});

/** A message of a page's own script. */
const fromPage = (
  name: string,
  browser: string,
  path: string,
  body: object,
  answer: RequestStep['answer'] = TAKEN,
): RequestStep => ({
  name,
  browser,
  method: 'POST',
  path,
  headers: { origin: SHOP, 'content-type': 'application/json', 'user-agent': AGENT },
  source: 'web',
  body: { context: { page: { url: PAGE } }, ...body },
  answer: { headers: ALLOWS_SHOP, ...answer },
});

/** A message of the shop's server. */
const fromServer = (name: string, path: string, body: object, source = 'shop_backend'): RequestStep => ({
  name,
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json' },
  source,
  body: { context: ALLOWED, ...body },
  answer: TAKEN,
});

const decision = (name: string, browser: string, body: JsonObject, product = SERUM): RequestStep => ({
  name,
  browser,
  method: 'GET',
  path: '/v1/decision',
  query: { product, campaign: 'autumn' },
  headers: { origin: SHOP },
  answer: { status: 200, headers: ALLOWS_SHOP, body },
});

const untilDecision = (name: string, browser: string, body: JsonObject, product = SERUM): Step => ({
  ...decision(name, browser, body, product),
  until: true,
});

const WINTER = { site: 'portal', c: 'winter', pl: 'top', e: 'impression' };

/** A question of the shop's server about a customer. */
const serverDecision = (
  name: string,
  personId: string,
  placements: readonly JsonObject[],
  answer: RequestStep['answer'],
  source = 'shop_backend',
): RequestStep => ({
  name,
  method: 'POST',
  path: '/v1/decision',
  headers: { 'content-type': 'application/json' },
  source,
  body: { personId, placements },
  answer,
});

const productAdded = (messageId: string, product: string, seconds: number) => ({
  event: 'Product Added',
  messageId,
  timestamp: ago(seconds),
  properties: { product_id: product, category: 'face', quantity: 1, value: '29.90', currency: 'EUR' },
});

const BEFORE_CONSENT: readonly Step[] = [
  pixel('Paula sees a banner before she was asked', 'paula', { ...BANNER, e: 'impression', cr: 'before-consent' }),
  pixel('a TCF string grants nothing to a brand that is not on the vendor list', 'paula', {
    ...BANNER,
    e: 'impression',
    cr: 'tcf-string',
    gdpr: '1',
    gdpr_consent: TCF_STRING,
  }),
  decision('nobody is known before consent', 'paula', UNKNOWN),
  click(
    'a click without consent is sent on all the same',
    'paula',
    { ...BANNER, to: `${SHOP}/serum-30` },
    {
      status: 302,
      headers: { location: `${SHOP}/serum-30`, 'referrer-policy': 'no-referrer' },
      body: 'empty',
    },
  ),
  click(
    'a click to a foreign host is refused',
    'paula',
    { ...BANNER, to: 'https://phish.example/' },
    {
      ...refused(400, 'to'),
      headers: { location: null },
    },
  ),
  click(
    'a click to plain http is refused',
    'paula',
    { ...BANNER, to: 'http://www.lindenblatt.example/' },
    {
      ...refused(400, 'to'),
      headers: { location: null },
    },
  ),
  click(
    'a click of an unknown site is refused',
    'paula',
    { ...BANNER, site: 'nowhere', to: `${SHOP}/` },
    {
      ...refused(400, 'site'),
      headers: { location: null },
    },
  ),
  pixel('an unknown site gets its pixel too', 'paula', { ...BANNER, e: 'impression', site: 'nowhere' }),
];

const preflight = (name: string, origin: string, headers: NonNullable<RequestStep['answer']['headers']>): Step => ({
  name,
  method: 'OPTIONS',
  path: '/v1/consent',
  headers: {
    origin,
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'content-type',
  },
  answer: { status: 204, headers, body: 'empty' },
});

const CONSENT: readonly Step[] = [
  preflight('a pre-flight from the shop is allowed', SHOP, {
    ...ALLOWS_SHOP,
    'access-control-allow-methods': 'GET, POST, PUT',
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '7200',
  }),
  preflight('a pre-flight from a stranger allows nothing', STRANGER, ALLOWS_NOBODY),
  {
    name: 'consent from a stranger is refused',
    browser: 'paula',
    method: 'PUT',
    path: '/v1/consent',
    headers: { origin: STRANGER, 'content-type': 'application/json' },
    body: choices(PURPOSES),
    answer: { ...refused(403, 'Origin'), headers: ALLOWS_NOBODY },
  },
  {
    name: 'consent for an unknown purpose is refused',
    browser: 'paula',
    method: 'PUT',
    path: '/v1/consent',
    headers: { origin: SHOP, 'content-type': 'application/json' },
    body: { purposes: { everything: true } },
    answer: refused(400, 'purposes'),
  },
  consent('Paula consents', 'paula', PURPOSES, ['consent cookie', 'id cookie']),
  consent('Paula consents again', 'paula', PURPOSES, ['consent cookie']),
  consent('Paula consents on her phone', 'phone', PURPOSES, ['consent cookie', 'id cookie']),
  consent(
    'Otto consents to some of it',
    'otto',
    ['storage', 'measurement', 'profile'],
    ['consent cookie', 'id cookie'],
  ),
  consent('Nina consents', 'nina', allBut('identity_merge'), ['consent cookie', 'id cookie']),
  consent('a shared browser consents', 'kiosk', PURPOSES, ['consent cookie', 'id cookie']),
  consent('Mia refuses', 'mia', [], ['consent cookie']),
  pixel('what Mia sees is counted without her', 'mia', { ...BANNER, e: 'impression', cr: 'refused' }),
  decision('Mia is nobody', 'mia', UNKNOWN),
];

const ADVERTISING: readonly Step[] = [
  pixel('Paula sees a banner', 'paula', { ...BANNER, e: 'impression', cr: 'banner-1', mid: 'impression-1' }),
  {
    ...fromPage('two days ago she saw another one', 'paula', '/v1/track', {
      event: 'Ad Impression',
      messageId: 'impression-0',
      timestamp: ago(2 * DAY),
      properties: { campaign: 'late-summer', placement: 'side', creative: 'banner-0', product_id: SERUM },
    }),
    headers: { origin: PORTAL, 'content-type': 'application/json', 'user-agent': AGENT },
    source: 'portal',
    answer: { ...TAKEN, headers: { 'access-control-allow-origin': PORTAL } },
  },
  pixel('a video starts', 'paula', { ...BANNER, e: 'video_start', pl: 'video', mid: 'video-1-start' }),
  pixel('the video ends', 'paula', { ...BANNER, e: 'video_complete', pl: 'video', mid: 'video-1-end' }),
  click(
    'she clicks',
    'paula',
    { ...BANNER, cr: 'banner-1', mid: 'click-1', to: `${SHOP}/serum-30?from=banner` },
    {
      status: 302,
      headers: { location: `${SHOP}/serum-30?from=banner`, 'referrer-policy': 'no-referrer' },
      body: 'empty',
    },
  ),
  pixel('she opens a mail', 'paula', { site: 'shop', e: 'email_open', c: 'newsletter', mid: 'mail-1-open' }),
  click(
    'she follows the link in it',
    'paula',
    { site: 'shop', e: 'email_click', c: 'newsletter', mid: 'mail-1-click', to: `${SHOP}/care` },
    { status: 302, headers: { location: `${SHOP}/care` }, body: 'empty' },
  ),
];

const SHOPPING: readonly Step[] = [
  fromPage('she looks at a page', 'paula', '/v1/page', {
    messageId: 'page-1',
    timestamp: ago(3 * HOUR),
    properties: { category: 'face' },
  }),
  fromPage('she looks at the product', 'paula', '/v1/track', {
    event: 'Product Viewed',
    messageId: 'view-1',
    timestamp: ago(2.5 * HOUR),
    properties: { product_id: SERUM, category: 'face', value: '29.90', currency: 'EUR', skin_type: 'dry' },
  }),
  fromPage('the same message again', 'paula', '/v1/track', {
    event: 'Product Viewed',
    messageId: 'view-1',
    timestamp: ago(2.5 * HOUR),
    properties: { product_id: SERUM, category: 'face', value: '29.90', currency: 'EUR', skin_type: 'dry' },
  }),
  fromPage('she puts it into the cart', 'paula', '/v1/track', productAdded('cart-1', SERUM, 2 * HOUR)),
  fromPage(
    'a batch: the good ones are taken, the bad one is listed',
    'paula',
    '/v1/batch',
    {
      batch: [
        {
          type: 'track',
          event: 'Product Viewed',
          messageId: 'batch-1',
          timestamp: ago(2 * HOUR),
          properties: { product_id: CREAM, category: 'body' },
        },
        { type: 'track', event: 'Product Viewed', messageId: 'batch-2', properties: { category: 'body' } },
        { type: 'page', messageId: 'batch-3', timestamp: ago(2 * HOUR), properties: { category: 'body' } },
      ],
    },
    {
      status: 200,
      body: {
        success: true,
        rejected: [{ index: 1, errors: [{ path: 'properties.product_id', rule: 'is required' }] }],
      },
    },
  ),
  fromPage(
    'a batch of bad ones is refused',
    'paula',
    '/v1/batch',
    { batch: [{ type: 'track', event: 'Never Planned', messageId: 'batch-4' }] },
    { status: 400, body: { success: false, rejected: [{ index: 0, errors: [{ path: 'event', rule: /plan/ }] }] } },
  ),
  fromPage('Nina leaves a cart behind', 'nina', '/v1/track', productAdded('cart-2', SERUM, 3 * HOUR)),
];

/** What a write key must not open. */
const aTrack = { event: 'Page Viewed', messageId: 'never-taken' };
const KEYS: readonly Step[] = [
  {
    name: 'no write key is refused',
    method: 'POST',
    path: '/v1/track',
    headers: { origin: SHOP, 'content-type': 'application/json' },
    body: aTrack,
    answer: { ...refused(401, 'writeKey'), headers: ALLOWS_SHOP },
  },
  {
    name: 'a dead write key is refused',
    method: 'POST',
    path: '/v1/track',
    headers: { authorization: `Basic ${btoa('no-such-key-of-anybody:')}`, 'content-type': 'application/json' },
    body: aTrack,
    answer: refused(401, 'writeKey'),
  },
  {
    name: "a page's key without an origin is refused",
    method: 'POST',
    path: '/v1/track',
    headers: { 'content-type': 'application/json' },
    source: 'web',
    body: aTrack,
    answer: refused(403, 'Origin'),
  },
  {
    name: "a page's key from another site is refused",
    method: 'POST',
    path: '/v1/track',
    headers: { origin: PORTAL, 'content-type': 'application/json' },
    source: 'web',
    body: aTrack,
    answer: refused(403, 'Origin'),
  },
];

const identify = (name: string, browser: string, body: object, answer?: RequestStep['answer']): Step =>
  fromPage(name, browser, '/v1/identify', body, answer);

const REGISTRATION: readonly Step[] = [
  identify('without a token nobody is identified', 'paula', { userId: PAULA }, refused(403, 'context.identityToken')),
  identify(
    'without identity_merge nobody is identified',
    'otto',
    { userId: TOM, context: { identityToken: identityToken(TOM, 'shop') } },
    refused(403, 'context.consent'),
  ),
  identify('Paula registers', 'paula', {
    messageId: 'identify-1',
    timestamp: ago(HOUR),
    traits: { skin_type: 'dry' },
    context: { identityToken: identityToken(PAULA, 'shop') },
  }),
  identify('Paula signs in on her phone', 'phone', {
    messageId: 'identify-2',
    timestamp: ago(HOUR),
    context: { identityToken: identityToken(PAULA, 'shop') },
  }),
  identify('Eva signs in on the shared browser', 'kiosk', {
    messageId: 'identify-3',
    timestamp: ago(HOUR),
    context: { identityToken: identityToken(EVA, 'shop') },
  }),
  identify(
    'Tom signs in there after her: a new device begins',
    'kiosk',
    {
      messageId: 'identify-4',
      timestamp: ago(HOUR),
      context: { identityToken: identityToken(TOM, 'shop') },
    },
    { ...TAKEN, cookies: ['consent cookie', 'id cookie'] },
  ),
  fromPage('Tom looks at the cream', 'kiosk', '/v1/track', {
    event: 'Product Viewed',
    messageId: 'view-2',
    timestamp: ago(HOUR),
    properties: { product_id: CREAM, category: 'body' },
  }),
  untilDecision('Paula may see the banner', 'paula', { show: true, reason: 'eligible', audiences: [] }),
];

const order = (messageId: string) => ({
  event: 'Order Completed',
  userId: PAULA,
  messageId,
  timestamp: ago(HOUR),
  properties: {
    order_id: '1001',
    revenue: '79.70',
    currency: 'EUR',
    products: [
      { product_id: SERUM, category: 'face', quantity: 1, price: '29.90' },
      { product_id: CREAM, category: 'body', quantity: 2, price: '24.90' },
    ],
  },
});

const ORDERS: readonly Step[] = [
  fromServer("Paula's order, from the shop's server", '/v1/track', order('order-1')),
  fromServer('the same message again', '/v1/track', order('order-1')),
  fromServer('the same order under another message id', '/v1/track', order('order-1-again')),
  fromServer(
    'an order of last year, from the history',
    '/v1/track',
    {
      event: 'Order Completed',
      userId: PAULA,
      messageId: 'order-0',
      timestamp: ago(300 * DAY),
      properties: { order_id: '9', product_id: 'mask-75', quantity: 1, revenue: 12.5, currency: 'EUR' },
    },
    'history',
  ),
  untilDecision('the banner is hidden from Paula', 'paula', { show: false, reason: 'bought', audiences: [] }),
  untilDecision('and on her phone', 'phone', { show: false, reason: 'bought', audiences: [] }),
  untilDecision('for the other product too', 'paula', { show: false, reason: 'bought', audiences: [] }, CREAM),
  pixel('Otto orders by pixel', 'otto', {
    site: 'shop',
    e: 'order',
    o: '2002',
    p: SERUM,
    q: '1',
    v: '29.90',
    cu: 'EUR',
    mid: 'order-2',
  }),
  serverDecision(
    "the shop's server asks for her, three banners at once",
    PAULA,
    [{ product: SERUM }, { product: 'toner-100', category: 'face' }, { product: 'sun-50', campaign: 'winter' }],
    {
      status: 200,
      body: {
        decisions: [
          { show: false, reason: 'bought' },
          { show: false, reason: 'bought_category' },
          { show: true, reason: 'eligible' },
        ],
        audiences: [],
      },
    },
  ),
  serverDecision("a page's key is refused there", PAULA, [{ product: SERUM }], refused(403, 'writeKey'), 'web'),
  pixel('Otto sees a banner that is shown twice a day at most', 'otto', { ...WINTER, mid: 'winter-1' }),
  pixel('and sees it again', 'otto', { ...WINTER, mid: 'winter-2' }),
  {
    ...untilDecision('then it rests', 'otto', { show: false, reason: 'capped', audiences: [] }),
    query: { product: CREAM, campaign: 'winter' },
  },
  untilDecision('the banner is hidden from Otto', 'otto', { show: false, reason: 'bought', audiences: [] }),
  decision('but not for what he did not buy', 'otto', { show: true, reason: 'eligible', audiences: [] }, CREAM),
  fromServer('Paula sends the cream back', '/v1/track', {
    event: 'Order Refunded',
    userId: PAULA,
    messageId: 'refund-1',
    timestamp: ago(HOUR / 2),
    properties: {
      order_id: '1001',
      revenue: '49.80',
      currency: 'EUR',
      products: [{ product_id: CREAM, category: 'body', quantity: 2, price: '24.90' }],
    },
  }),
  untilDecision(
    'the cream may be shown to her again',
    'paula',
    { show: true, reason: 'eligible', audiences: [] },
    CREAM,
  ),
  fromServer("Eva's choices, from the shop's server", '/v1/identify', {
    userId: EVA,
    messageId: 'identify-5',
    timestamp: ago(2 * DAY),
  }),
  fromServer('Eva orders', '/v1/track', {
    event: 'Order Completed',
    userId: EVA,
    messageId: 'order-3',
    timestamp: ago(2 * DAY),
    properties: { order_id: '3001', product_id: SERUM, quantity: 1, revenue: '29.90', currency: 'EUR' },
  }),
  fromServer('and cancels', '/v1/track', {
    event: 'Order Cancelled',
    userId: EVA,
    messageId: 'cancel-1',
    timestamp: ago(DAY),
    properties: { order_id: '3001', product_id: SERUM, quantity: 1, revenue: '29.90', currency: 'EUR' },
  }),
];

const PAULAS_AUDIENCES = ['buyers_30d', 'buyers_serum_30', 'campaign_responders', 'mail_engaged', 'repeat_buyers'];

const AUDIENCES: readonly Step[] = [
  { name: 'everything is folded and landed', settle: true },
  { name: 'the plan runs', plan: true },
  untilDecision('Nina is in an audience', 'nina', {
    show: true,
    reason: 'eligible',
    audiences: ['cart_abandoners'],
  }),
  untilDecision('Paula is in an audience', 'paula', { show: false, reason: 'bought', audiences: PAULAS_AUDIENCES }),
  untilDecision('and so is her phone', 'phone', { show: false, reason: 'bought', audiences: PAULAS_AUDIENCES }),
  decision('Otto is told none: he did not allow it', 'otto', { show: false, reason: 'bought', audiences: [] }),
];

const WITHDRAWALS: readonly Step[] = [
  { name: "Paula's cookies are kept aside", copy: 'paula', as: 'old cookies' },
  consent('Paula withdraws everything', 'paula', [], ['consent cookie', 'id cookie removed']),
  decision('she is nobody again', 'paula', UNKNOWN),
  decision('and so is who holds her old cookies', 'old cookies', UNKNOWN),
  pixel('what she sees now is counted without her', 'paula', { ...BANNER, e: 'impression', cr: 'withdrawn' }),
  decision('her phone knows her still', 'phone', { show: false, reason: 'bought', audiences: PAULAS_AUDIENCES }),
  consent('she takes the phone out of it', 'phone', allBut('identity_merge'), ['consent cookie']),
  decision('the phone is on its own', 'phone', { show: true, reason: 'eligible', audiences: [] }),
  consent('Nina withdraws the profile', 'nina', ['storage', 'measurement'], ['consent cookie']),
  decision('Nina is told nothing any more', 'nina', UNKNOWN),
  fromServer('Eva withdraws her profile at the shop', '/v1/identify', {
    userId: EVA,
    messageId: 'identify-6',
    timestamp: ago(HOUR),
    context: consentOf('measurement'),
  }),
  fromServer('and orders without being profiled', '/v1/track', {
    event: 'Order Completed',
    userId: EVA,
    messageId: 'order-4',
    timestamp: ago(HOUR / 2),
    properties: { order_id: '3002', product_id: SERUM, quantity: 1, revenue: '29.90', currency: 'EUR' },
  }),
  serverDecision("the shop's server is told nothing of her any more", EVA, [{ product: SERUM }], {
    status: 200,
    body: { decisions: [UNKNOWN] },
  }),
  {
    ...decision('a forged choice is none', 'nobody', UNKNOWN),
    forged: { paula_consent: `v1.m0000000.73.${'A'.repeat(43)}`, paula_id: 'A'.repeat(22) },
  },
  { ...decision('an id without a choice is nobody', 'nobody', UNKNOWN), forged: { paula_id: 'A'.repeat(22) } },
  { name: 'all of it is folded and landed', settle: true },
  { name: 'the plan runs again: who withdrew leaves', plan: true },
];

/** Paula's story from the first banner to the withdrawal, with the people who happen to meet the same door. */
export const PAULAS_STORY: readonly Step[] = [
  ...BEFORE_CONSENT,
  ...CONSENT,
  ...ADVERTISING,
  ...SHOPPING,
  ...KEYS,
  ...REGISTRATION,
  ...ORDERS,
  ...AUDIENCES,
  ...WITHDRAWALS,
];
