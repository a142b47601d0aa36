import { isArnLike, isLike, literal, valueIn } from './pattern.ts';
import { type Condition, type ConditionValue, type Context, listOf } from './policy.ts';

type Test = (wanted: string, given: string, context: Context) => boolean;
type Operator = { test: Test; negated: boolean };

const number = (test: (given: number, wanted: number) => boolean): Test => {
  return (wanted, given) => {
    if (Number.isNaN(Number(wanted))) throw new Error(`condition: "${wanted}" is no number`);
    return test(Number(given), Number(wanted));
  };
};
const equals: Test = (wanted, given, context) => literal(wanted, context) === given;
const equalsIgnoringCase: Test = (wanted, given, context) =>
  literal(wanted, context).toLowerCase() === given.toLowerCase();
const is = (test: Test): Operator => ({ test, negated: false });
const isNot = (test: Test): Operator => ({ test, negated: true });

/** Without those of dates, binaries and addresses, which no policy of ours uses. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: is(equals),
  StringNotEquals: isNot(equals),
  StringEqualsIgnoreCase: is(equalsIgnoringCase),
  StringNotEqualsIgnoreCase: isNot(equalsIgnoringCase),
  StringLike: is(isLike),
  StringNotLike: isNot(isLike),
  ArnEquals: is(isArnLike),
  ArnLike: is(isArnLike),
  ArnNotEquals: isNot(isArnLike),
  ArnNotLike: isNot(isArnLike),
  NumericEquals: is(number((given, wanted) => given === wanted)),
  NumericNotEquals: isNot(number((given, wanted) => given === wanted)),
  NumericLessThan: is(number((given, wanted) => given < wanted)),
  NumericLessThanEquals: is(number((given, wanted) => given <= wanted)),
  NumericGreaterThan: is(number((given, wanted) => given > wanted)),
  NumericGreaterThanEquals: is(number((given, wanted) => given >= wanted)),
  Bool: is((wanted, given) => wanted.toLowerCase() === given.toLowerCase()),
};

const SPELLING = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/**
 * True where every key of every operator holds for the request. A key that the request lacks holds for negated operators,
 * for `…IfExists` and for `ForAllValues` only. Throws for an operator that it does not know, and for a multivalued key
 * without a set operator: neither may pass in silence.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export function conditionHolds(condition: Condition | undefined, context: Context): boolean {
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => keyHolds(operator, key, listOf(wanted), context)),
  );
}

function keyHolds(spelt: string, key: string, wanted: readonly ConditionValue[], context: Context): boolean {
  const [, set, name = '', ifExists] = SPELLING.exec(spelt) ?? [];
  const value = valueIn(context, key);
  const given = listOf<string | number | boolean>(value).map(String);
  const absent = given.length === 0;
  if (name === 'Null' && !set && !ifExists) return wanted.some((text) => String(text) === String(absent));

  const operator = OPERATORS[name];
  if (!operator) throw new Error(`condition operator "${spelt}" is not known`);
  if (absent) return ifExists !== undefined || set === 'ForAllValues' || (operator.negated && set === undefined);
  if (typeof value === 'object' && !set) throw new Error(`condition key ${key} has many values: ${spelt} takes one`);
  const holds = (one: string): boolean =>
    wanted.some((text) => operator.test(String(text), one, context)) !== operator.negated;
  return set === 'ForAnyValue' ? given.some(holds) : given.every(holds);
}
