import type { Column, TableDefinition } from './tables.ts';

const text = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'text' }));
const integer = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'integer' }));
const bigint = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'bigint' }));
const double = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'double' }));

/** Every table is written anew for one lookalike at a time: a partition of its own makes that a change of metadata. */
function table(name: string, ...columns: readonly Column[]): TableDefinition {
  return {
    name,
    kind: 'iceberg',
    prefix: `lake/${name}/`,
    columns: [...text('lookalike_id'), ...columns],
    partitionedBy: ['lookalike_id'],
  };
}

/**
 * Tables of the lookalikes. `sample`, `selection`, `gram`, `solution`, `held_out` and `scores` hold what one statement hands
 * to the next and are empty between two runs. `model` is what an analyst reads: why somebody is alike. `quality` has a row
 * for each run: what the model finds of seed profiles that it has not seen, beside activity and chance.
 */
export const LOOKALIKE_TABLES: readonly TableDefinition[] = [
  table('lookalike_sample', ...text('profile_id'), ...integer('is_seed', 'fold'), ...double('weight')),
  table(
    'lookalike_selection',
    ...integer('model'),
    ...bigint('j'),
    ...text('family', 'feature'),
    ...double('seed_profiles', 'background_profiles', 'seed_size', 'background_size', 'seed_rate', 'background_rate'),
    ...double('z', 'deviation', 'effect', 'prior'),
  ),
  table('lookalike_gram', ...integer('model'), ...bigint('i', 'j'), ...double('moved', 'constant', 'momentum')),
  table('lookalike_solution', ...integer('model', 'step'), ...bigint('j'), ...double('x', 'x_before')),
  table(
    'lookalike_held_out',
    ...text('profile_id'),
    ...integer('is_seed'),
    ...double('weight', 'score', 'activity', 'chance'),
  ),
  table('lookalike_scores', ...text('profile_id'), ...double('score')),
  table(
    'lookalike_model',
    { name: 'as_of', type: 'timestamp' },
    ...text('family', 'feature'),
    ...double('seed_rate', 'background_rate', 'lift', 'z', 'weight'),
  ),
  table(
    'lookalike_quality',
    { name: 'as_of', type: 'timestamp' },
    ...bigint('seed_profiles', 'background_profiles'),
    ...double('auc', 'lift_1', 'lift_5', 'lift_10'),
    ...double('activity_auc', 'activity_lift_1', 'activity_lift_5', 'activity_lift_10'),
    ...double('random_auc', 'random_lift_1', 'random_lift_5', 'random_lift_10'),
    ...text('refusal'),
  ),
];
