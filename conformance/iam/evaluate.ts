import { conditionHolds } from './condition.ts';
import { isLike, isResource } from './pattern.ts';
import {
  type Context,
  type Decision,
  listOf,
  type Policy,
  type Principal,
  type Request,
  type Statement,
} from './policy.ts';

/** The language's current version; in the older one a policy variable is mere text. */
const VERSION = '2012-10-17';

const ELEMENTS = new Set(['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Principal', 'Condition']);

/**
 * Decides a request by the policies of an identity: a Deny that applies decides, else an Allow, else nothing has allowed
 * it. Throws for a statement that is not one.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(policies: readonly Policy[], request: Request): Decision {
  const applies = (effect: Statement['Effect']): Decision['decidedBy'] => {
    for (const { name, document } of policies) {
      if (document.Version !== VERSION) throw new Error(`policy ${name}: its version is not ${VERSION}`);
      for (const statement of listOf(document.Statement)) {
        checkStatement(statement);
        if (statement.Effect === effect && statementApplies(statement, request)) return { policy: name, statement };
      }
    }
    return undefined;
  };
  const denied = applies('Deny');
  if (denied) return { outcome: 'explicitDeny', decidedBy: denied };
  const allowed = applies('Allow');
  return allowed ? { outcome: 'allowed', decidedBy: allowed } : { outcome: 'implicitDeny' };
}

/** Who calls what, and which policies have a say in it. */
export type Access = {
  principal: Principal;
  request: Request;
  /** Of the role; a service that calls in its own name has none. */
  identity: readonly Policy[];
  /** Of the key, bucket, function or role that is called, where it has one. */
  resource?: Policy | undefined;
  /**
   * True for keys and for trust in a role, where the policies of an identity count for nothing unless the resource's own
   * lets them: a KMS key policy does so by allowing the account.
   */
  resourceMustAllow: boolean;
};

/**
 * Decides a request within one account by the policies of the caller and of what is called: a Deny in either decides;
 * without one, either may allow.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
export function evaluateAccess({ principal, request, identity, resource, resourceMustAllow }: Access): Decision {
  const own = evaluate(identity, request);
  const direct = evaluate(policiesFor(resource, principal, ['direct']), request);
  const either = evaluate(policiesFor(resource, principal, ['direct', 'account']), request);
  for (const decision of [own, either]) if (decision.outcome === 'explicitDeny') return decision;
  if (direct.outcome === 'allowed') return direct;
  if (resourceMustAllow && either.outcome !== 'allowed') return { outcome: 'implicitDeny' };
  return own;
}

/** The statements of a resource's policy that name the caller in one of these ways, as if they were a policy of its own. */
function policiesFor(policy: Policy | undefined, principal: Principal, ways: readonly Naming[]): readonly Policy[] {
  if (!policy) return [];
  const { name, document } = policy;
  const naming = listOf(document.Statement).filter((statement) => {
    const way = namingOf(statement, principal);
    return way !== undefined && ways.includes(way);
  });
  return [{ name, document: { ...document, Statement: naming } }];
}

/** A statement names a role itself, or only the account that it belongs to. */
type Naming = 'direct' | 'account';

function namingOf({ Principal: named }: Statement, principal: Principal): Naming | undefined {
  if (named === undefined) throw new Error('a statement of a resource has no principal');
  if (named === '*') return 'direct';
  if ('service' in principal) return listOf(named.Service).includes(principal.service) ? 'direct' : undefined;
  const roles = listOf(named.AWS);
  if (roles.includes('*') || roles.includes(principal.arn)) return 'direct';
  const account = new RegExp(`^(arn:[^:]+:iam::)?${principal.account}(:root)?$`);
  return roles.some((role) => account.test(role)) ? 'account' : undefined;
}

/** True where a statement is about the request: its action, its resource, its condition. */
export function statementApplies(statement: Statement, { action, resource, context }: Request): boolean {
  return actionMatches(statement, action) && resourceMatches(statement, resource, context) && holds(statement, context);
}

const holds = ({ Condition }: Statement, context: Context): boolean => conditionHolds(Condition, context);

/** Actions are not case-sensitive. */
function actionMatches({ Action, NotAction }: Statement, action: string): boolean {
  const named = listOf(Action ?? NotAction).some((one) => isLike(one.toLowerCase(), action.toLowerCase(), {}));
  return named === (Action !== undefined);
}

function resourceMatches({ Resource, NotResource }: Statement, resource: string, context: Context): boolean {
  const named = listOf(Resource ?? NotResource).some((one) => one === '*' || isResource(one, resource, context));
  // The policy of who may take on a role has no resource: it is that role.
  return (Resource === undefined && NotResource === undefined) || named === (Resource !== undefined);
}

function checkStatement(statement: Statement): void {
  const { Effect, Action, NotAction, Resource, NotResource, Principal: named } = statement;
  const unknown = Object.keys(statement).filter((element) => !ELEMENTS.has(element));
  const faults = [
    ...unknown.map((element) => `it has ${element}`),
    ...(Effect === 'Allow' || Effect === 'Deny' ? [] : ['its effect is neither Allow nor Deny']),
    ...((Action === undefined) === (NotAction === undefined) ? ['it has not one of Action and NotAction'] : []),
    ...(Resource !== undefined && NotResource !== undefined ? ['it has Resource and NotResource'] : []),
    ...((Resource ?? NotResource ?? named) ? [] : ['it has neither a resource nor a principal']),
  ];
  if (faults.length > 0)
    throw new Error(`no statement of a policy: ${faults.join(', ')}: ${JSON.stringify(statement)}`);
}
