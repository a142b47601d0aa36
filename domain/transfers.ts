/**
 * Members of the European Economic Area, where a recipient needs no transfer mechanism (GDPR Art. 44; the Joint Committee's
 * Decision 154/2018 for Iceland, Liechtenstein and Norway). ISO 3166-1 alpha-2.
 */
const EEA: ReadonlySet<string> = new Set([
  ...['AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU'],
  ...['IE', 'IT', 'LT', 'LU', 'LV', 'MT', 'NL', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK'],
  ...['IS', 'LI', 'NO'],
]);

/** Ways in which data may go to a country (GDPR Art. 44 to 46). */
export const TRANSFER_MECHANISMS = ['none_needed_eu', 'adequacy', 'scc'] as const;
export type TransferMechanism = (typeof TRANSFER_MECHANISMS)[number];

/**
 * Why a mechanism cannot carry data to a country. Whether the Commission holds a third country adequate changes with its
 * decisions and with the courts, so no list of them stands here: the controller checks it and the documents say so.
 */
export function transferRefusal(country: string, mechanism: TransferMechanism): string | undefined {
  const within = EEA.has(country);
  if (mechanism === 'none_needed_eu' && !within)
    return `"${country}" is outside the EEA: a transfer needs "adequacy" or "scc" (GDPR Art. 45, 46)`;
  if (mechanism !== 'none_needed_eu' && within)
    return `"${country}" is within the EEA: "${mechanism}" has no meaning there, "none_needed_eu" has`;
  return undefined;
}
