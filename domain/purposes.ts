import * as z from 'zod';

/** The eight purposes. The names are fixed: they stand in receipts, cookies and stored rows. */
export const PURPOSES = [
  'storage',
  'measurement',
  'profile',
  'personalisation',
  'activation',
  'identity_merge',
  'email',
  'email_tracking',
] as const;

export const Purpose = z.enum(PURPOSES);
export type Purpose = z.infer<typeof Purpose>;

/** Purposes for which the law leaves consent as the only basis (TDDDG section 25, CJEU C-252/21). */
export const CONSENT_ONLY: readonly Purpose[] = [
  'storage',
  'profile',
  'personalisation',
  'activation',
  'identity_merge',
];

/** Whether a sender stands behind a browser's cookie (which needs `storage`) or behind a server's own records. */
export type Channel = 'browser' | 'server';

/**
 * What a set of granted purposes opens for one event.
 * `lake`: the row may carry the profile's id. `fold`: the profile may be updated.
 * With neither, the event may at most be counted anonymously.
 */
export function opens(granted: readonly Purpose[], channel: Channel): { lake: boolean; fold: boolean } {
  const held = channel === 'server' || granted.includes('storage');
  return { lake: held && granted.includes('measurement'), fold: held && granted.includes('profile') };
}

/** Purposes as bits in the fixed order of `PURPOSES`, so that "any of them granted" is one AND. */
export const purposeMask = (purposes: readonly Purpose[]): number => {
  let mask = 0;
  for (const purpose of purposes) mask |= 1 << PURPOSES.indexOf(purpose);
  return mask;
};
