import { isUnexpandedMacro } from './macros.ts';
import type { Sent } from './sent.ts';
import { EVENT_ALIASES } from './standard-fields.ts';
import type { TcParameters } from './tcf-signal.ts';
import type { TrackingPlan } from './tracking-plan.ts';

/** The pixel's and the click's short parameters and the tracking-plan field that each one fills. */
const PARAMETERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    c: 'campaign',
    pl: 'placement',
    cr: 'creative',
    p: 'product_id',
    cat: 'category',
    v: 'value',
    cu: 'currency',
    q: 'quantity',
    o: 'order_id',
  }),
);

/** All that a browser says of the page to another origin by default (Referrer Policy, section 3.7): that is no path. */
const BARE_ORIGIN = /^https?:\/\/[^/?#]+\/?$/;

const FIELD_PATHS: Readonly<Record<string, string>> = Object.fromEntries(
  [...PARAMETERS].map(([short, field]) => [field, short]),
);

/** Parameters that carry a choice. What an ad server left of them as a macro is told from one that is absent. */
const SIGNALS: ReadonlySet<string> = new Set(['gdpr_consent', 'gpp', 'gpp_sid'] satisfies (keyof TcParameters)[]);

/**
 * Parameters with a meaning outside the event. `cb` is a cache buster and ignored; so is `gdpr`, a caller's claim that the
 * law does not apply.
 */
const OTHERS: ReadonlySet<string> = new Set(['e', 'site', 'mid', 'to', 'gdpr', 'cb', ...SIGNALS]);

/** The page that carries the pixel, as its Referer header names it, and the browser's user agent. */
type Page = { url: string | undefined; userAgent: string | undefined };

export type PixelRequest = {
  sent: Sent;
  to: string | undefined;
  /** The parameters that carry a choice, as they came; absent where the request has none. */
  signal: TcParameters | undefined;
  /** Unknown parameters, dropped. */
  unknown: number;
  /** Parameters that an ad server left as macros, treated as empty. */
  macros: number;
};

/** Reads the parameters of a pixel; the first of a repeated parameter stands. `undefined` where the site is unknown. */
export function readPixel(query: URLSearchParams, page: Page, plan: TrackingPlan): PixelRequest | undefined {
  return readParameters(
    query,
    page,
    plan,
    (e) => (Object.hasOwn(EVENT_ALIASES, e) ? EVENT_ALIASES[e] : undefined) ?? e,
  );
}

/** Reads the parameters of a click: always Ad Clicked, or with `e=email_click` Email Link Clicked. */
export function readClick(query: URLSearchParams, page: Page, plan: TrackingPlan): PixelRequest | undefined {
  return readParameters(query, page, plan, (e) => (e === 'email_click' ? 'Email Link Clicked' : 'Ad Clicked'));
}

function readParameters(
  query: URLSearchParams,
  page: Page,
  plan: TrackingPlan,
  eventOf: (e: string) => string,
): PixelRequest | undefined {
  const fields: Record<string, string> = {};
  const others = new Map<string, string>();
  let unknown = 0;
  let macros = 0;
  for (const [name, value] of query) {
    const field = PARAMETERS.get(name);
    if (field === undefined && !OTHERS.has(name)) {
      unknown++;
    } else if (isUnexpandedMacro(value)) {
      if (name !== 'cb') macros++;
      if (SIGNALS.has(name) && !others.has(name)) others.set(name, value);
    } else if (field === undefined) {
      if (!others.has(name)) others.set(name, value);
    } else if (fields[field] === undefined) {
      fields[field] = value;
    }
  }
  const site = others.get('site') ?? '';
  const source = plan.pixelSources.get(site);
  if (source === undefined) return undefined;
  return {
    sent: {
      channel: 'browser',
      source,
      site,
      event: eventOf(others.get('e') ?? ''),
      eventPath: 'e',
      messageId: others.get('mid') || undefined,
      field: (name) => fields[name],
      paths: FIELD_PATHS,
      fieldPrefix: '',
      pageUrl: page.url !== undefined && BARE_ORIGIN.test(page.url) ? undefined : page.url,
      referrer: page.url,
      userAgent: page.userAgent,
    },
    to: others.get('to'),
    signal: signalOf(others),
    unknown,
    macros,
  };
}

/** `gpp_sid` alone says nothing: it is about the other parameter. */
function signalOf(others: ReadonlyMap<string, string>): TcParameters | undefined {
  const gdpr_consent = others.get('gdpr_consent');
  const gpp = others.get('gpp');
  return gdpr_consent === undefined && gpp === undefined
    ? undefined
    : { gdpr_consent, gpp, gpp_sid: others.get('gpp_sid') };
}
