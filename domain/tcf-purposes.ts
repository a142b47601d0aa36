import type { Purpose } from './purposes.ts';

/** Store and/or access information on a device. */
export const STORE_AND_ACCESS = 1;

/**
 * Purposes of the framework that rest on consent alone: storage on the device by law, profiles for advertising and content
 * since TCF 2.2. Bits for their legitimate interest mean nothing, in older strings neither (TDDDG section 25, CJEU C-252/21).
 */
export const TCF_CONSENT_ONLY: readonly number[] = [STORE_AND_ACCESS, 3, 4, 5, 6];

/** The last purpose of the framework; special purposes and features are no choice of a person's. */
export const LAST_TCF_PURPOSE = 11;

/**
 * The purposes of the framework that a TC string has to grant, all of them, for one of ours. Those that are not here it
 * can't speak of: no text of a CMP asks for a merge with a customer's data or for mail.
 */
export const TCF_EQUIVALENTS: ReadonlyMap<Purpose, readonly number[]> = new Map([
  ['storage', [STORE_AND_ACCESS]],
  ['measurement', [7]],
  ['profile', [3]],
  ['personalisation', [4]],
  ['activation', [3, 4]],
]);
