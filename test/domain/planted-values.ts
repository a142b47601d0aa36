/** What is planted: values that no store, stream, metric or log may ever hold. */
export const VALUES = {
  email: 'paula.muster@example.com',
  phone: '+49 171 1234567',
  iban: 'DE89370400440532013000',
  ip: '203.0.113.117',
} as const;

export type PlantedKind = keyof typeof VALUES;

/** A request for any of the doors, without write key and consent, which the caller adds. */
export type PlantedRequest = {
  method: 'GET' | 'POST';
  path: string;
  /** Query parameters before encoding for the URL. */
  query: [string, string][];
  /** Lower-case names. */
  headers: Record<string, string>;
  /** A Segment message. */
  body?: Record<string, unknown>;
  /** The source whose write key a POST needs. */
  source: 'web' | 'shop_backend';
};

export type Planted = {
  kind: PlantedKind;
  encoding: string;
  place: string;
  /** The value as it is written in the request. */
  text: string;
  request: PlantedRequest;
};

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
const SHOP = 'https://www.lindenblatt.example';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const everyByte = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const fullwidth = (text: string): string =>
  text.replace(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0));
const arabic = (text: string): string => text.replace(/\d/g, (digit) => String.fromCharCode(0x660 + Number(digit)));
const times = (count: number, encode: (text: string) => string, text: string): string =>
  count === 0 ? text : times(count - 1, encode, encode(text));

const pixel = (parameters: Record<string, string>, headers: Record<string, string> = {}): PlantedRequest => ({
  method: 'GET',
  path: '/p.gif',
  query: Object.entries({ e: 'product_view', site: 'shop', p: 'SKU-1', ...parameters }),
  headers: { 'user-agent': AGENT, ...headers },
  source: 'web',
});

const page = (address: string): PlantedRequest => pixel({ e: 'view' }, { referer: SHOP + address });

const message = (source: PlantedRequest['source'], path: string, body: Record<string, unknown>): PlantedRequest => ({
  method: 'POST',
  path,
  query: [],
  headers: { 'user-agent': AGENT, ...(source === 'web' && { origin: SHOP }) },
  body,
  source,
});

const track = (properties: Record<string, unknown>, rest: Record<string, unknown> = {}): PlantedRequest =>
  message('web', '/v1/track', {
    type: 'track',
    event: 'Product Viewed',
    properties: { product_id: 'SKU-1', ...properties },
    ...rest,
  });

const order = (properties: Record<string, unknown>, rest: Record<string, unknown> = {}): PlantedRequest =>
  message('shop_backend', '/v1/track', {
    type: 'track',
    event: 'Order Completed',
    userId: 'customer-1',
    properties: { order_id: 'A-1', currency: 'EUR', ...properties },
    ...rest,
  });

const traits = (said: Record<string, unknown>): PlantedRequest =>
  message('shop_backend', '/v1/identify', { type: 'identify', userId: 'customer-1', traits: said });

const context = (said: Record<string, unknown>): PlantedRequest => track({}, { context: said });

type Row = [PlantedKind, encoding: string, text: string, place: string, request: (text: string) => PlantedRequest];

const { email, phone, iban, ip } = VALUES;

