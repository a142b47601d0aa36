/** What a field's text must be. */
export type FieldType = 'text' | 'integer' | 'decimal' | 'boolean' | 'currency' | 'products';

/** Fields that have a column of their own in the lake and a meaning for the platform. A plan lists those it collects. */
export const STANDARD_FIELDS: Readonly<Record<string, FieldType>> = {
  click_id: 'text',
  campaign: 'text',
  placement: 'text',
  creative: 'text',
  product_id: 'text',
  category: 'text',
  order_id: 'text',
  quantity: 'integer',
  value: 'decimal',
  currency: 'currency',
  products: 'products',
  page_path: 'text',
  referrer_host: 'text',
  utm_source: 'text',
  utm_medium: 'text',
  utm_campaign: 'text',
  device_class: 'text',
  browser: 'text',
  os: 'text',
  country: 'text',
};

/** Columns that the platform itself writes; a plan cannot redefine them. */
export const RESERVED_FIELDS: ReadonlySet<string> = new Set([
  'event_id',
  'schema_version',
  'source',
  'site',
  'event',
  'occurred_at',
  'received_at',
  'received_day',
  'time_clamped',
  'device_id',
  'person_id',
  'is_bot',
  'bot_reason',
  'purposes',
  'basis',
  'shard',
  'sequence_number',
  'properties',
  'kind',
]);

/** Short names of the pixel's `e` parameter. A full event name of the tracking plan is taken as well. */
export const EVENT_ALIASES: Readonly<Record<string, string>> = {
  impression: 'Ad Impression',
  view: 'Page Viewed',
  product_view: 'Product Viewed',
  cart: 'Product Added',
  order: 'Order Completed',
  video_start: 'Video Started',
  video_25: 'Video 25',
  video_50: 'Video 50',
  video_75: 'Video 75',
  video_complete: 'Video Completed',
  email_open: 'Email Opened',
};

/** Events that a route or an alias writes; the plan must contain them. The video quartiles are the brand's choice. */
export const ALIASED_EVENTS: readonly string[] = [
  'Ad Impression',
  'Ad Clicked',
  'Page Viewed',
  'Product Viewed',
  'Product Added',
  'Order Completed',
  'Video Started',
  'Video Completed',
  'Email Opened',
  'Email Link Clicked',
  'Identified',
];
