import * as z from 'zod';
import type { Issue } from './field-values.ts';
import { TextVersion } from './notice.ts';

/**
 * Days within which an address has to be confirmed after it was asked for: a link that is older may be in anybody's hands,
 * and who did not confirm within a month has not asked for mail.
 */
export const CONFIRM_WINDOW_DAYS = 30;

const DAY_MS = 86_400_000;

/** A time as servers send it. */
const Time = z.iso.datetime({ offset: true });
const Yes = z.literal(true, 'must be true: all four conditions of UWG section 7(3) have to hold');

/**
 * What allows a mail that advertises. The address was confirmed by a link (UWG section 7(2) no. 2), or it belongs to an
 * existing customer and all four conditions of section 7(3) hold, for which the brand answers.
 */
const EmailPermission = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('double_opt_in'),
    requestedAt: Time,
    confirmedAt: Time,
    /** Of the text by which mail was asked for. */
    textVersion: TextVersion,
  }),
  z.strictObject({
    method: z.literal('existing_customer'),
    /** The customer gave the address with a sale. */
    addressFromSale: Yes,
    /** Only the brand's own similar goods are advertised. */
    ownSimilarGoods: Yes,
    /** The customer has not objected. */
    noObjection: Yes,
    /** At collection and in every mail it is said that one may object at any time. */
    optOutNotice: Yes,
  }),
]);

/** What a receipt keeps of it. Times in milliseconds since the epoch. No address and no IP: the customer's id is enough. */
export type EmailGrant =
  | { permission: 'double_opt_in'; requestedAt: number; confirmedAt: number; textVersion: string }
  | { permission: 'existing_customer' };

/** Judges `context.emailPermission` at a time in milliseconds; a refusal names the field and the rule. */
export function readEmailPermission(value: unknown, now: number): { grant: EmailGrant } | { refused: Issue } {
  if (value == null) return refused([], 'is required to grant email (UWG section 7)');
  const parsed = EmailPermission.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refused(issue?.path ?? [], issue?.message ?? 'is not readable');
  }
  if (parsed.data.method === 'existing_customer') return { grant: { permission: 'existing_customer' } };
  const { textVersion, ...times } = parsed.data;
  const requestedAt = Date.parse(times.requestedAt);
  const confirmedAt = Date.parse(times.confirmedAt);
  if (requestedAt > now) return refused(['requestedAt'], 'must not lie in the future');
  if (confirmedAt > now) return refused(['confirmedAt'], 'must not lie in the future');
  if (confirmedAt <= requestedAt) return refused(['confirmedAt'], 'must be later than requestedAt');
  if (confirmedAt - requestedAt > CONFIRM_WINDOW_DAYS * DAY_MS)
    return refused(['requestedAt'], `must be at most ${CONFIRM_WINDOW_DAYS} days before confirmedAt`);
  return { grant: { permission: 'double_opt_in', requestedAt, confirmedAt, textVersion } };
}

const refused = (path: readonly PropertyKey[], rule: string): { refused: Issue } => ({
  refused: { path: ['context', 'emailPermission', ...path.map(String)].join('.'), rule },
});