const ROWS: readonly Row[] = [
  // Parameters of the pixel.
  ['email', 'plain', email, 'pixel: campaign', (c) => pixel({ c })],
  ['email', 'percent', encodeURIComponent(email), 'pixel: category', (cat) => pixel({ cat })],
  ['email', 'percent, twice', times(2, encodeURIComponent, email), 'pixel: order id', (o) => pixel({ e: 'order', o })],
  ['email', 'base64', base64(email), 'pixel: product id', (p) => pixel({ p })],
  ['email', 'upper case', email.toUpperCase(), 'pixel: event name', (e) => pixel({ e })],
  ['email', 'plain', email, 'pixel: unknown parameter', (mail) => pixel({ mail })],
  ['phone', 'plain', phone, 'pixel: placement', (pl) => pixel({ pl })],
  ['phone', 'plus sign lost in a form', phone.replace('+', ' '), 'pixel: creative', (cr) => pixel({ cr })],
  ['phone', 'E.164', phone.replaceAll(' ', ''), 'pixel: order id', (o) => pixel({ e: 'order', o })],
  ['iban', 'plain', iban, 'pixel: currency', (cu) => pixel({ cu, v: '1' })],
  ['iban', 'groups of four', iban.replace(/.{4}/g, '$& '), 'pixel: campaign', (c) => pixel({ c })],
  ['ip', 'plain', ip, 'pixel: message id', (mid) => pixel({ mid })],
  ['ip', 'dots in brackets', ip.replaceAll('.', '[.]'), 'pixel: category', (cat) => pixel({ cat })],
  // The page's address and what the request says of itself.
  ['email', 'percent, three times', times(3, encodeURIComponent, email), 'page: path', (text) => page(`/u/${text}`)],
  ['email', 'every byte percent', everyByte(email), 'page: utm_campaign', (text) => page(`/?utm_campaign=${text}`)],
  ['email', 'base64url', base64url(email), 'page: gclid', (text) => page(`/?gclid=${text}`)],
  [
    'email',
    'userinfo',
    encodeURIComponent(email),
    'page: userinfo',
    (text) => pixel({}, { referer: `https://${text}@www.lindenblatt.example/` }),
  ],
  ['phone', 'percent', encodeURIComponent(phone), 'page: fragment', (text) => page(`/#tel=${text}`)],
  ['iban', 'plain', iban, 'page: unknown parameter', (text) => page(`/?konto=${text}`)],
  ['ip', 'plain', ip, 'referrer: host', (text) => pixel({}, { referer: `https://${text}/wiki` })],
  ['ip', 'plain', ip, 'header: x-forwarded-for', (text) => pixel({}, { 'x-forwarded-for': text })],
  ['email', 'plain', email, 'header: user agent', (text) => pixel({}, { 'user-agent': `Mozilla/5.0 (${text})` })],
  ['ip', 'plain', ip, 'header: user agent', (text) => pixel({}, { 'user-agent': text })],
  ['iban', 'plain', iban, 'header: user agent', (text) => pixel({}, { 'user-agent': `${text}/1.0 (x)` })],
  [
    'phone',
    'E.164',
    phone.replaceAll(' ', ''),
    'context: user agent',
    (userAgent) => order({}, { context: { userAgent: `Shop ${userAgent}/1 (iPhone; CPU)` } }),
  ],
  [
    'email',
    'percent',
    encodeURIComponent(email),
    'header: cookie',
    (text) => pixel({}, { cookie: `paula_id=${text}; mail=${text}` }),
  ],
  ['phone', 'plain', phone, 'header: accept-language', (text) => pixel({}, { 'accept-language': text })],
  // Segment messages.
  ['email', 'full width', fullwidth(email), 'properties: category', (category) => track({ category })],
  [
    'email',
    'spelled out',
    email.replace('@', ' (at) ').replace('.com', ' (dot) com'),
    'properties: coupon',
    (coupon) => order({ coupon }),
  ],
  [
    'email',
    'HTML, decimal',
    email.replace('@', '&#64;'),
    'order line: category',
    (category) => order({ products: [{ product_id: 'SKU-1', category, price: 1 }] }),
  ],
  [
    'email',
    'HTML, hexadecimal',
    email.replace('@', '&#x40;'),
    'order line: product id',
    (id) => order({ products: [{ product_id: id, price: 1 }] }),
  ],
  [
    'email',
    'JSON in base64',
    base64(JSON.stringify({ email })),
    'context: campaign name',
    (name) => context({ campaign: { name } }),
  ],
  [
    'email',
    'zero-width spaces',
    email.replace('@', '\u200b@\u200b'),
    'traits: planned',
    (text) => traits({ skin_type: text, email: text }),
  ],
  ['email', 'plain', email, 'traits: unplanned', (text) => traits({ email: text, name: text })],
  ['email', 'plain', email, 'name of a property', (text) => track({ [text]: 'yes', category: 'care' })],
  ['email', 'plain', email, 'event name', (event) => track({}, { event })],
  [
    'phone',
    'thin spaces and dashes',
    '0171\u2009–\u20091234567',
    'properties: category',
    (category) => track({ category }),
  ],
  [
    'phone',
    'Arabic-Indic digits',
    arabic('01711234567'),
    'order line: category',
    (category) => order({ products: [{ product_id: 'SKU-1', category, price: 1 }] }),
  ],
  ['phone', '00 for the plus sign', phone.replace('+', '00'), 'traits: planned', (text) => traits({ skin_type: text })],
  [
    'phone',
    'JavaScript escape',
    phone.replace('+', '\\u002b'),
    'context: page path',
    (path) => context({ page: { path: `/${path}` } }),
  ],
  [
    'iban',
    'lower case, dashes',
    iban.toLowerCase().replace(/.{4}(?=.)/g, '$&-'),
    'properties: coupon',
    (coupon) => order({ coupon }),
  ],
  ['iban', 'base64', base64(iban), 'message id', (messageId) => track({}, { messageId })],
  [
    'iban',
    'percent',
    everyByte(iban),
    'context: page URL',
    (text) => context({ page: { url: `${SHOP}/k/${text}`, title: text } }),
  ],
  ['iban', 'glued to a name', `iban${iban}`, 'properties: category', (category) => track({ category })],
  [
    'ip',
    'full width',
    fullwidth(ip),
    'context: location country',
    (country) => context({ location: { country }, ip: country }),
  ],
  ['ip', 'IPv4 in IPv6', `::ffff:${ip}`, 'properties: category', (category) => track({ category })],
  [
    'ip',
    'percent',
    ip.replaceAll('.', '%2E'),
    'context: user agent',
    (userAgent) => order({}, { context: { userAgent } }),
  ],
  ['ip', 'plain', ip, 'timestamp', (timestamp) => track({}, { timestamp })],
];

