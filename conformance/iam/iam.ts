import type { Report } from '../report.ts';
import { ACCEPTED, type Acceptance } from './accepted.ts';
import { callNeeds, type Place } from './call-needs.ts';
import { type Deployment, type Resource, readDeployment } from './deployment.ts';
import { evaluateAccess, statementApplies } from './evaluate.ts';
import type { Need } from './need.ts';
import { planNeeds } from './plan-needs.ts';
import { type Decision, listOf, type Request, type Statement } from './policy.ts';
import type { RecordedCall } from './recorded-call.ts';
import { type ResourcePolicies, resourcePoliciesOf } from './resource-policies.ts';
import { type Role, rolesOf } from './roles.ts';
import { assumption, type ServiceCall, serviceCalls } from './service-calls.ts';
import { functionNeeds, machineNeeds, scheduleNeeds } from './service-needs.ts';

export type IamOptions = {
  /** Folders of synthesised assemblies; each is judged by itself. */
  templates: readonly string[];
  /** What the functions called, and where. */
  calls: Place & { recorded: readonly RecordedCall[] };
  accepted?: readonly Acceptance[];
};

/**
 * Proves that each role may do what is really called and no more: every call that was recorded, every call that a service
 * makes with the role, and every state of the plan must be allowed with its resource and its conditions; what is granted
 * and never called, and what is left open, must be accepted with a reason. The policies are those of the templates: what
 * AWS adds to them (organisation policies, boundaries) is not seen here.
 */
export async function proveIam(report: Report, { templates, calls, accepted = ACCEPTED }: IamOptions): Promise<void> {
  const used = new Set<string>();
  for (const template of templates) {
    const deployment = readDeployment(template);
    report.step(`rights of ${deployment.name}`);
    await proveDeployment(report, deployment, calls, (finding) => {
      const entry = accepted.find((one) => isAccepted(one, finding));
      if (entry) used.add(keyOf(finding));
      return entry !== undefined;
    });
  }
  report.step('accepted rights');
  const idle = accepted.flatMap((entry) => findingsOf(entry).filter((finding) => !used.has(keyOf(finding))));
  for (const finding of idle)
    report.fail(
      `${finding.role}: nothing is found any more that "${finding.finding}" of ${finding.action} on ${finding.resource} excuses`,
      'conformance/iam/accepted.ts',
    );
  if (idle.length === 0) report.ok('each is still needed', `${used.size}`);
}

/** One action on one resource pattern of one role, as the list of what is accepted names them. */
type Finding = { finding: Acceptance['finding']; role: string; action: string; resource: string };

const keyOf = ({ finding, role, action, resource }: Finding): string => [finding, role, action, resource].join(' ');
const findingsOf = ({ finding, role, actions, resources }: Acceptance): Finding[] =>
  actions.flatMap((action) => resources.map((resource) => ({ finding, role, action, resource })));
const isAccepted = (entry: Acceptance, finding: Finding): boolean =>
  findingsOf(entry).some((one) => keyOf(one) === keyOf(finding));

type Accepts = (finding: Finding) => boolean;

async function proveDeployment(
  report: Report,
  deployment: Deployment,
  calls: IamOptions['calls'],
  accepts: Accepts,
): Promise<void> {
  const policies = resourcePoliciesOf(deployment);
  const functions = deployment.ofType('AWS::Lambda::Function');
  for (const caller of new Set(calls.recorded.map((call) => call.function)))
    if (!functions.some(({ logicalId }) => calls.physicalIds.some((ids) => ids[logicalId] === caller)))
      report.fail(
        `${deployment.name} has no function that is called ${caller}, and that made calls`,
        'the recorded calls',
      );
  for (const role of rolesOf(deployment)) {
    const place = placeOf(role.resource, deployment);
    const name = role.resource.path;
    let failed = false;
    const fail = (check: string): void => {
      failed = true;
      report.fail(check, place);
    };
    for (const arn of role.managed) fail(`${name} has ${arn}, a policy that is not in the templates`);
    if (role.users.length === 0) fail(`${name} is nobody's role, or of a kind of resource that roles.ts does not know`);
    const needs: Need[] = [];
    for (const user of role.users) {
      for (const judged of needsOf(user, deployment, calls)) {
        try {
          needs.push(...(await judged()));
        } catch (error) {
          fail(`${user.path} cannot be judged: ${(error as Error).message}`);
        }
      }
      judgeServiceCall(fail, deployment, assumption(user, role.arn, deployment), () => role.trust);
    }
    for (const { request, why } of unlike(needs)) {
      const decision = decide(role, request, deployment, policies);
      if (decision.outcome !== 'allowed')
        fail(
          `${name} may not ${request.action} on ${deployment.readable(request.resource)} (${why}): ${said(decision)}`,
        );
    }
    const grants = grantsOf(role, deployment);
    for (const grant of grants) {
      if (isWide(grant) && !accepts({ ...grant.named, finding: 'wide' }))
        fail(`${name} may ${grant.named.action} on ${grant.named.resource}: it is left open, without a reason`);
      if (!needs.some(({ request }) => statementApplies(grant.statement, request)))
        if (!accepts({ ...grant.named, finding: 'unused' }))
          fail(`${name} may ${grant.named.action} on ${grant.named.resource}, and nothing calls it`);
    }
    if (!failed) report.ok(`${name} may do what is called`, `${unlike(needs).length} calls, ${grants.length} grants`);
  }
  proveServices(report, deployment, policies);
}

