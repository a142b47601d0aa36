import { CfnOutput, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  HttpApi,
  type HttpMethod,
  HttpStage,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Construct } from 'constructs';
import { type RoutedFunction, routes } from '../domain/routes.ts';
import { CollectorHost } from './collector-host.ts';
import type { LineStackProps } from './line-stack.ts';
import { PaulaFunction } from './paula-function.ts';
import { Rights } from './rights.ts';
import { grantLedgerReads } from './rights-grants.ts';
import { StageLogGroup } from './stage-log-group.ts';

/** Lambda unpacks a function's code here. */
const TASK_ROOT = '/var/task';
const COUNTRY_TABLE = 'country.bin';

/**
 * An access log without address, path, query, user agent or any text of the request's. API Gateway demands the request id;
 * an event's id is made of it with a key (HMAC), so whoever has the log and not the keys cannot find the row of a request.
 */
const ACCESS_LOG_FORMAT = AccessLogFormat.custom(
  JSON.stringify({
    requestId: '$context.requestId',
    time: '$context.requestTimeEpoch',
    route: '$context.routeKey',
    status: '$context.status',
    latency: '$context.responseLatency',
    bytes: '$context.responseLength',
  }),
);

/** The HTTP API, the hosts under which it answers and the three functions behind it. */
export class Door extends Construct {
  readonly api: HttpApi;
  readonly collect: PaulaFunction;
  readonly decide: PaulaFunction;
  readonly rights: PaulaFunction;

  constructor(scope: Construct, id: string, props: LineStackProps) {
    super(scope, id);
    const { config, stage, state } = props;

    const collect = new PaulaFunction(this, 'Collect', {
      ...props,
      entry: 'collect',
      key: state.key,
      environment: {
        STREAM_NAME: state.stream.stream.streamName,
        PROFILES_TABLE: state.tables.profiles.tableName,
        CONSENTS_TABLE: state.tables.consents.tableName,
        KEYS_SECRET_ID: state.keys.arn,
        COUNTRY_TABLE_FILE: `${TASK_ROOT}/${COUNTRY_TABLE}`,
      },
      // One vCPU (1,769 MB): a cold start parses bundle and country table on it, and a browser waits for that.
      memoryMb: 1769,
      // API Gateway gives up after 30 s; before that the clients' own limits let the door answer itself.
      timeoutSeconds: 29,
      commandHooks: {
        beforeBundling: () => [],
        beforeInstall: () => [],
        afterBundling: (inputDir, outputDir) => [
          `node "${inputDir}/scripts/pack-country-table.mjs" "${outputDir}/${COUNTRY_TABLE}"`,
        ],
      },
    });
    state.stream.grantPut(collect);
    state.tables.grantCollect(collect);
    state.keys.grantRead(collect);

    const decide = new PaulaFunction(this, 'Decide', {
      ...props,
      entry: 'decide',
      key: state.key,
      environment: {
        PROFILES_TABLE: state.tables.profiles.tableName,
        CONSENTS_TABLE: state.tables.consents.tableName,
        CONTROL_TABLE: state.tables.control.tableName,
        KEYS_SECRET_ID: state.keys.arn,
      },
      // Two reads and a lookup: half a vCPU does it in milliseconds.
      memoryMb: 1024,
      // As for collect: the clients' limits end a read that hangs, and the door answers without it.
      timeoutSeconds: 29,
    });
    state.tables.grantDecide(decide);
    grantLedgerReads(decide, state);
    state.keys.grantRead(decide);

    const rights = new Rights(this, 'Rights', props);

    const hosts = Object.entries(stage.hosts);
    const api = new HttpApi(this, 'Api', {
      createDefaultStage: false,
      description: `${config.brand.name}: door`,
      // Cookies are host-only: one that a browser got under API Gateway's own name would be lost under the brand's.
      ...(hosts.length > 0 && { disableExecuteApiEndpoint: true }),
    });
    const integrate = (id: RoutedFunction, { function: handler }: PaulaFunction) =>
      new HttpLambdaIntegration(id, handler, {
        payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
        // One permission for the API and not one per route: it is the API that is trusted.
        scopePermissionToRoute: false,
      });
    const integrations = {
      collect: integrate('collect', collect),
      decide: integrate('decide', decide),
      rights: integrate('rights', rights),
    };
    const signed = new HttpIamAuthorizer();
    const added = routes(config).flatMap((route) =>
      api.addRoutes({
        path: route.path,
        methods: [route.method as HttpMethod],
        integration: integrations[route.function],
        ...(route.signed && { authorizer: signed }),
      }),
    );

    const live = new HttpStage(this, 'Live', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      ...(stage.accessLogs && {
        accessLogSettings: {
          destination: new LogGroupLogDestination(new StageLogGroup(this, 'AccessLogs', { stage, key: state.key })),
          format: ACCESS_LOG_FORMAT,
        },
      }),
    });
    const { rate, burst } = stage.throttle;
    // Spelt as CloudFormation does: the CDK passes a map of settings through as it is.
    const throttled = { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst };
    const cfnStage = live.node.defaultChild as CfnStage;
    cfnStage.routeSettings = Object.fromEntries(
      routes(config).map(({ method, path }) => [`${method} ${path}`, throttled]),
    );
    // API Gateway refuses settings of a route that is not there yet.
    live.node.addDependency(...added);
    for (const [site, host] of hosts) new CollectorHost(this, `Host-${site}`, { site, host, api, stage: live });

    Validations.of(api).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason:
        'A pixel has no credentials to show. What needs some is checked in the function, where the answer can differ by ' +
        'event: write keys, the device cookie, identity tokens and Origin.',
    });
    if (!stage.accessLogs)
      Validations.of(live).acknowledge({
        id: 'AwsSolutions-APIG1',
        reason: 'Access logs are the brand’s choice (stage.accessLogs); metrics per route count without them.',
      });
    if (hosts.length === 0) new CfnOutput(this, 'Url', { value: api.apiEndpoint, description: 'The door' });
    this.api = api;
    this.collect = collect;
    this.decide = decide;
    this.rights = rights;
  }
}
