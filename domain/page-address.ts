/** Query parameters that are read from a page's address; all others are dropped unread. */
const CAMPAIGN_PARAMETERS = ['utm_source', 'utm_medium', 'utm_campaign'] as const;

/** Click ids of the large ad platforms: Google (gclid, wbraid, gbraid, dclid), Meta, Microsoft, TikTok, The Trade Desk. */
const CLICK_ID_PARAMETERS = ['gclid', 'wbraid', 'gbraid', 'dclid', 'fbclid', 'msclkid', 'ttclid', 'ttd_id'] as const;

/** Relative addresses are read against a host that says nothing. */
const NO_HOST = 'https://relative.invalid';

export type PageAddress = {
  page_path?: string;
  utm_source?: string;
  utm_medium?: string;
  utm_campaign?: string;
  click_id?: string;
};

/** What may be kept of a page's address: path, campaign parameters, a click id. Not the host, the rest or the fragment. */
export function readPageAddress(address: string | undefined): PageAddress {
  if (address === undefined || address === '') return {};
  const url = URL.parse(address, NO_HOST);
  if (url === null) return {};
  const kept: PageAddress = { page_path: url.pathname };
  if (url.search === '') return kept;
  for (const name of CAMPAIGN_PARAMETERS) {
    const value = url.searchParams.get(name);
    if (value) kept[name] = value;
  }
  for (const name of CLICK_ID_PARAMETERS) {
    const value = url.searchParams.get(name);
    if (value) {
      kept.click_id = value;
      break;
    }
  }
  return kept;
}

/** The host of a referring page; `undefined` where the text is no absolute web address. */
export function readReferrerHost(referrer: string | undefined): string | undefined {
  if (referrer === undefined || !referrer.startsWith('http')) return undefined;
  return URL.parse(referrer)?.hostname || undefined;
}
