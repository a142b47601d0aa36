/**
 * One thing that reads what strangers send. `feed` hands it one input and says how it was answered; it throws where the
 * answer breaks a rule. `worst` are the inputs of a given length that must stay cheap, each with what reads it.
 */
export type Target = {
  name: string;
  feed: (round: number) => string | Promise<string>;
  worst: (length: number) => ReadonlyMap<string, () => unknown>;
};
