import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AwsCalls } from '../engines/aws-calls.ts';
import { ACCOUNT, type MiniStack } from '../engines/ministack.ts';
import { cdk, cdkOrThrow } from './cdk-command.ts';
import type { Template, TemplateValues } from './resolve-template.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** What the bundle of each function is called in its logical id; `lambdas/NAME.lambda.ts` by name. */
const FUNCTIONS = {
  collect: /^DoorCollectFunction/,
  decide: /^DoorDecideFunction/,
  rights: /^DoorRightsFunction/,
  profile: /^ProfileFunction/,
  land: /^LandFunction/,
  publish: /^PlanPublishFunction/,
  erase: /^RightsJobEraseFunction/,
  keys: /^KeysFunction/,
};

export type FunctionName = keyof typeof FUNCTIONS;

/** A stack as CloudFormation holds it: enough to resolve its template. */
export type DeployedStack = TemplateValues & { outputs: Readonly<Record<string, string>>; arn: string };

/** What a deploy made, by the names of the line. */
export type DeployedStage = {
  stageName: string;
  /** The synthesised assembly that was deployed. */
  assembly: string;
  state: DeployedStack;
  line: DeployedStack;
  /**
   * The door: requests go to `url` with `host` as their Host header, by which the emulator finds the API. It is the first
   * collector host where the stage has any, else the API's own.
   */
  door: { url: string; host: string; apiId: string };
  functionNames: Readonly<Record<FunctionName, string>>;
  tableNames: { profiles: string; consents: string; control: string };
  streamName: string;
  bucketName: string;
  secretArn: string;
  keyArn: string;
  /** The plan's. */
  stateMachineArn: string;
  rightsMachineArn: string;
  database: string;
  workGroup: string;
};

export type DeployOptions = {
  ministack: MiniStack;
  calls: AwsCalls;
  /** A folder of this run; the command line's log goes there. */
  work: string;
  stageName: string;
  assembly: string;
};

/**
 * Bundles and synthesises the app in `root` (the repository, or a copy with another configuration) into a folder of `work`
 * and answers with it. Where one stack is named, only that one is bundled and may be deployed.
 */
export async function synthesise(options: {
  work: string;
  stageName: string;
  name: string;
  root?: string;
  stack?: string;
}): Promise<string> {
  const { work, stageName, name, root = ROOT, stack = '--all' } = options;
  const assembly = join(work, name);
  await cdkOrThrow({
    args: ['synth', '--quiet', stack, '-c', `stage=${stageName}`, '--output', assembly],
    cwd: root,
    env: {},
    logFile: join(work, 'cdk.log'),
  });
  return assembly;
}

/**
 * `cdk bootstrap`, once per account and region. It runs in an empty folder: in the app's it would synthesise without
 * bundling, and a deploy of that assembly would ship whole folders.
 */
export async function bootstrap({ ministack, work }: Pick<DeployOptions, 'ministack' | 'work'>): Promise<void> {
  const empty = join(work, 'empty');
  mkdirSync(empty, { recursive: true });
  await cdkOrThrow({
    args: ['bootstrap', `aws://${ACCOUNT}/${ministack.region}`],
    cwd: empty,
    env: ministack.env,
    logFile: join(work, 'cdk.log'),
  });
}

/** `cdk deploy` of a finished assembly, of all stacks where none is named; answers with what the command line printed. */
export function deployAssembly(
  { ministack, work, assembly }: DeployOptions,
  selection: readonly string[] = ['--all'],
): Promise<string> {
  return cdkOrThrow({
    args: ['deploy', ...selection, '--app', assembly, '--require-approval', 'never', '--ci'],
    cwd: join(work, 'empty'),
    env: ministack.env,
    logFile: join(work, 'cdk.log'),
  });
}

/** `cdk destroy` of one stack, by its name in the app; whether it may be destroyed is what the caller wants to know. */
export function destroyStack(
  { ministack, work, assembly }: DeployOptions,
  stack: string,
): Promise<{ code: number; output: string }> {
  return cdk({
    args: ['destroy', stack, '--exclusively', '--force', '--app', assembly],
    cwd: join(work, 'empty'),
    env: ministack.env,
    logFile: join(work, 'cdk.log'),
  });
}

/** Deploys an assembly onto a bootstrapped emulator and reads back what was made. */
export async function deployStage(options: DeployOptions): Promise<DeployedStage> {
  await deployAssembly(options);
  return readStage(options);
}

