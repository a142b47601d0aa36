import type { LinkItem } from './items.ts';
import type { Profile, Purchase } from './profile.ts';
import { allPurchases } from './purchases.ts';
import { opens, type Purpose } from './purposes.ts';
import { shortHash } from './short-hash.ts';
import { hasObjected, purposesInForce } from './withdrawals.ts';

/** What is stored of a device or a person, as far as it is in force. */
export type Known = {
  profile?: Profile | undefined;
  bought?: ReadonlyMap<number, Purchase> | undefined;
  link?: LinkItem | undefined;
  audiences?: readonly string[] | undefined;
};

/** The answer to "show this banner?". `audiences` are told only where a profile may be used. */
export type Decision = {
  show: boolean;
  reason: 'unknown' | 'objected' | 'bought' | 'eligible';
  audiences?: readonly string[];
};

export const UNKNOWN: Decision = { show: true, reason: 'unknown' };

export type DecisionInput = {
  granted: readonly Purpose[];
  device: Known;
  /** The person whom the device is linked to, and that person's other devices. */
  person?: Known | undefined;
  siblings?: readonly Known[];
  product?: string | undefined;
  /** True where the audience is published and not out of date. */
  isCurrent: (audience: string) => boolean;
  /** Milliseconds since the epoch. */
  now: number;
};

/**
 * Decides over the union of the device, its person and the person's other devices. A product is bought while the net of
 * all of them is above zero. An objection does not hide the banner: shown to anybody, it is no direct marketing.
 */
export function decide({ granted, device, person, siblings = [], product, isCurrent, now }: DecisionInput): Decision {
  const purposes = purposesInForce(granted, device.link, person?.link);
  if (!opens(purposes, 'browser').fold) return UNKNOWN;
  if (hasObjected(device.link, now) || hasObjected(person?.link, now))
    return { show: true, reason: 'objected', audiences: [] };

  const usable = siblings.filter(
    ({ link }) => opens(purposesInForce(purposes, link), 'browser').fold && !hasObjected(link, now),
  );
  const bought = product !== undefined && netOf(product, [device, ...(person ? [person] : []), ...usable]) > 0;
  const audiences = purposes.includes('personalisation')
    ? [...new Set([...(device.audiences ?? []), ...(person?.audiences ?? [])])].filter(isCurrent).sort()
    : [];
  return { show: !bought, reason: bought ? 'bought' : 'eligible', audiences };
}

function netOf(product: string, known: readonly Known[]): number {
  const hash = shortHash(product);
  let net = 0;
  for (const { profile, bought } of known)
    if (profile) net += allPurchases(profile.purchases, bought).get(hash)?.net ?? 0;
  return net;
}

/** The person that a device is linked to, unless the merge has been withdrawn. */
export const personOf = (link: LinkItem | undefined): string | undefined =>
  purposesInForce(['identity_merge'], link).length > 0 ? link?.person : undefined;
