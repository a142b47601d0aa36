import type { Context } from './policy.ts';

const ANY = Symbol('any characters');
const ONE = Symbol('one character');
type Token = string | typeof ANY | typeof ONE;

/** `${key}`, `${key, 'default'}`, and `${*}`, `${?}`, `${$}` for the characters themselves. */
const VARIABLE = /\$\{([^}]*)\}/y;
const WITH_DEFAULT = /^\s*([^,]*?)\s*(?:,\s*'([^']*)'\s*)?$/;

/**
 * A pattern as characters and wildcards, policy variables replaced by the values of the request, whose own `*` and `?` are
 * no wildcards. Throws for a variable that the request has no single value for: such a statement cannot be judged.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
function tokens(pattern: string, context: Context): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    VARIABLE.lastIndex = at;
    const variable = VARIABLE.exec(pattern);
    if (variable) {
      found.push(...variableValue(variable[1] ?? '', context));
      at = VARIABLE.lastIndex - 1;
      continue;
    }
    const character = pattern[at] as string;
    found.push(character === '*' ? ANY : character === '?' ? ONE : character);
  }
  return found;
}

function variableValue(variable: string, context: Context): string {
  if (variable === '*' || variable === '?' || variable === '$') return variable;
  const [, key = '', otherwise] = WITH_DEFAULT.exec(variable) ?? [];
  const value = valueIn(context, key) ?? otherwise;
  if (value === undefined || typeof value === 'object')
    throw new Error(`policy variable \${${variable}}: the request has no single value of it`);
  return String(value);
}

/** The value of a condition key; the names of keys are not case-sensitive. */
export function valueIn(context: Context, key: string): Context[string] | undefined {
  const wanted = key.toLowerCase();
  return Object.entries(context).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** The text that a pattern without wildcards stands for. */
export const literal = (pattern: string, context: Context): string =>
  tokens(pattern, context)
    .map((token) => (token === ANY ? '*' : token === ONE ? '?' : token))
    .join('');

/** True where a text matches a pattern whose `*` reaches over anything, as in StringLike and in actions. */
export const isLike = (pattern: string, text: string, context: Context): boolean =>
  matches(tokens(pattern, context), text, () => '.*', '.');

/**
 * True where an ARN matches that of a `Resource` element: a wildcard stays within its segment, the text between two colons,
 * but a `*` that ends a segment reaches beyond the colon. `*` alone is every resource.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function isResource(pattern: string, arn: string, context: Context): boolean {
  const endsSegment = (next: Token | undefined): boolean => next === undefined || next === ':';
  return matches(tokens(pattern, context), arn, (next) => (endsSegment(next) ? '.*' : '[^:]*'), '[^:]');
}

/** Colons that part the six components of an ARN; the last component may hold more of them. */
const ARN_COLONS = 5;

/**
 * True where an ARN matches that of an ArnLike or ArnEquals condition: each of the six components is matched by itself.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function isArnLike(pattern: string, arn: string, context: Context): boolean {
  const patterns = components(tokens(pattern, context));
  const parts = components([...arn]);
  return (
    patterns.length === ARN_COLONS + 1 &&
    parts.length === ARN_COLONS + 1 &&
    patterns.every((component, i) => matches(component, (parts[i] ?? []).join(''), () => '.*', '.'))
  );
}

function components<T extends Token>(arn: readonly T[]): T[][] {
  const found: T[][] = [[]];
  for (const token of arn) {
    if (token === ':' && found.length <= ARN_COLONS) found.push([]);
    else found.at(-1)?.push(token);
  }
  return found;
}

function matches(
  pattern: readonly Token[],
  text: string,
  any: (next: Token | undefined) => string,
  one: string,
): boolean {
  const source = pattern.map((token, i) =>
    token === ANY ? any(pattern[i + 1]) : token === ONE ? one : token.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'),
  );
  return new RegExp(`^${source.join('')}$`, 's').test(text);
}