/** Every value in many encodings and places. */
export const PLANTED: readonly Planted[] = ROWS.map(([kind, encoding, text, place, request]) => ({
  kind,
  encoding,
  place,
  text,
  request: request(text),
}));

/** What betrays a value in a text of which only letters and digits, in lower case, are left. */
const TRACES: readonly [PlantedKind, RegExp][] = [
  ['email', /paulamuster/],
  ['phone', /1711234567/],
  ['iban', /de89370400440532013000|370400440532013000/],
  ['ip', /2030113117/],
];

/**
 * The planted values that a stored text still holds, as they are or behind encodings that a reader could undo. Written
 * apart from the redaction, so that what one overlooks the other sees.
 */
export function leaksIn(stored: string): PlantedKind[] {
  const forms = new Set([stored]);
  for (let round = 0; round < 6; round++)
    for (const form of [...forms]) for (const next of undone(form)) if (next !== form) forms.add(next);
  return TRACES.flatMap(([kind, trace]) =>
    [...forms].some((form) => trace.test(form.toLowerCase().replace(/[^a-z0-9]/g, ''))) ? [kind] : [],
  );
}

function undone(text: string): string[] {
  const percent = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const html = text.replace(/&#(x?)([0-9a-f]+);?/gi, (_, x: string, code: string) =>
    String.fromCharCode(Number.parseInt(code, x ? 16 : 10)),
  );
  const script = text.replace(/\\+u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const digits = text.replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x660));
  const decoded = text.replace(/[A-Za-z0-9+/_-]{8,}/g, (run) => {
    const bytes = Buffer.from(run, 'base64').toString('latin1');
    return /^[\x20-\x7e]+$/.test(bytes) ? bytes : run;
  });
  return [percent, html, script, digits, decoded, text.normalize('NFKC')];
}
