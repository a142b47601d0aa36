import type { AgeSignal } from './age-signal.ts';
import { settleAmounts } from './amounts.ts';
import { type FieldValue, type Issue, MAX_LINE_TEXT, readField, type SentLine } from './field-values.ts';
import { formatMoney } from './money.ts';
import { clamp, parseTimestamp } from './occurred-at.ts';
import { readPageAddress, readReferrerHost } from './page-address.ts';
import { opens, type Purpose, purposeMask } from './purposes.ts';
import { IN_IDS, type Redaction, redact } from './redact.ts';
import type { Sent } from './sent.ts';
import type { SpecialCategoryFinder } from './special-categories.ts';
import { STANDARD_FIELDS } from './standard-fields.ts';
import { type EventRecord, type OrderLine, type RejectionRecord, SCHEMA_VERSION } from './stream-record.ts';
import type { PlannedEvent, PlannedEventField, TrackingPlan } from './tracking-plan.ts';

/** What a user agent says, cut down to classes and major versions. */
export type UserAgent = { deviceClass: string; browser?: string; os?: string; isBot: boolean; botReason?: string };

/** What the door knows about the request, which the sender cannot claim. */
export type Arrival = {
  receivedAt: number;
  requestId: string;
  /** Place within a batch, from 0. */
  position: number;
  deviceId?: string | undefined;
  personId?: string | undefined;
  /** Purposes in force for this event after every cut. */
  granted: readonly Purpose[];
  /** What the granted purposes rest on; consent where it is absent. */
  basis?: Exclude<EventRecord['basis'], 'anonymous'> | undefined;
  /** ISO 3166-1 alpha-2, derived from the address in memory. */
  country?: string | undefined;
  /** What the message says of the person's age; for this decision alone. */
  age?: AgeSignal | undefined;
};

export type AdmitDeps = {
  plan: TrackingPlan;
  /** Keyed hash of a text, base64url (HMAC-SHA-256 with the event key). */
  eventId: (text: string) => string;
  readUserAgent: (userAgent: string | undefined) => UserAgent;
};

/** What was taken out of an event's texts: personal data in clear, or what tells of a special category. */
export type Removal = Redaction | 'special_category';

/**
 * The outcome of admission. `accepted` and `rejected` go to the stream; `counted` may be kept as a number only.
 * A rejection holds its reason and the paths of the offending fields, never a value.
 */
export type Admission =
  | { outcome: 'accepted'; record: EventRecord; redacted: readonly Removal[] }
  | { outcome: 'rejected'; record: RejectionRecord; issues: readonly Issue[] }
  | { outcome: 'counted'; reason?: 'minor' };

/**
 * Judges one event, once, at the door: parse -> consent -> minimise -> enrich. Pure: the same claim under the same
 * arrival gives the same record.
 */
export function admit(sent: Sent, arrival: Arrival, deps: AdmitDeps): Admission {
  if (arrival.age === 'under_16') return { outcome: 'counted', reason: 'minor' };
  const parsed = parse(sent, arrival, deps.plan);
  if ('issues' in parsed) return rejection(sent, arrival, deps.plan, parsed.reason, parsed.issues);
  const verdict = consent(sent, arrival, deps.plan);
  if (verdict === 'counter') return { outcome: 'counted' };
  const anonymous = verdict === 'anonymous';
  const mask = purposeMask(anonymous ? ANONYMOUS_BASIS : arrival.granted);
  const draft: Draft = {
    ...parsed,
    mask,
    redacted: [],
    record: identifiedRecord(parsed, sent, arrival, deps),
    findSpecial: anonymous ? undefined : specialFinder(arrival.granted, deps.plan),
  };
  minimise(draft);
  enrich(draft, sent, arrival, deps);
  const record = anonymous ? anonymousRecord(draft.record, arrival, deps) : draft.record;
  return { outcome: 'accepted', record, redacted: draft.redacted };
}

type Parsed = {
  event: PlannedEvent;
  values: Map<string, FieldValue>;
  occurredAt: number;
  clamped: boolean;
};

