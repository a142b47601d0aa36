import type { PaulaConfig } from '../../domain/config.ts';
import { PURPOSES } from '../../domain/purposes.ts';
import { fieldsOf, LAW_OF_BASIS } from '../../domain/transparency.ts';
import { document, names, table, toJudge } from './markdown.ts';

/** What can go wrong for a person, what stands against it, and the test or file that shows it. */
const RISKS: readonly (readonly [risk: string, measure: string, shown: string])[] = [
  [
    'Somebody is followed without having agreed',
    'nothing reaches the device or the stream without a granted purpose; an unreadable signal is a refusal',
    'docs/privacy.md, R1 to R3',
  ],
  [
    'A withdrawal has no effect',
    'the same call as consenting; it holds from the next request on and is ordered by receipt time',
    'docs/privacy.md, R6',
  ],
  [
    'Two people who share a browser are merged',
    'another person’s sign-in begins a new device; two persons are never merged',
    'test/lambdas/identify.test.ts',
  ],
  [
    'Health or origin is inferred from products',
    'segments, categories and fields that tell of a special category are refused',
    'test/domain/special-categories.test.ts',
  ],
  [
    'A child is profiled',
    'an age signal under 16 drops the event and ends the device',
    'test/domain/age-signal.test.ts',
  ],
  [
    'An address or name slips in by a URL or a text',
    'allow-lists, and redaction after decoding; counted by source so that pages are repaired',
    'test/domain/planted-values.test.ts',
  ],
  [
    'Erased data comes back by a replay, a late event or a backup',
    'a ledger of salted hashes stands before fold, ingest and restore',
    'docs/adr/0018-erasure-by-a-ledger-of-hashes.md',
  ],
  [
    'Data is used against the person: prices or contracts by profile',
    'no price is in any answer of the platform, and the configuration refuses it',
    'test/domain/config.test.ts',
  ],
];

/** A data protection impact assessment (GDPR Art. 35(7)): the facts; the judgement is not the program's. */
export function dpia(config: PaulaConfig): string {
  const { brand, purposes, trackingPlan, specialCategories, destinations, sites } = config;
  const profiling = PURPOSES.filter((purpose) => ['profile', 'personalisation', 'activation'].includes(purpose));
  return document(
    'Data protection impact assessment (GDPR Art. 35): skeleton',
    'The facts below come from the configuration. Without the judgements that are marked this is no assessment.',
    '## Why one is needed',
    `Behaviour is analysed systematically to form profiles (${names(profiling)}), on ${Object.keys(sites).length} sites.`,
    toJudge('whether Art. 35(3) or the list of the supervisory authority applies, and the scale: visitors, customers.'),
    '## Systematic description (Art. 35(7)(a))',
    `Controller: ${brand.controller}. What happens to an event, step by step: \`docs/architecture.md\`.`,
    table(
      ['Purpose', 'Basis', 'Days', 'Fields'],
      PURPOSES.map((purpose) => {
        const { legalBasis, retentionDays } = purposes[purpose];
        return [
          `\`${purpose}\``,
          `${legalBasis} (${LAW_OF_BASIS[legalBasis]})`,
          String(retentionDays),
          names(fieldsOf(config, purpose)),
        ];
      }),
    ),
    `Events that may be collected: ${names(Object.keys(trackingPlan.events))}.`,
    '## Necessity and proportionality (Art. 35(7)(b))',
    [
      '- Each field serves a purpose; what no granted purpose covers is dropped at the door.',
      `- Without consent to storage ${Object.values(sites).every(({ anonymousCounting }) => anonymousCounting) ? 'events are counted without any id' : 'some sites keep a number and nothing else'}.`,
      `- Explicit consent for special categories: ${specialCategories.explicitConsentPurpose ? `purpose \`${specialCategories.explicitConsentPurpose}\`` : 'not asked for, so nothing of the kind is kept'}.`,
      `- Destinations: ${Object.keys(destinations).length === 0 ? 'none' : names(Object.keys(destinations))}.`,
      '- Rights are served by the page and by calls (`docs/privacy/transparency.json`, `rights`).',
    ].join('\n'),
    toJudge('for each purpose, whether a milder means would do, and whether the retention is as short as it can be.'),
    '## Risks to persons (Art. 35(7)(c)) and measures (Art. 35(7)(d))',
    table(
      ['Risk', 'Measure', 'Shown by', 'Likelihood', 'Severity', 'What is left'],
      RISKS.map(([risk, measure, shown]) => [risk, measure, `\`${shown}\``, '?', '?', '?']),
    ),
    toJudge(
      'likelihood, severity and the remaining risk of each row (the question marks), and risks that are missing.',
    ),
    '## Consultation',
    toJudge(
      'the views of data subjects or their representatives (Art. 35(9)), the advice under Art. 35(2), and whether the authority has to be consulted (Art. 36).',
    ),
  );
}
