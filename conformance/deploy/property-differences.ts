export type Difference = { path: string; expected: unknown; seen: unknown };

/**
 * Every leaf of `expected` that `seen` has otherwise or not at all. `seen` may hold more: services answer with defaults
 * and states of their own. Numbers and booleans that a template spells as text count as what they say.
 */
export function propertyDifferences(expected: unknown, seen: unknown, path = ''): Difference[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(seen) || seen.length !== expected.length) return [{ path, expected, seen }];
    return expected.flatMap((item, index) => propertyDifferences(item, seen[index], `${path}[${index}]`));
  }
  if (typeof expected === 'object' && expected !== null) {
    const fields = (typeof seen === 'object' && seen !== null ? seen : {}) as Record<string, unknown>;
    return Object.entries(expected).flatMap(([name, value]) =>
      propertyDifferences(value, fields[name], path === '' ? name : `${path}.${name}`),
    );
  }
  return String(expected) === String(seen) ? [] : [{ path, expected, seen }];
}

/** How many single values a piece of a template states. */
export function leafCount(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, item) => sum + leafCount(item), 0);
}
