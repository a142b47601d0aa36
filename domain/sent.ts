import type { Channel } from './purposes.ts';

/**
 * What a sender claims, in one form whether it came as pixel parameters or as a Segment message. Nothing in it is checked
 * or believed yet; `admit` does that. It lives in memory only.
 */
export type Sent = {
  channel: Channel;
  source: string;
  site: string;
  /** Full event name, not yet looked up in the plan. */
  event: string;
  /** How the sender names the event in its own request, for answers: `e` or `event`. */
  eventPath: string;
  messageId?: string | undefined;
  timestamp?: unknown;
  /** The raw value of a field of the tracking plan, `undefined` where none was sent. */
  field: (name: string) => unknown;
  /** Sender's own spelling of a field's path, where it differs from the field name. */
  paths?: Readonly<Record<string, string>>;
  /** Where a field without an entry in `paths` stands: `properties.` in a Segment message, '' in a pixel. */
  fieldPrefix: string;
  pageUrl?: string | undefined;
  referrer?: string | undefined;
  userAgent?: string | undefined;
};
