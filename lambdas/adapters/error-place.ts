/**
 * What may be logged of an error: its name and the first place in the project's code. Its message may quote what a sender sent.
 */
export function placeOf(error: unknown): string {
  const { name = typeof error, stack = '' } = (error ?? {}) as Partial<Error>;
  const place = /\(?(?:file:\/\/)?[^\s(]*?((?:local|lambdas|domain|sql)\/[^\s)]+)\)?$/m.exec(stack)?.[1];
  return place ? `${name} at ${place}` : name;
}
