import { type Deployment, policyOf, type Resource } from './deployment.ts';
import { listOf, type Policy } from './policy.ts';

/** A role of the deployment with all that says what it may do, and what runs with it. */
export type Role = {
  resource: Resource;
  arn: string;
  /** Inline policies and those that are attached to it. */
  policies: readonly Policy[];
  /** ARNs of policies that are not in the templates, so that nobody here can say what they allow. */
  managed: readonly string[];
  /** Who may take it on. */
  trust: Policy;
  users: readonly Resource[];
};

/** Which property of which type names the role that it runs with. */
const USERS: Readonly<Record<string, (user: Resource) => unknown>> = {
  'AWS::Lambda::Function': (user) => user.property('Role'),
  'AWS::StepFunctions::StateMachine': (user) => user.property('RoleArn'),
  'AWS::Scheduler::Schedule': (user) => (user.property('Target') as { RoleArn?: string }).RoleArn,
};

/** Every role of the deployment. */
export function rolesOf(deployment: Deployment): Role[] {
  const attached = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) => deployment.ofType(type));
  return deployment.ofType('AWS::IAM::Role').map((resource) => {
    const arn = deployment.arnOf(resource);
    const inline = listOf(
      resource.property('Policies') as { PolicyName: string; PolicyDocument: unknown }[] | undefined,
    );
    return {
      resource,
      arn,
      policies: [
        ...inline.map(({ PolicyName, PolicyDocument }) =>
          policyOf(`${resource.logicalId}/${PolicyName}`, PolicyDocument),
        ),
        ...attached
          .filter((policy) => listOf(policy.property('Roles') as string[] | undefined).includes(resource.id))
          .map((policy) => policyOf(policy.logicalId, policy.property('PolicyDocument'))),
      ],
      managed: listOf(resource.property('ManagedPolicyArns') as string[] | undefined),
      trust: policyOf(`${resource.logicalId} (trust)`, resource.property('AssumeRolePolicyDocument')),
      users: Object.entries(USERS).flatMap(([type, roleOf]) =>
        deployment.ofType(type).filter((user) => roleOf(user) === arn),
      ),
    };
  });
}
