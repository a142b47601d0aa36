import type { PaulaConfig } from './config.ts';
import type { SegmentText } from './erasure.ts';
import type { Profile } from './profile.ts';
import { PURPOSES } from './purposes.ts';
import type { RequestItem } from './rights.ts';

/** A line of an unload: columns by name, as JSON has them. */
export type Row = Readonly<Record<string, unknown>>;

/** What is known of the subjects of an access request, by store. */
export type BundleParts = {
  request: RequestItem;
  /** One for each subject that has one; the person's first. */
  profiles: readonly Profile[];
  /** The devices of a person, by number: their ids are nobody's business but ours. */
  devices: number;
  receipts: readonly Row[];
  /** When the subject has objected to direct marketing; milliseconds since the epoch. */
  objected?: number;
  events: readonly Row[];
  features: readonly Row[];
  segments: readonly Row[];
  segmentTexts: Readonly<Record<string, SegmentText>>;
  /** Milliseconds since the epoch. */
  madeAt: number;
};

/**
 * The answer to an access request (GDPR Art. 15(1) and 20): the data, and what has to be said of them. It holds the data of
 * its own subjects and nobody else's; ids that only we understand are left out.
 */
export function bundleOf(config: PaulaConfig, parts: BundleParts): Record<string, unknown> {
  const { request, objected } = parts;
  return {
    request: { id: request.id, received_at: iso(request.received_at), made_at: iso(parts.madeAt) },
    controller: { name: config.brand.controller, contact: config.brand.contact },
    subject: { asked_as: request.channel, devices: parts.devices },
    ...(objected !== undefined && { objection_to_direct_marketing: iso(objected) }),
    profile: parts.profiles.map(profilePart),
    receipts: parts.receipts.map(({ pk: _, sk: __, ttl: ___, ...receipt }) => ({
      ...receipt,
      ...Object.fromEntries(RECEIPT_TIMES.flatMap((name) => (name in receipt ? [[name, iso(receipt[name])]] : []))),
    })),
    segments: parts.segments.map(({ segment_id, entered_at, left_at }) => ({
      segment: segment_id,
      reason: parts.segmentTexts[String(segment_id)] ?? 'a segment that no longer exists',
      entered_at: iso(entered_at),
      ...(left_at != null && { left_at: iso(left_at) }),
    })),
    features: parts.features.map(({ family, feature }) => ({ family, feature })),
    events: parts.events.map(({ request_id: _, event_id: __, occurred_at, received_at, ...event }) => ({
      occurred_at: iso(occurred_at),
      received_at: iso(received_at),
      ...Object.fromEntries(Object.entries(event).filter(([, value]) => value != null)),
    })),
    sources: Object.entries(config.sources).map(([source, { kind, site }]) => ({ source, kind, site })),
    recipients: Object.entries(config.destinations).map(([recipient, { country, transferMechanism }]) => ({
      recipient,
      country,
      transfer: transferMechanism,
    })),
    purposes: PURPOSES.map((purpose) => {
      const { legalBasis, retentionDays, notice } = config.purposes[purpose];
      return { purpose, legal_basis: legalBasis, retention_days: retentionDays, notice: notice.version };
    }),
    retention: { raw_data_days: config.rawRetentionDays },
  };
}

const RECEIPT_TIMES = ['given_at', 'expires_at', 'signal_updated_at', 'email_requested_at', 'email_confirmed_at'];

const iso = (time: unknown): string | null =>
  Number.isFinite(Number(time)) && time != null ? new Date(Number(time)).toISOString() : null;

/** Rings and positions are left out: they are hashes and numbers of ours that say nothing of the person. */
function profilePart(profile: Profile): Record<string, unknown> {
  const { firstSeen, lastSeen, counts, totals, firstTouch, lastTouch, products, categories, campaigns } = profile;
  const touch = (value: Profile['firstTouch']) => {
    if (!value) return {};
    const { id: _, at, ...rest } = value;
    return { at: iso(at), ...Object.fromEntries(Object.entries(rest).filter(([, text]) => text !== undefined)) };
  };
  return {
    first_seen: iso(firstSeen),
    last_seen: iso(lastSeen),
    events: Object.fromEntries(counts),
    totals: Object.fromEntries(
      [...totals].map(([currency, { orders, refunds, revenue }]) => [
        currency,
        { orders, refunds, revenue_in_ten_thousandths: String(revenue) },
      ]),
    ),
    first_touch: touch(firstTouch),
    last_touch: touch(lastTouch),
    interest_in_products: Object.fromEntries(products),
    interest_in_categories: Object.fromEntries(categories),
    campaigns: Object.fromEntries([...campaigns].map(([campaign, { impressions }]) => [campaign, { impressions }])),
    recent_ad_impressions: [...profile.impressions.values()]
      .flat()
      .sort((a, b) => a - b)
      .map((second) => iso(second * 1000)),
    products_bought: profile.purchases.size,
  };
}

/**
 * The same as CSV (RFC 4180), one line for each value: the part, the number of the record in it, the field and the value. A
 * value that a spreadsheet would take for a formula gets an apostrophe in front.
 */
export function bundleCsv(bundle: Readonly<Record<string, unknown>>): string {
  const lines = ['part,record,field,value'];
  for (const [part, content] of Object.entries(bundle)) {
    const records = Array.isArray(content) ? content : [content];
    for (const [i, record] of records.entries())
      for (const [field, value] of leaves(record, ''))
        lines.push([part, String(i + 1), field, value].map(quoted).join(','));
  }
  return `${lines.join('\r\n')}\r\n`;
}

function* leaves(value: unknown, path: string): Generator<[field: string, value: string]> {
  if (typeof value !== 'object' || value === null) yield [path, value === null ? '' : String(value)];
  else for (const [name, inner] of Object.entries(value)) yield* leaves(inner, path === '' ? name : `${path}.${name}`);
}

function quoted(text: string): string {
  const safe = /^[=+@\t\r-]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
