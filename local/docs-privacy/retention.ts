import type { PaulaConfig } from '../../domain/config.ts';
import { PURPOSES } from '../../domain/purposes.ts';
import { type StoreErasure, stores } from '../../domain/stores.ts';
import { document, table } from './markdown.ts';

const erasureText = (erasure: StoreErasure): string => {
  switch (erasure.by) {
    case 'items':
      return 'items are deleted';
    case 'proof':
      return 'the name gives way to a salted hash';
    case 'discard':
      return 'whole objects are deleted';
    case 'statement':
      return `rows and their bytes go by \`sql/${erasure.file}\``;
    case 'rewrite':
      return 'objects are written again without it';
    case 'window':
      return `the store forgets after ${erasure.hours} hours`;
    case 'none':
      return `names nobody: ${erasure.why}`;
  }
};

/** When each store's content ends, with and without an erasure (GDPR Art. 5(1)(e), 13(2)(a), 30(1)(f)). */
export function retention(config: PaulaConfig): string {
  return document(
    'Retention',
    '## By purpose',
    table(
      ['Purpose', 'Days'],
      PURPOSES.map((purpose) => [`\`${purpose}\``, String(config.purposes[purpose].retentionDays)]),
    ),
    `Raw data (landing, rejected and failed batches, exports) is kept for ${config.rawRetentionDays} days, IP addresses not at all.`,
    '## By store',
    table(
      ['Store', 'Ends', 'On an erasure'],
      stores(config).map(({ name, retention, erasure }) => [
        name,
        retention.days === undefined ? retention.ends : `${retention.ends}: ${retention.days} days`,
        erasureText(erasure),
      ]),
    ),
  );
}