/** An event on its way: its values, the purposes as bits, and the record that takes what is kept. */
type Draft = Parsed & {
  mask: number;
  redacted: Removal[];
  record: EventRecord;
  /** Tells which texts may not be kept; absent where all may. */
  findSpecial: SpecialCategoryFinder | undefined;
};

/**
 * What tells of a special category (GDPR Art. 9) is kept of nobody who has not explicitly consented to it: a page, a
 * campaign or a product of an illness says as much of its visitor as of itself (CJEU C-21/23). An anonymous count is no one's.
 */
function specialFinder(granted: readonly Purpose[], plan: TrackingPlan): SpecialCategoryFinder | undefined {
  const { explicitConsentPurpose } = plan.config.specialCategories;
  return explicitConsentPurpose !== undefined && granted.includes(explicitConsentPurpose)
    ? undefined
    : plan.findSpecial;
}

function parse(sent: Sent, arrival: Arrival, plan: TrackingPlan): Parsed | { reason: string; issues: Issue[] } {
  const event = plan.events.get(sent.event);
  if (!event)
    return {
      reason: 'event_unknown',
      issues: [{ path: sent.eventPath, rule: 'must be an event of the tracking plan' }],
    };
  const source = plan.config.sources[sent.source];
  if (source?.events && !source.events.includes(event.name))
    return { reason: 'event_not_allowed', issues: [{ path: sent.eventPath, rule: 'is not allowed for this source' }] };

  const issues: Issue[] = [];
  const values = new Map<string, FieldValue>();
  for (const field of event.fields) {
    const raw = sent.field(field.name);
    if (raw === undefined) continue;
    const found = issues.length;
    const value = readField(field, raw, issues);
    if (value !== undefined) values.set(field.name, value);
    for (let i = found; i < issues.length; i++) {
      const issue = issues[i] as Issue;
      issue.path = pathOf(sent, field.name) + issue.path;
    }
  }
  settleAmounts(event.name, values, (field) => pathOf(sent, field), issues);
  for (const name of event.required) requireField(name, values, sent, issues);
  // Money without a currency adds up to nothing that means anything.
  if (values.has('value') && event.byName.has('currency')) requireField('currency', values, sent, issues);
  const time = occurredAt(sent, arrival);
  if (time === undefined)
    issues.push({ path: 'timestamp', rule: 'must be an ISO 8601 time between the years 2000 and 2099' });
  if (issues.length > 0 || time === undefined)
    return { reason: issues[0]?.rule === 'is required' ? 'field_missing' : 'field_invalid', issues };
  return { event, values, occurredAt: time.at, clamped: time.clamped };
}

function requireField(name: string, values: ReadonlyMap<string, FieldValue>, sent: Sent, issues: Issue[]): void {
  if (values.has(name)) return;
  const path = pathOf(sent, name);
  if (!issues.some((issue) => issue.path === path)) issues.push({ path, rule: 'is required' });
}

const pathOf = (sent: Sent, field: string): string => sent.paths?.[field] ?? sent.fieldPrefix + field;

function occurredAt(sent: Sent, arrival: Arrival): { at: number; clamped: boolean } | undefined {
  if (sent.timestamp == null) return { at: arrival.receivedAt, clamped: false };
  const time = typeof sent.timestamp === 'string' ? parseTimestamp(sent.timestamp) : undefined;
  return time === undefined ? undefined : clamp(time, arrival.receivedAt, sent.channel);
}

/** Without an open purpose an event is counted without an id where the site allows that, else it is a counter only. */
function consent(sent: Sent, arrival: Arrival, plan: TrackingPlan): 'consent' | 'anonymous' | 'counter' {
  const { lake, fold } = opens(arrival.granted, sent.channel);
  if ((lake || fold) && (arrival.personId ?? arrival.deviceId) !== undefined) return 'consent';
  return plan.config.sites[sent.site]?.anonymousCounting ? 'anonymous' : 'counter';
}

