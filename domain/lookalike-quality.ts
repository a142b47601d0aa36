import { FEWEST_SEED_PROFILES, type LookalikeRefusal } from './lookalike-plan.ts';

/** A row of `lookalike_quality`, as far as people are told about it; measures are NULL where nothing could be measured. */
export type LookalikeQuality = {
  lookalike_id: string;
  seed_profiles: number;
  auc: number | null;
  lift_5: number | null;
  activity_auc: number | null;
  activity_lift_5: number | null;
  random_auc: number | null;
  random_lift_5: number | null;
  refusal: LookalikeRefusal | null;
};

/**
 * Lift forward in time as a part of the lift among held-out members: of 3.79 and 7.11 in the best twentieth, for first
 * purchases within the next 92 days (docs/adr/0021).
 */
const FORWARD_PART = 0.5;

/** The lift to promise: how many times as many future members are among the chosen as among as many others. */
export const promisedLift = (heldOutLift: number): number => Math.max(1, heldOutLift * FORWARD_PART);

/** Why an audience is not published, with the figures and what to do; undefined where it is. */
export function refusalMessage(quality: LookalikeQuality): string | undefined {
  const { lookalike_id: id, seed_profiles: seed } = quality;
  const beside = (name: 'activity' | 'random'): string =>
    `AUC ${told(quality.auc)} and lift ${told(quality.lift_5)} in the best 5 %, and ` +
    `${name} has ${told(quality[`${name}_auc`])} and ${told(quality[`${name}_lift_5`])}`;
  switch (quality.refusal) {
    case null:
      return undefined;
    case 'seed_too_small':
      return (
        `lookalike "${id}": its seed has ${seed} profiles with features and needs ${FEWEST_SEED_PROFILES}; ` +
        'take a longer time or a wider rule for the seed'
      );
    case 'no_better_than_random':
      return (
        `lookalike "${id}": the model finds no more of its seed than chance does: ${beside('random')}; ` +
        'the seed has nothing in common that the features tell'
      );
    case 'no_better_than_activity':
      return (
        `lookalike "${id}": the model finds no more of its seed than counting features does: ${beside('activity')}; ` +
        'a segment of active people does the same and can be explained'
      );
  }
}

const told = (figure: number | null): string => (figure === null ? 'none' : figure.toFixed(3));
