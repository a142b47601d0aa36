import { type EmailGrant, readEmailPermission } from '../../domain/email-permission.ts';
import type { Issue } from '../../domain/field-values.ts';
import type { ReceiptItem } from '../../domain/items.ts';
import type { Purpose } from '../../domain/purposes.ts';
import type { SegmentMessage } from '../../domain/segment-message.ts';
import type { CollectDeps } from './deps.ts';

/** What a server's message grants once its permission for mail is judged, and why `email` is not among it. */
export type MailJudged = { granted: readonly Purpose[]; email?: EmailGrant; refused?: Issue };

/**
 * Takes `email` out of what a server says is granted, unless `context.emailPermission` allows mail or, where the message
 * says nothing of it, the person's receipt in force already holds such a permission. The rest of the message stands.
 */
export async function withMailPermission(
  granted: readonly Purpose[],
  message: SegmentMessage,
  personId: string,
  now: number,
  deps: Pick<CollectDeps, 'receipts'>,
): Promise<MailJudged> {
  if (!granted.includes('email')) return { granted };
  const sent = message.context?.emailPermission;
  const stored = sent == null ? storedGrant(await deps.receipts.latest(personId), now) : undefined;
  if (stored) return { granted, email: stored };
  const judged = readEmailPermission(sent, now);
  if ('grant' in judged) return { granted, email: judged.grant };
  return { granted: granted.filter((purpose) => purpose !== 'email'), refused: judged.refused };
}

function storedGrant(receipt: ReceiptItem | undefined, now: number): EmailGrant | undefined {
  if (!receipt?.granted.includes('email') || receipt.expires_at <= now) return undefined;
  const { email_permission, email_requested_at = 0, email_confirmed_at = 0, email_text_version = '' } = receipt;
  if (email_permission === 'existing_customer') return { permission: email_permission };
  return (
    email_permission && {
      permission: email_permission,
      requestedAt: email_requested_at,
      confirmedAt: email_confirmed_at,
      textVersion: email_text_version,
    }
  );
}
