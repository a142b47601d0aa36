import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Grant, type IGrantable, type IPrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  type IFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { type ICommandHooks, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';
import type { DataKey } from './data-key.ts';
import { StageLogGroup } from './stage-log-group.ts';

export interface PaulaFunctionProps {
  /** Name of the entry: `lambdas/NAME.lambda.ts`. */
  readonly entry: string;
  readonly stage: StageConfig;
  readonly stageName: string;
  readonly key: DataKey;
  /** As the entry's schema in `lambdas/env.ts` has it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly reservedConcurrency?: number;
  readonly commandHooks?: ICommandHooks;
}

const PROJECT_ROOT = join(import.meta.dirname, '..');

/** A Lambda function with every default of the house, and with no right but to write into its own log group. */
export class PaulaFunction extends Construct implements IGrantable {
  readonly function: IFunction;
  readonly role: Role;
  readonly grantPrincipal: IPrincipal;

  constructor(scope: Construct, id: string, props: PaulaFunctionProps) {
    super(scope, id);
    const logGroup = new StageLogGroup(this, 'Logs', props);
    // Not Lambda's managed policy, which may write into every log group of the account.
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.grantPrincipal = this.role;
    logGroup.grantWrite(this.role);

    this.function = new NodejsFunction(this, 'Function', {
      entry: join(PROJECT_ROOT, 'lambdas', `${props.entry}.lambda.ts`),
      projectRoot: PROJECT_ROOT,
      depsLockFilePath: join(PROJECT_ROOT, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: this.role,
      memorySize: props.memoryMb,
      timeout: Duration.seconds(props.timeoutSeconds),
      ...(props.reservedConcurrency && { reservedConcurrentExecutions: props.reservedConcurrency }),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      // Without the three platform lines per call, which cost more than the calls.
      systemLogLevelV2: SystemLogLevel.WARN,
      environment: {
        ...props.environment,
        STAGE: props.stageName,
        NODE_OPTIONS: '--enable-source-maps',
      },
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        mainFields: ['module', 'main'],
        minify: true,
        sourceMap: true,
        // A stack trace needs names and lines; the text of every source would triple the map.
        sourcesContent: false,
        // The runtime's own SDK changes under the feet of a deployed function and loads more slowly than a bundled one.
        bundleAwsSDK: true,
        ...(props.commandHooks && { commandHooks: props.commandHooks }),
      },
    });
  }

  /** Lets a principal call the function; not its versions and aliases, since there are none. */
  grantCall(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['lambda:InvokeFunction'], resourceArns: [this.function.functionArn] });
  }
}