/** Keeps the fields of granted purposes and takes personal data out of their texts. */
function minimise(draft: Draft): void {
  for (const field of draft.event.fields) {
    const value = draft.values.get(field.name);
    if (value === undefined || !permits(draft, field)) continue;
    if (field.name === 'quantity') draft.record.quantity = value as number;
    else keep(draft, field, textOf(value, field, draft));
  }
}

/** A standard field goes into its column; order lines and the brand's own fields into `properties`. */
function keep({ record }: Draft, field: PlannedEventField, text: string | undefined): void {
  if (text === undefined) return;
  if (field.standard && field.type !== 'products') record[field.name as 'campaign'] = text;
  else if (record.properties) record.properties[field.name] = text;
  else record.properties = { [field.name]: text };
}

const permits = (draft: Draft, field: PlannedEventField): boolean => (field.mask & draft.mask) !== 0;

function textOf(value: FieldValue, field: PlannedEventField, draft: Draft): string | undefined {
  if (typeof value === 'string') return keptText(value, field, draft);
  if (typeof value === 'bigint') return formatMoney(value);
  if (typeof value === 'object') return JSON.stringify(value.flatMap((line) => keptLine(line, draft) ?? []));
  return String(value);
}

/** Fields whose value tells things apart; a replaced one would make different things one. */
const ID_FIELDS: ReadonlySet<string> = new Set(['order_id', 'product_id', 'click_id']);

/** Ids that a shop or an ad platform draws: no word stands in them. A product's id may be its name. */
const DRAWN_IDS: ReadonlySet<string> = new Set(['order_id', 'click_id']);

const keptText = (text: string, { name, maxLength }: PlannedEventField, draft: Draft): string | undefined =>
  DRAWN_IDS.has(name) ? redactInto(text, maxLength, draft, IN_IDS) : permittedText(text, name, maxLength, draft);

/** A line whose product tells of a special category is left out as a whole: the event's own value has it already. */
function keptLine(line: SentLine, draft: Draft): OrderLine | undefined {
  const product = permittedText(line.product_id, 'product_id', MAX_LINE_TEXT, draft);
  if (product === undefined) return undefined;
  const category = line.category && permittedText(line.category, 'category', MAX_LINE_TEXT, draft);
  return {
    product_id: product,
    ...(category !== undefined && { category }),
    quantity: line.quantity,
    ...(line.price !== undefined && { price: formatMoney(line.price) }),
  };
}

/** The redacted text; `undefined` where it tells of a special category that may not be kept. */
function permittedText(text: string, name: string, maxLength: number, draft: Draft): string | undefined {
  if (draft.findSpecial?.(text)) {
    draft.redacted.push('special_category');
    return undefined;
  }
  return redactInto(text, maxLength, draft, ID_FIELDS.has(name) ? IN_IDS : undefined);
}

/** A text with a find comes back decoded, and one compatibility character can stand for eighteen: it is cut again. */
function redactInto(text: string, maxLength: number, draft: Draft, kinds?: ReadonlySet<Redaction>): string {
  const { text: clean, found } = redact(text, kinds);
  if (found.length > 0) draft.redacted.push(...found);
  return clean.slice(0, maxLength);
}

/** Adds what the request tells of itself, field by field and only where the plan collects it for a granted purpose. */
function enrich(draft: Draft, sent: Sent, arrival: Arrival, deps: AdmitDeps): void {
  const agent = deps.readUserAgent(sent.userAgent);
  const address = readPageAddress(sent.pageUrl);
  derive(draft, 'page_path', address.page_path);
  derive(draft, 'utm_source', address.utm_source);
  derive(draft, 'utm_medium', address.utm_medium);
  derive(draft, 'utm_campaign', address.utm_campaign);
  derive(draft, 'click_id', address.click_id);
  derive(draft, 'referrer_host', readReferrerHost(sent.referrer));
  add(draft, 'device_class', agent.deviceClass);
  add(draft, 'browser', agent.browser);
  add(draft, 'os', agent.os);
  add(draft, 'country', arrival.country);
  draft.record.is_bot = agent.isBot;
  if (agent.botReason !== undefined) draft.record.bot_reason = agent.botReason;
}

