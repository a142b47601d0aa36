import { DAY_MS } from './profile.ts';

/** Half of an interest is gone after this time. Longer than a purchase decision about cosmetics, shorter than a season. */
const HALF_LIFE_MS = 30 * DAY_MS;

/** Weights are relative to this moment; it keeps them within a double's range for the years 2000 to 2099. */
const LANDMARK_MS = Date.UTC(2020, 0, 1);

/** Steps within a half-life: a weight is a whole number of them times a power of two, so sums are exact. */
const STEPS = 256;

/**
 * The weight of an event by forward decay (Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009): it grows with
 * the event's time and never has to be touched again, so scores are sums, equal in any order of arrival. Weights are
 * rounded to dyadic rationals, which makes a double's sum exact while a profile's events span less than about 3 years
 * (53 bits: 8 for the step, 36 half-lives, and the count); beyond it a sum may differ in its last bit.
 * `weight` is a power of two; `at` in milliseconds since the epoch.
 */
export function decayedWeight(weight: number, at: number): number {
  const age = (at - LANDMARK_MS) / HALF_LIFE_MS;
  const halfLives = Math.floor(age);
  return Math.round(2 ** (age - halfLives) * STEPS) * weight * 2 ** halfLives;
}

/** The power of two that divides the weight of every event at or after a time. */
export const scoreUnit = (at: number): number => 2 ** Math.floor((at - LANDMARK_MS) / HALF_LIFE_MS);
