import type { Language } from './notice.ts';
import type { Purpose } from './purposes.ts';

/** Version of the event record and of the lake's row; raised when a field changes its meaning. */
export const SCHEMA_VERSION = 1;

/**
 * An accepted event: parsed, cut to the granted purposes, redacted and enriched. Field names are the lake's column names.
 * Times are milliseconds since the epoch, UTC. `value` is a decimal text with at most four places.
 */
export type EventRecord = {
  kind: 'event';
  schema_version: number;
  event_id: string;
  /** Absent where the event was counted anonymously. */
  source?: string;
  site: string;
  event: string;
  occurred_at: number;
  received_at: number;
  /** The browser's clock was outside the clamp and was moved to its edge. */
  time_clamped?: true;
  device_id?: string;
  person_id?: string;
  click_id?: string;
  campaign?: string;
  placement?: string;
  creative?: string;
  product_id?: string;
  category?: string;
  order_id?: string;
  quantity?: number;
  value?: string;
  currency?: string;
  page_path?: string;
  referrer_host?: string;
  utm_source?: string;
  utm_medium?: string;
  utm_campaign?: string;
  device_class?: string;
  browser?: string;
  os?: string;
  country?: string;
  is_bot: boolean;
  bot_reason?: string;
  purposes: Purpose[];
  basis: 'consent' | 'legitimate_interest' | 'anonymous';
  /** Tracking-plan fields without a column of their own; `products` holds an order's lines as JSON, in the sender's order. */
  properties?: Record<string, string>;
};

/** One line of an order as it stands in `properties.products`. `price` is per unit, a decimal text; quantity is signed. */
export type OrderLine = { product_id: string; category?: string; quantity: number; price?: string };

/** A refused event: its reason and the path of the offending field, never a value of the sender's. */
export type RejectionRecord = {
  kind: 'rejected';
  received_at: number;
  source?: string;
  site?: string;
  /** Only a name that the tracking plan knows. */
  event?: string;
  reason: string;
  path?: string;
};

/** A device belongs to a person since a time under a receipt; `removed_at` says that it no longer does. */
export type LinkRecord = {
  kind: 'link';
  device_id: string;
  person_id: string;
  since: number;
  receipt_id: string;
  removed_at?: number;
};

/**
 * A consent receipt (fields of ISO/IEC TS 27560). The newest of a subject is in force; a purpose that is not granted in it
 * is withdrawn.
 */
export type ConsentRecord = {
  kind: 'consent';
  receipt_id: string;
  /** A device id or a person id. */
  subject: string;
  site: string;
  granted: Purpose[];
  /** Purposes that an earlier receipt granted and this one does not. */
  withdrawn: Purpose[];
  method: 'browser' | 'server' | 'tcf' | 'import';
  /** Of the brand's notice; `tcf` where a TC string speaks, whose dialogue showed the framework's. */
  notice_version: string;
  given_at: number;
  expires_at: number;
  prior_receipt_id?: string;
  /** The brand's name. */
  controller: string;
  /** Of the text that was shown, where the caller said it. */
  language?: Language;
  /** SHA-256 of the notice that the version stands for, lower-case hex; absent where the TCF's text was shown. */
  notice_digest?: string;
  /** `purpose=basis` of each granted purpose, with commas; absent where none is granted. */
  legal_basis?: string;
  /** The region in which the receipt is kept. */
  region: string;
  signal_kind: 'own' | 'tcf';
  /** SHA-256 of the TC string, lower-case hex. The string itself is never kept. */
  signal_digest?: string;
  signal_updated_at?: number;
  /** What allows mail (UWG section 7(2) no. 2 and 7(3)); only where `email` is granted. */
  email_permission?: 'double_opt_in' | 'existing_customer';
  email_requested_at?: number;
  email_confirmed_at?: number;
  email_text_version?: string;
};

/**
 * A subject was erased: the tombstone is the lower-case hex SHA-256 of the salt and its id, so that late copies can be kept
 * out. The salt is the stage's one (none is the empty one).
 */
export type ErasureRecord = {
  kind: 'erasure';
  tombstone: string;
  request_id: string;
  erased_at: number;
  salt?: string;
};

/** A subject, by the same salted hash, asked for its data, or objected to direct marketing. */
export type RightRecord = {
  kind: 'right';
  request_kind: 'access' | 'objection';
  subject_hash: string;
  salt: string;
  request_id: string;
  requested_at: number;
};

export type StreamRecord = EventRecord | RejectionRecord | LinkRecord | ConsentRecord | ErasureRecord | RightRecord;

const KINDS: ReadonlySet<string> = new Set<StreamRecord['kind']>([
  'event',
  'rejected',
  'link',
  'consent',
  'erasure',
  'right',
]);

/**
 * Reads one record of the stream. Only the door writes the stream, so a text that is no record is a fault of ours:
 * it throws, and the consumer's failure path keeps the batch.
 */
export function decodeStreamRecord(text: string): StreamRecord {
  const record = JSON.parse(text) as StreamRecord;
  if (!KINDS.has(record.kind)) throw new Error(`stream record of unknown kind "${record.kind}"`);
  return record;
}

/** The profile that an event folds into: a server event's person, else its device; none when it was counted anonymously. */
export function profileOf(record: EventRecord): string | undefined {
  return record.person_id ?? record.device_id;
}
