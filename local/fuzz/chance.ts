import { seeded } from '../../bench/random.ts';

/** Choices that a seed decides. */
export type Chance = ReturnType<typeof chanceOf>;

/** Returns the choices of a seed; the same seed makes the same ones. */
export function chanceOf(seed: number) {
  const next = seeded(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    /** A whole number from 0 up to and without the limit. */
    below,
    /** True with this probability. */
    yes: (probability: number): boolean => next() < probability,
    pick: <T>(list: readonly T[]): T => list[below(list.length)] as T,
    bytes: (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
