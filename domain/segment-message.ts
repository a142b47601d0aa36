import * as z from 'zod';
import type { SourceConfig } from './config.ts';
import type { Issue } from './field-values.ts';
import { PURPOSES, type Purpose } from './purposes.ts';
import type { Sent } from './sent.ts';

/** Longer ids are refused: Segment's own limit for ids and names is 255. */
const MAX_ID_LENGTH = 255;

const Id = z.string().min(1).max(MAX_ID_LENGTH);
/** Checked field by field against the tracking plan, so its entries are not walked here. Libraries send `null` for none. */
const FieldsObject = z
  .custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  )
  .nullish();

/** One message of the public Segment HTTP specification (Spec: Common, Track, Page, Identify), as far as it is used. */
const Message = z.object({
  type: z.enum(['track', 'page', 'identify']),
  event: z.string().min(1).max(MAX_ID_LENGTH).nullish(),
  userId: z.union([Id, z.number()]).nullish(),
  messageId: Id.nullish(),
  timestamp: z.unknown().optional(),
  properties: FieldsObject,
  traits: FieldsObject,
  /** Free-form in the specification: what is not of the expected form in it is as good as absent. */
  context: FieldsObject,
});

export type SegmentMessage = z.infer<typeof Message>;

/** Reads a message, or lists every path that breaks a rule. `type` is the route's, or the message's own in a batch. */
export function readSegmentMessage(
  body: unknown,
  type?: SegmentMessage['type'],
): { message: SegmentMessage } | { issues: Issue[] } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return { issues: [{ path: '', rule: 'must be a JSON object' }] };
  if (type !== undefined) (body as { type?: unknown }).type = type;
  const parsed = Message.safeParse(body);
  if (!parsed.success)
    return { issues: parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), rule: issue.message })) };
  const message = parsed.data;
  if (message.type === 'track' && message.event == null) return { issues: [{ path: 'event', rule: 'is required' }] };
  return { message };
}

/** The brand's customer id, as text. */
export const userIdOf = (message: SegmentMessage): string | undefined =>
  message.userId == null ? undefined : String(message.userId);

/** A text of the context, of its own or within a `group` such as `page`; `undefined` where there is none. */
export function contextText(message: SegmentMessage, name: string, group?: string): string | undefined {
  const within = group === undefined ? message.context : message.context?.[group];
  return typeof within === 'object' && within !== null ? textOr((within as Record<string, unknown>)[name]) : undefined;
}

/** The choices of `context.consent`: our purpose names set to `true`; anything else is no. `undefined` where it is absent. */
export function consentOf(message: SegmentMessage): Purpose[] | undefined {
  const consent = message.context?.consent;
  if (consent == null) return undefined;
  const preferences = (consent as { categoryPreferences?: unknown }).categoryPreferences ?? {};
  return PURPOSES.filter((purpose) => (preferences as Record<string, unknown>)[purpose] === true);
}

/** The message as a sender's claim. A page is Page Viewed, an identify Identified with its traits as fields. */
export function sentOf(
  message: SegmentMessage,
  source: { name: string; config: SourceConfig },
  headerUserAgent: string | undefined,
): Sent {
  const server = source.config.kind !== 'browser';
  const properties = message.properties ?? {};
  const { field, paths } = message.type === 'identify' ? traitOf(message.traits ?? {}) : fieldOf(properties, message);
  return {
    channel: server ? 'server' : 'browser',
    source: source.name,
    site: source.config.site,
    event: message.type === 'track' ? (message.event ?? '') : message.type === 'page' ? 'Page Viewed' : 'Identified',
    eventPath: 'event',
    messageId: message.messageId ?? undefined,
    timestamp: message.timestamp,
    field,
    paths,
    fieldPrefix: message.type === 'identify' ? 'traits.' : 'properties.',
    pageUrl:
      contextText(message, 'url', 'page') ??
      contextText(message, 'path', 'page') ??
      textOr(properties.url) ??
      textOr(properties.path),
    referrer: contextText(message, 'referrer', 'page') ?? textOr(properties.referrer),
    userAgent: server ? contextText(message, 'userAgent') : headerUserAgent,
  };
}

/** How the fields of the tracking plan are found in a message. */
type Fields = Required<Pick<Sent, 'field' | 'paths'>>;

const traitOf = (traits: Record<string, unknown>): Fields => ({
  field: (name) => (Object.hasOwn(traits, name) ? traits[name] : undefined),
  paths: {},
});

const textOr = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/**
 * The message's properties under the field names of the plan: `value` is the whole event's amount, Segment's `revenue`,
 * else `total`; campaign and country may also stand in the context.
 */
function fieldOf(properties: Record<string, unknown>, message: SegmentMessage): Fields {
  const amount = properties.revenue != null ? 'revenue' : properties.total != null ? 'total' : 'value';
  const field = (name: string): unknown => {
    switch (name) {
      case 'value':
        return properties[amount];
      case 'utm_source':
        return properties[name] ?? contextText(message, 'source', 'campaign');
      case 'utm_medium':
        return properties[name] ?? contextText(message, 'medium', 'campaign');
      case 'utm_campaign':
        return properties[name] ?? contextText(message, 'name', 'campaign');
      case 'country':
        return properties[name] ?? contextText(message, 'country', 'location');
      default:
        return Object.hasOwn(properties, name) ? properties[name] : undefined;
    }
  };
  return { field, paths: VALUE_PATHS[amount] };
}

const VALUE_PATHS = { revenue: { value: 'properties.revenue' }, total: { value: 'properties.total' }, value: {} };
