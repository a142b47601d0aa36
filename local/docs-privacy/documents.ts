import type { PaulaConfig } from '../../domain/config.ts';
import { transparency } from '../../domain/transparency.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { receiptTerms } from '../../lambdas/collect/receipt-terms.ts';
import { dpia } from './dpia.ts';
import { jsonFile } from './json.ts';
import { recipientsAndTransfers } from './recipients.ts';
import { recordOfProcessing } from './record-of-processing.ts';
import { retention } from './retention.ts';

/** Where the documents stand. */
export const DOCUMENTS_FOLDER = 'docs/privacy';

/** The data of the transparency page as JSON; it carries the digest that receipts carry. */
export function transparencyFile(config: PaulaConfig): string {
  // The region is a stage's and no part of the notice.
  const { notice_digest } = receiptTerms(config, '', hashes.sha256);
  const generated = 'by `npm run docs:privacy` from paula.config.ts and domain/stores.ts; changes belong there';
  return jsonFile({ generated, ...transparency(config, notice_digest) });
}

/** The text of each document by its file name. The same configuration makes the same texts: no clock, no chance. */
export function privacyDocuments(config: PaulaConfig): ReadonlyMap<string, string> {
  return new Map([
    ['transparency.json', transparencyFile(config)],
    ['record-of-processing.md', recordOfProcessing(config)],
    ['recipients-and-transfers.md', recipientsAndTransfers(config)],
    ['dpia.md', dpia(config)],
    ['retention.md', retention(config)],
  ]);
}
