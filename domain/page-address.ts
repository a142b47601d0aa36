/** Query parameters that are read from a page's address; all others are dropped unread. */
const CAMPAIGN_PARAMETERS: ReadonlySet<string> = new Set(['utm_source', 'utm_medium', 'utm_campaign']);

/** Click ids of the large ad platforms: Google (gclid, wbraid, gbraid, dclid), Meta, Microsoft, TikTok, The Trade Desk. */
const CLICK_ID_PARAMETERS: ReadonlySet<string> = new Set([
  'gclid',
  'wbraid',
  'gbraid',
  'dclid',
  'fbclid',
  'msclkid',
  'ttclid',
  'ttd_id',
]);

/** The start of a web address, up to its host. */
const WEB_SCHEME = /^https?:\/\//i;

/** A web address: the host without user info and port. The engine's URL parser costs five times this. */
const WEB_HOST = /^https?:\/\/(?:[^/?#@\\]*@)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(?=[:/?#]|$)/i;

export type PageAddress = {
  page_path?: string;
  utm_source?: string;
  utm_medium?: string;
  utm_campaign?: string;
  click_id?: string;
};

/** What may be kept of a page's address (absolute, or a path): path, campaign parameters, a click id. Not the host, the rest or the fragment. */
export function readPageAddress(address: string | undefined): PageAddress {
  if (address === undefined) return {};
  const host = address.startsWith('/') ? hostOfPath(address) : (WEB_SCHEME.exec(address)?.[0].length ?? -1);
  if (host === -1) return {};
  const fragment = address.indexOf('#', host);
  const end = fragment === -1 ? address.length : fragment;
  const mark = address.indexOf('?', host);
  const pathEnd = mark === -1 || mark > end ? end : mark;
  const path = address.indexOf('/', host);
  const kept: PageAddress = { page_path: path === -1 || path >= pathEnd ? '/' : address.slice(path, pathEnd) };
  if (pathEnd < end) readQuery(address.slice(pathEnd + 1, end), kept);
  return kept;
}

/** A path has no host; two slashes begin one that leaves the scheme to the page (RFC 3986, section 4.2). */
const hostOfPath = (address: string): number => (address.startsWith('//') ? 2 : 0);

/** Takes what is kept out of a query. Without an escape it is its own decoding, and cutting it up is cheaper than to parse it. */
function readQuery(query: string, kept: PageAddress): void {
  if (query.includes('%') || query.includes('+')) {
    for (const [name, value] of new URLSearchParams(query)) keep(name, value, kept);
    return;
  }
  for (let start = 0; start < query.length; ) {
    const next = query.indexOf('&', start);
    const end = next === -1 ? query.length : next;
    const equals = query.indexOf('=', start);
    if (equals !== -1 && equals < end) keep(query.slice(start, equals), query.slice(equals + 1, end), kept);
    start = end + 1;
  }
}

function keep(name: string, value: string, kept: PageAddress): void {
  if (value === '') return;
  if (CAMPAIGN_PARAMETERS.has(name)) kept[name as 'utm_source'] ??= value;
  else if (CLICK_ID_PARAMETERS.has(name)) kept.click_id ??= value;
}

/** The host of a referring page; `undefined` where the text is no absolute web address. */
export function readReferrerHost(referrer: string | undefined): string | undefined {
  return referrer === undefined ? undefined : WEB_HOST.exec(referrer)?.[1]?.toLowerCase();
}