/** Adds a text from an address. It is cut where it is too long, since the sender did not choose its form. */
function derive(draft: Draft, name: keyof EventRecord, value: string | undefined): void {
  if (value === undefined || draft.record[name] !== undefined) return;
  const field = draft.event.byName.get(name);
  if (field && permits(draft, field)) keep(draft, field, keptText(value, field, draft));
}

/** Adds a text of ours; what was sent itself stands. */
function add(draft: Draft, name: keyof EventRecord, value: string | undefined): void {
  if (value === undefined || draft.record[name] !== undefined) return;
  const field = draft.event.byName.get(name);
  if (field && permits(draft, field)) keep(draft, field, value);
}

/** Every column once, in one order: an object that grows a column at a time costs more than all checks together. */
const BLANK = {
  kind: 'event',
  schema_version: SCHEMA_VERSION,
  event_id: '',
  source: '',
  site: '',
  event: '',
  occurred_at: 0,
  received_at: 0,
  is_bot: false,
  basis: 'consent',
  purposes: [],
  ...Object.fromEntries(
    [
      'time_clamped',
      'device_id',
      'person_id',
      'bot_reason',
      ...Object.keys(STANDARD_FIELDS).filter((name) => name !== 'products'),
      'properties',
    ].map((name) => [name, undefined]),
  ),
} as EventRecord;

/** The record with what says whose event it is and when it happened. */
function identifiedRecord(parsed: Parsed, sent: Sent, arrival: Arrival, deps: AdmitDeps): EventRecord {
  const record: EventRecord = {
    ...BLANK,
    event_id: deps.eventId(sent.messageId === undefined ? requestPlace(arrival) : `${sent.source}\n${sent.messageId}`),
    source: sent.source,
    site: sent.site,
    event: parsed.event.name,
    occurred_at: parsed.occurredAt,
    received_at: arrival.receivedAt,
    purposes: arrival.granted as Purpose[],
  };
  if (arrival.basis !== undefined) record.basis = arrival.basis;
  if (parsed.clamped) record.time_clamped = true;
  if (sent.channel === 'server') {
    if (arrival.personId !== undefined) record.person_id = arrival.personId;
  } else if (arrival.deviceId !== undefined) record.device_id = arrival.deviceId;
  return record;
}

/** Which request and place an event came with: what remains to tell events apart by when the sender names none. */
const requestPlace = (arrival: Arrival): string => `${arrival.requestId}\n${arrival.position}`;

/** Anonymous counting keeps these and nothing else. They are no one's: no purpose opens them, the list does. */
const ANONYMOUS_FIELDS = ['campaign', 'placement', 'creative', 'product_id', 'country', 'device_class'] as const;

/** The fields above are read as measurement would see them. */
const ANONYMOUS_BASIS: readonly Purpose[] = ['measurement'];

const HOUR_MS = 3_600_000;
const toHour = (time: number): number => time - (time % HOUR_MS);

function anonymousRecord(full: EventRecord, arrival: Arrival, deps: AdmitDeps): EventRecord {
  const record: EventRecord = {
    kind: 'event',
    schema_version: SCHEMA_VERSION,
    event_id: deps.eventId(requestPlace(arrival)),
    site: full.site,
    event: full.event,
    occurred_at: toHour(full.occurred_at),
    received_at: toHour(full.received_at),
    is_bot: full.is_bot,
    purposes: [],
    basis: 'anonymous',
  };
  for (const name of ANONYMOUS_FIELDS) {
    const text = full[name];
    if (text !== undefined) record[name] = text;
  }
  return record;
}

function rejection(
  sent: Sent,
  arrival: Arrival,
  plan: TrackingPlan,
  reason: string,
  issues: readonly Issue[],
): Admission {
  const record: RejectionRecord = {
    kind: 'rejected',
    received_at: arrival.receivedAt,
    source: sent.source,
    site: sent.site,
    reason,
  };
  if (plan.events.has(sent.event)) record.event = sent.event;
  if (issues[0]?.path) record.path = issues[0].path;
  return { outcome: 'rejected', record, issues };
}
