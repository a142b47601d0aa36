import type { PaulaConfig } from '../../domain/config.ts';
import { PURPOSES, type Purpose } from '../../domain/purposes.ts';
import { fieldsOf, LAW_OF_BASIS, LAW_OF_PURPOSE } from '../../domain/transparency.ts';
import { document, names, table, toJudge } from './markdown.ts';
import { recipientsTable } from './recipients.ts';

/** What each purpose is done for, in the words of a record. */
const ACTIVITIES: Readonly<Record<Purpose, string>> = {
  storage: 'Recognising a browser by a cookie with a random number',
  measurement: 'Measuring advertising and orders',
  profile: 'Keeping a profile of each browser and customer, and forming segments of them',
  personalisation: 'Choosing what is shown on the brand’s own pages',
  activation: 'Telling advertising partners the members of audiences',
  identity_merge: 'Joining a browser’s profile with a customer account',
  email: 'Advertising by e-mail',
  email_tracking: 'Recording that mails are opened and links in them are clicked',
};

/** Technical and organisational measures (GDPR Art. 32), each with the file that carries it out. */
const MEASURES: readonly (readonly [measure: string, file: string])[] = [
  ['Data rests under a key of the stage’s own', 'lib/data-key.ts'],
  ['Stores and functions stand in one EU region; a policy denies every other', 'lib/deny-other-regions.ts'],
  ['Each function has a role that reaches its own stores alone', 'test/lib/grants.test.ts'],
  ['Browsers and customers stand under hashes with keys that rotate', 'domain/keys.ts'],
  ['Mail addresses, phone, card and account numbers are taken out of every text', 'domain/redact.ts'],
  ['IP addresses are used in memory for the country and never written', 'lambdas/adapters/country-table.ts'],
  ['A field is kept only where one of its purposes is granted', 'domain/admit.ts'],
  ['Special categories of data and minors stay out', 'domain/special-categories.ts'],
  ['Erasure walks one list of stores and is proven by the bytes', 'domain/stores.ts'],
  ['A restored backup has the ledger of erasures replayed over it', 'local/rights/replay-ledger.ts'],
];

/** The record of processing activities (GDPR Art. 30(1)). */
export function recordOfProcessing(config: PaulaConfig): string {
  const { brand, purposes, sources, sites } = config;
  return document(
    'Record of processing activities (GDPR Art. 30)',
    `Controller: ${brand.controller}. Contact: ${brand.contact}.`,
    toJudge('name and contact of the data protection officer, and of joint controllers, if any.'),
    '## Activities',
    ...PURPOSES.map((purpose) => {
      const { legalBasis, retentionDays, assessment, notice } = purposes[purpose];
      const law = [LAW_OF_BASIS[legalBasis], LAW_OF_PURPOSE[purpose]].filter((text) => text !== undefined);
      return [
        `### ${ACTIVITIES[purpose]}`,
        table(
          ['', ''],
          [
            ['Purpose', `\`${purpose}\``],
            ['Legal basis', `${legalBasis} (${law.join(', ')})`],
            ...(assessment
              ? [['Balancing of interests', `${assessment.id}, ${assessment.date}, ${assessment.reviewer}`]]
              : []),
            ['Kept for', `${retentionDays} days`],
            ['Notice', `version ${notice.version}`],
            ['Fields of the tracking plan', names(fieldsOf(config, purpose))],
          ],
        ),
      ].join('\n\n');
    }),
    '## Data subjects and categories of data',
    [
      `Visitors of ${Object.keys(sites)
        .map((site) => `\`${site}\``)
        .join(', ')} and customers. None of them by name or address:`,
      'a browser is a hash of a random number, a customer a keyed hash of the customer id.',
      'Events come from:',
    ].join(' '),
    table(
      ['Source', 'Kind', 'Site'],
      Object.entries(sources).map(([source, { kind, site }]) => [`\`${source}\``, kind, site]),
    ),
    '## Recipients and transfers',
    recipientsTable(config),
    'More in [recipients-and-transfers.md](recipients-and-transfers.md).',
    '## Time limits for erasure',
    'In [retention.md](retention.md), store by store.',
    '## Technical and organisational measures (GDPR Art. 32)',
    table(
      ['Measure', 'Where'],
      MEASURES.map(([measure, file]) => [measure, `\`${file}\``]),
    ),
    toJudge('organisational measures: who may sign in to the account, training, and how often access is reviewed.'),
  );
}
