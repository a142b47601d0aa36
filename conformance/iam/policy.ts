/** A statement of a policy as JSON has it, with every intrinsic function of CloudFormation already resolved. */
export type Statement = {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Action?: string | readonly string[];
  NotAction?: string | readonly string[];
  Resource?: string | readonly string[];
  NotResource?: string | readonly string[];
  Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  Condition?: Condition;
};

/** By operator, then by condition key: the values of which one must match. */
export type Condition = Readonly<Record<string, Readonly<Record<string, ConditionValue | readonly ConditionValue[]>>>>;
export type ConditionValue = string | number | boolean;

export type Policy = { name: string; document: { Version?: string; Statement: Statement | readonly Statement[] } };

/** What is known of a call beside its action and resource, by condition key; a list is a multivalued key. */
export type Context = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** One call: `dynamodb:GetItem`, on one ARN. */
export type Request = { action: string; resource: string; context: Context };

/** Who calls: a role of the account, or a service in its own name. */
export type Principal = { arn: string; account: string } | { service: string };

/** How a request was decided and by which statement; an implicit Deny is one that no statement spoke for. */
export type Decision = {
  outcome: 'allowed' | 'explicitDeny' | 'implicitDeny';
  decidedBy?: { policy: string; statement: Statement };
};

/** One value or a list of them, as a list. */
export const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];
