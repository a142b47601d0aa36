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

/** A web address: the host without user info and port, the path, the query. The engine's URL parser costs five times this. */
const WEB_ADDRESS = /^https?:\/\/(?:[^/?#@\\]*@)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d*)?(\/[^?#]*)?(\?[^#]*)?/i;
const PATH_ADDRESS = /^()(\/[^?#]*)(\?[^#]*)?/;

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
  const parts = (address.startsWith('/') ? PATH_ADDRESS : WEB_ADDRESS).exec(address);
  if (parts === null) return {};
  const [, , path = '/', query] = parts;
  const kept: PageAddress = { page_path: path };
  if (query === undefined) return kept;
  for (const [name, value] of new URLSearchParams(query)) {
    if (value === '') continue;
    if (CAMPAIGN_PARAMETERS.has(name)) kept[name as 'utm_source'] ??= value;
    else if (CLICK_ID_PARAMETERS.has(name)) kept.click_id ??= value;
  }
  return kept;
}

/** The host of a referring page; `undefined` where the text is no absolute web address. */
export function readReferrerHost(referrer: string | undefined): string | undefined {
  return referrer === undefined ? undefined : WEB_ADDRESS.exec(referrer)?.[1]?.toLowerCase();
}
