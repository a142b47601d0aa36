import type { PaulaConfig } from '../../domain/config.ts';
import { noticeVersion, noticeWording } from '../../domain/notice.ts';
import type { ConsentRecord } from '../../domain/stream-record.ts';

/** What every receipt of a stage says alike. */
export type ReceiptTerms = Required<Pick<ConsentRecord, 'controller' | 'notice_version' | 'notice_digest' | 'region'>>;

/** The terms under a configuration in a region, made once: the notice is hashed (`sha256` gives base64url). */
export function receiptTerms(config: PaulaConfig, region: string, sha256: (text: string) => string): ReceiptTerms {
  return {
    controller: config.brand.name,
    notice_version: noticeVersion(config),
    notice_digest: Buffer.from(sha256(noticeWording(config)), 'base64url').toString('hex'),
    region,
  };
}