function proveServices(report: Report, deployment: Deployment, policies: ResourcePolicies): void {
  const calls = serviceCalls(deployment);
  let failed = false;
  for (const call of calls)
    judgeServiceCall(
      (check) => {
        failed = true;
        report.fail(check, placeOf(call.caller, deployment));
      },
      deployment,
      call,
      policies,
    );
  if (!failed) report.ok('services may make the calls that they make in their own name', `${calls.length} calls`);
}

function judgeServiceCall(
  fail: (check: string) => void,
  deployment: Deployment,
  { service, request, why, caller }: ServiceCall,
  policies: ResourcePolicies,
): void {
  const resource = policies(request.resource);
  const decision = evaluateAccess({
    principal: { service },
    request,
    identity: [],
    resource,
    resourceMustAllow: true,
  });
  if (decision.outcome !== 'allowed')
    fail(
      `${service} may not ${request.action} on ${deployment.readable(request.resource)} for ${caller.path} (${why}): ${said(decision)}`,
    );
}

/**
 * What a user of a role needs: each of its own calls, and what its service does with the role. They are judged one by one,
 * so that one that cannot be judged does not make the others' grants look unused.
 */
function needsOf(
  user: Resource,
  deployment: Deployment,
  calls: IamOptions['calls'],
): readonly (() => Need[] | Promise<Need[]>)[] {
  switch (user.type) {
    case 'AWS::Lambda::Function': {
      const own = calls.recorded.filter((call) =>
        calls.physicalIds.some((ids) => ids[user.logicalId] === call.function),
      );
      return [...own.map((call) => () => callNeeds(call, deployment, calls)), () => functionNeeds(user, deployment)];
    }
    case 'AWS::StepFunctions::StateMachine':
      return [() => planNeeds(user, deployment), () => machineNeeds(user, deployment)];
    default:
      return [() => scheduleNeeds(user, deployment)];
  }
}

/** Keys let the policies of the account decide, and decide nothing without. */
const RESOURCE_MUST_ALLOW = /^kms:/;

function decide(role: Role, request: Request, deployment: Deployment, policies: ResourcePolicies): Decision {
  return evaluateAccess({
    principal: { arn: role.arn, account: deployment.account },
    request,
    identity: role.policies,
    resource: policies(request.resource),
    resourceMustAllow: RESOURCE_MUST_ALLOW.test(request.action),
  });
}

const said = ({ outcome, decidedBy }: Decision): string =>
  decidedBy
    ? `${outcome} by ${decidedBy.policy}${decidedBy.statement.Sid ? ` (${decidedBy.statement.Sid})` : ''}`
    : outcome;

/** One action on one resource that a role is granted. */
type Grant = { named: Omit<Finding, 'finding'>; statement: Statement };

/** What a role's statements allow, taken apart; a statement that names what it excludes is one grant as a whole. */
function grantsOf(role: Role, deployment: Deployment): Grant[] {
  return role.policies
    .flatMap(({ document }) => listOf(document.Statement))
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap((statement): Grant[] => {
      const { Action, Resource, ...rest } = statement;
      if (Action === undefined || Resource === undefined)
        return [{ named: { role: role.resource.path, action: 'NotAction', resource: 'NotResource' }, statement }];
      return listOf(Action).flatMap((action) =>
        listOf(Resource).map((resource) => ({
          named: { role: role.resource.path, action, resource: deployment.readable(resource) },
          statement: { ...rest, Action: action, Resource: resource },
        })),
      );
    });
}

/** True where an action is not named, or where a resource is every one, every one of a kind, or one of any place. */
function isWide({ statement: { Action, Resource } }: Grant): boolean {
  if (typeof Action !== 'string' || typeof Resource !== 'string' || /[*?]/.test(Action)) return true;
  const [, partition = '', service = '', region = '', account = '', ...name] = Resource.split(':');
  return Resource === '*' || /[*?]/.test(partition + service + region + account) || /^[*?]/.test(name.join(':'));
}

/** The needs, each request once. */
const unlike = (needs: readonly Need[]): Need[] => [
  ...new Map(needs.map((need) => [JSON.stringify(need.request), need])).values(),
];

const placeOf = ({ logicalId, path, file }: Resource, { name }: Deployment): string =>
  `${logicalId} of ${name} (${path}), ${file}`;
