import type { PaulaConfig } from '../../domain/config.ts';
import type { TransferMechanism } from '../../domain/transfers.ts';
import { recipientsOf } from '../../domain/transparency.ts';
import { document, table, toJudge } from './markdown.ts';

const MECHANISMS: Readonly<Record<TransferMechanism, string>> = {
  none_needed_eu: 'none needed: within the EEA',
  adequacy: 'adequacy decision (GDPR Art. 45)',
  scc: 'standard contractual clauses (GDPR Art. 46(2)(c))',
};

/** Who gets audiences, or that nobody does. */
export function recipientsTable(config: PaulaConfig): string {
  const recipients = recipientsOf(config);
  if (recipients.length === 0) return 'No destination is configured: audiences go to nobody.';
  return table(
    ['Recipient', 'Country', 'Transfer'],
    recipients.map(({ recipient, country, transferMechanism }) => [
      `\`${recipient}\``,
      country,
      MECHANISMS[transferMechanism],
    ]),
  );
}

/** Who gets data and on what ground it leaves the EEA (GDPR Art. 13(1)(e) and (f), 28, 30(1)(d) and (e), 44 to 46). */
export function recipientsAndTransfers(config: PaulaConfig): string {
  return document(
    'Recipients and transfers',
    '## Destinations of audiences',
    recipientsTable(config),
    'A destination without country or transfer mechanism is refused when the configuration loads, at deploy and in every function. Purpose `activation` has to be granted before anybody is told to a destination.',
    toJudge(
      'for each third country, whether the adequacy decision stands on the day of use, or the assessment of the transfer behind the clauses; and which recipients are joint controllers (GDPR Art. 26).',
    ),
    '## Processors (GDPR Art. 28)',
    'Amazon Web Services runs the stores and functions, in these regions:',
    table(
      ['Stage', 'Region'],
      Object.entries(config.stages).map(([stage, { region }]) => [stage, region]),
    ),
    'All of them stand in the EU; `domain/region.ts` refuses any other.',
    toJudge(
      'the contract with each processor and its sub-processors, and what the provider’s non-EU parent means for the transfer.',
    ),
    '## Consent services (TDDDG section 26)',
    config.consentServices.length === 0 ? 'None is used.' : config.consentServices.join(', '),
  );
}