/** A stack as it stands on the emulator, found through CloudFormation alone. */
export async function readStack(
  { ministack, calls, assembly }: DeployOptions,
  { stackName, templateFile }: StackName,
): Promise<DeployedStack> {
  const { Exports } = await calls.call('cloudformation', 'list_exports');
  const { Stacks } = await calls.call('cloudformation', 'describe_stacks', { StackName: stackName });
  const { StackResources } = await calls.call('cloudformation', 'describe_stack_resources', { StackName: stackName });
  return {
    template: JSON.parse(readFileSync(join(assembly, templateFile), 'utf8')) as Template,
    physicalIds: byName(StackResources, 'LogicalResourceId', 'PhysicalResourceId'),
    outputs: byName(Stacks[0].Outputs ?? [], 'OutputKey', 'OutputValue'),
    exports: byName(Exports, 'Name', 'Value'),
    arn: Stacks[0].StackId,
    stackName,
    partition: 'aws',
    region: ministack.region,
    account: ACCOUNT,
    urlSuffix: 'amazonaws.com',
  };
}

/** Both stacks of a stage as they stand on the emulator, and what is in them by the names of the line. */
export async function readStage(options: DeployOptions): Promise<DeployedStage> {
  const { ministack, stageName, assembly } = options;
  const names = stackNames(assembly, stageName);
  const state = await readStack(options, names.state);
  const line = await readStack(options, names.line);
  const apiId = physicalId(line, /^DoorApi[0-9A-F]+$/);
  const [collectorHost] = Object.entries(line.physicalIds).flatMap(([logicalId, id]) =>
    line.template.Resources[logicalId]?.Type === 'AWS::ApiGatewayV2::DomainName' ? [id] : [],
  );
  return {
    stageName,
    assembly,
    state,
    line,
    door: { url: ministack.url, host: collectorHost ?? `${apiId}.execute-api.${new URL(ministack.url).host}`, apiId },
    functionNames: Object.fromEntries(
      Object.entries(FUNCTIONS).map(([name, logicalId]) => [
        name,
        physicalId(line, logicalId, 'AWS::Lambda::Function'),
      ]),
    ) as Record<FunctionName, string>,
    tableNames: {
      profiles: physicalId(state, /^ProfilesTable$/),
      consents: physicalId(state, /^ConsentsTable$/),
      control: physicalId(state, /^ControlTable$/),
    },
    streamName: physicalId(state, /^EventStream$/),
    bucketName: physicalId(state, /^LakeBucket$/),
    secretArn: physicalId(state, /^KeysSecret$/),
    keyArn: `arn:aws:kms:${ministack.region}:${ACCOUNT}:key/${physicalId(state, /^DataKey$/)}`,
    stateMachineArn: physicalId(line, /^PlanMachine/, 'AWS::StepFunctions::StateMachine'),
    rightsMachineArn: physicalId(line, /^RightsJobMachine/, 'AWS::StepFunctions::StateMachine'),
    database: outputOf(line, /^PlanDatabase/),
    workGroup: outputOf(line, /^PlanWorkGroup/),
  };
}

export type StackName = { stackName: string; templateFile: string };

/** The two stacks of a stage as the assembly names them. */
export function stackNames(assembly: string, stageName: string): { state: StackName; line: StackName } {
  const manifest = JSON.parse(readFileSync(join(assembly, 'manifest.json'), 'utf8')) as {
    artifacts: Record<string, { type: string; displayName?: string; properties?: { templateFile?: string } }>;
  };
  const find = (which: 'State' | 'Line'): StackName => {
    const [stackName, artifact] =
      Object.entries(manifest.artifacts).find(([, { displayName }]) => displayName === `paula-${stageName}/${which}`) ??
      [];
    const templateFile = artifact?.properties?.templateFile;
    if (stackName === undefined || templateFile === undefined)
      throw new Error(`${assembly} has no stack paula-${stageName}/${which}`);
    return { stackName, templateFile };
  };
  return { state: find('State'), line: find('Line') };
}

/** The physical id of the one resource whose logical id matches; throws where there is none or more than one. */
export function physicalId(stack: DeployedStack, logicalId: RegExp, type?: string): string {
  const found = Object.entries(stack.physicalIds).filter(
    ([id]) => logicalId.test(id) && (type === undefined || stack.template.Resources[id]?.Type === type),
  );
  if (found.length !== 1) throw new Error(`${stack.stackName}: ${found.length} resources match ${logicalId}`);
  return (found[0] as [string, string])[1];
}

function outputOf(stack: DeployedStack, key: RegExp): string {
  const value = Object.entries(stack.outputs).find(([name]) => key.test(name))?.[1];
  if (value === undefined) throw new Error(`${stack.stackName} has no output ${key}`);
  return value;
}

const byName = (list: Record<string, string>[], key: string, value: string): Record<string, string> =>
  Object.fromEntries(list.map((item) => [item[key] as string, item[value] as string]));
