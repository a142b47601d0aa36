import * as z from 'zod';

/**
 * AWS regions on the soil of EU member states. London (eu-west-2) and Zurich (eu-central-2) are not in the EU although
 * their names begin like those that are, and the sovereign region is although its name does not: hence a list, no prefix.
 */
export const EU_REGIONS = [
  'eu-central-1',
  'eu-west-1',
  'eu-west-3',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'eusc-de-east-1',
] as const;

export const DEFAULT_REGION: EuRegion = 'eu-central-1';

export type EuRegion = (typeof EU_REGIONS)[number];

/** Why a region is refused, in words that an operator can act on. */
export function regionRefusal(region: string): string {
  return `region "${region}" is refused: data stays in the EU, allowed are ${EU_REGIONS.join(', ')}`;
}

/** True for a region on the soil of an EU member state. */
export function isEuRegion(region: string): region is EuRegion {
  return (EU_REGIONS as readonly string[]).includes(region);
}

/** Returns the region, or throws with the rule when it is outside the EU, unresolved or absent. */
export function requireEuRegion(region: string | undefined): EuRegion {
  if (region === undefined || !isEuRegion(region)) throw new Error(regionRefusal(region ?? '(none)'));
  return region;
}

export const EuRegion = z.string().refine(isEuRegion, { error: (issue) => regionRefusal(String(issue.input)) });
