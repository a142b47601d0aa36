import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context, KinesisStreamEvent, KinesisStreamRecord } from 'aws-lambda';
import { type PaulaConfig, stageOf } from '../domain/config.ts';
import { type Consumer, type ConsumerName, consumers } from '../domain/consumers.ts';
import type { Keys } from '../domain/keys.ts';
import { buildPlan } from '../domain/plan.ts';
import { routes } from '../domain/routes.ts';
import { lakeTables } from '../domain/tables.ts';
import { placeOf } from '../lambdas/adapters/error-place.ts';
import type { eraseTask } from '../lambdas/erase.ts';
import paulaConfig from '../paula.config.ts';
import { soundSegments } from '../sql/sound-segments.ts';
import { readSqlTexts } from '../sql/sql-texts.ts';
import { type Discarded, deliverBatch } from './batch-delivery.ts';
import { fileCheckpoint } from './checkpoints.ts';
import { controlDoor } from './control-door.ts';
import { ensureCountryTable } from './country-table.ts';
import { type Door, takePort } from './door.ts';
import { startDynamo } from './dynamo-server.ts';
import { faultPoints } from './fault-point.ts';
import { type Poller, startPoller } from './kinesis-poller.ts';
import { startKinesis } from './kinesis-server.ts';
import { openLake } from './lake.ts';
import { countMetricLines } from './metric-lines.ts';
import { consumerOf, failureKey, failureRecord, functionArn, onFailureDestination } from './on-failure.ts';
import { createPlanRunner } from './plan-runner.ts';
import { rightsDoor } from './rights/rights-door.ts';
import { createRightsRunner } from './rights/rights-runner.ts';
import { isSigned } from './rights/signature-v4.ts';
import { ensureSigningKey } from './rights/signing-key.ts';
import { startS3 } from './s3-server.ts';
import { startSchedule } from './schedule.ts';
import { ensureSecrets, secretsPath, writeControl } from './secrets.ts';
import { segmentDoor } from './sql/segment-door.ts';
import { reportSegment } from './sql/segment-report.ts';
import { lockState } from './state-lock.ts';

const STREAM = 'paula-events';
const BUCKET = 'paula-lake';
const TABLES = { profiles: 'paula-profiles', consents: 'paula-consents', control: 'paula-control' } as const;

export type PlatformOptions = {
  /** 0 picks a free port. */
  port: number;
  stateDir: string;
  stage?: string;
  /** Seconds between two runs of the plan instead of the stage's, or `off`. */
  planEvery?: number | 'off';
  config?: PaulaConfig;
  /** `POINT:N`, see `local/fault-point.ts`. */
  fault?: string | undefined;
  /** Hears what goes wrong, in words without personal data. */
  log?: (line: string) => void;
};

export type Platform = {
  url: string;
  keys: Keys;
  /** The engines' addresses, for tools that speak the AWS protocols; names of what is in them. */
  engines: { dynamodb: string; kinesis: string; s3: string };
  stream: string;
  bucket: string;
  tables: typeof TABLES;
  status(): PlatformStatus;
  stop(): Promise<void>;
};

export type PlatformStatus = {
  consumers: { name: ConsumerName; shard: string; behind: number; lastArrival?: string; lagMs?: number }[];
  planRuns: number;
  lastPlan?: { asOf: string; ms: number };
  /** What the functions counted, by metric and reason. */
  counters: Record<string, number>;
  engines: Platform['engines'];
  /** Bytes that the process holds in memory. */
  rss: number;
};

type Handler = (event: unknown, context: Context) => Promise<unknown>;
type FunctionName = 'collect' | 'decide' | 'rights' | 'publish' | 'erase' | ConsumerName;

/** The principal of whoever signs with the state folder's pair. */
const SIGNER = 'arn:aws:iam::000000000000:user/local';

/**
 * Starts the whole platform in this process: the engines, the same function entries and SQL that are deployed, the event
 * source mappings and the plan's schedule. One per process: the entries read the environment when they are loaded.
 * Rejects when the port is occupied (EADDRINUSE) or another process has the state folder.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { config = paulaConfig, log = console.error } = options;
  const stateDir = resolve(options.stateDir);
  const stageName = options.stage ?? 'local';
  const stage = stageOf(config, stageName);
  const { region } = stage;
  const at = (...names: string[]): string => join(stateDir, ...names);
  const passFaultPoint = faultPoints(options.fault, stateDir);
  const report = (what: string) => (error: unknown) => log(`${what}: ${placeOf(error)}`);

  /** What ends the parts, in the order in which they began. */
  const ends: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (let end = ends.pop(); end; end = ends.pop()) await end();
  };

  try {
    const door: Door = await takePort(options.port);
    ends.push(() => door.stop());
    ends.push(lockState(stateDir));
    const url = `http://localhost:${door.port}`;
    const keys = ensureSecrets(stateDir, config);
    const control = writeControl(stateDir, url);
    const signingKey = ensureSigningKey(stateDir);

    // dynalite and kinesalite take the region of their ARNs from here.
    process.env.AWS_REGION = region;
    const [dynamo, kinesis, s3] = await Promise.all([
      startDynamo(at('dynamo'), region, [
        { name: TABLES.profiles, sk: true },
        { name: TABLES.consents, sk: true },
        { name: TABLES.control, sk: false },
      ]),
      startKinesis(at('kinesis'), region, { name: STREAM, shards: stage.shards }),
      startS3(at('s3'), region, BUCKET),
      ensureCountryTable(at('country.bin')),
    ]);
    ends.push(...[dynamo, kinesis, s3].map((engine) => () => engine.stop()));
    if (s3.discarded > 0) log(`${s3.discarded} half-written objects of an earlier run are discarded`);

    Object.assign(process.env, {
      STAGE: stageName,
      STREAM_NAME: STREAM,
      PROFILES_TABLE: TABLES.profiles,
      CONSENTS_TABLE: TABLES.consents,
      CONTROL_TABLE: TABLES.control,
      BUCKET_NAME: BUCKET,
      KEYS_SECRET_ID: pathToFileURL(secretsPath(stateDir)).href,
      COUNTRY_TABLE_FILE: at('country.bin'),
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint,
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    const metricLines = countMetricLines();
    ends.push(metricLines.stop);
    // Only now: the entries and their clients read the environment when they are loaded.
    const [clients, collect, decide, rights, profile, land, publish, erase] = await Promise.all([
      import('../lambdas/adapters/clients.ts'),
      import('../lambdas/collect.lambda.ts'),
      import('../lambdas/decide.lambda.ts'),
      import('../lambdas/rights.lambda.ts'),
      import('../lambdas/profile.lambda.ts'),
      import('../lambdas/land.lambda.ts'),
      import('../lambdas/publish.lambda.ts'),
      import('../lambdas/erase.lambda.ts'),
    ]);
    const entries = { collect, decide, rights, profile, land, publish, erase } as unknown as Record<
      FunctionName,
      { handler: Handler }
    >;
    /** Calls under way. A client that hangs up does not end its call, and no engine may go before it has ended. */
    const calls = new Set<Promise<unknown>>();
    const invoke = (name: FunctionName, event: unknown, requestId: string = randomUUID()): Promise<unknown> => {
      const call = entries[name].handler(event, lambdaContext(name, requestId, region));
      const settled: Promise<unknown> = call.catch(() => undefined).finally(() => calls.delete(settled));
      calls.add(settled);
      return call;
    };
    ends.push(async () => void (await Promise.all(calls)));

    const onFailure = onFailureDestination(clients.s3(), BUCKET);
    const feed = async (name: ConsumerName, records: readonly KinesisStreamRecord[]): Promise<unknown> => {
      const event: KinesisStreamEvent = { Records: [...records] };
      try {
        return await invoke(name, event);
      } catch (error) {
        report(name)(error);
        throw error;
      }
    };
    const keep = (consumer: ConsumerName) => async (shardId: string, discarded: Discarded) => {
      const now = Date.now();
      const source = { region, consumer, shardId, streamArn: kinesis.streamArn };
      await onFailure.put(failureKey(consumer, shardId, now), failureRecord(discarded, source, now));
      log(`${consumer}: ${discarded.records.length} records given up (${discarded.condition}); npm run failed -- list`);
    };
    const pollers = new Map<ConsumerName, Poller>();
    const mappings = consumers(stage);

    const planEnd = buildPlan({ config, stage, bucket: BUCKET, ...soundSegments(readSqlTexts(), config) }).at(-1)?.id;
    const shared = {
      config,
      stage,
      lake: await openLake({ folder: at('lake'), objects: s3.objectsFolder, tables: lakeTables(config) }),
      s3: clients.s3(),
      dynamo: clients.dynamo(),
      bucket: BUCKET,
      controlTable: TABLES.control,
    };
    const plan = createPlanRunner({
      ...shared,
      publish: (input) => invoke('publish', input),
      say: log,
      onStep: ({ step, phase }) => {
        if (phase !== 'done') return;
        passFaultPoint(`plan.step.${step}`);
        if (step === planEnd) passFaultPoint('plan.release');
      },
    });
    ends.push(() => plan.close());
    const rightsJob = createRightsRunner({
      ...shared,
      erase: async (input) => (await invoke('erase', input)) as Awaited<ReturnType<typeof eraseTask>>,
    });
    await rightsJob.takeOver();
    const runRights = (asOf: Date) => plan.alone(() => rightsJob.run(asOf));
    /** After each run of the plan; on AWS it has a schedule of its own. */
    const runPlan = async (asOf: Date): Promise<void> => {
      await plan.run(asOf);
      if (options.planEvery !== 'off') await runRights(new Date()).catch(report('rights job'));
    };
    const schedule = startSchedule(options.planEvery ?? stage.planEverySeconds, runPlan, report('plan'));
    ends.push(() => schedule.stop());
    // Last, since what was left in the stream is read at once: the door is known when it is.
    for (const consumer of Object.values(mappings)) {
      const poller = await startPoller(consumer, {
        kinesis: clients.kinesis(),
        stream: { name: STREAM, arn: kinesis.streamArn },
        region,
        checkpoint: (shardId) => fileCheckpoint(at('checkpoints'), consumer.name, shardId),
        invoke: (records) => feed(consumer.name, records),
        discard: keep(consumer.name),
        beforeCheckpoint: () => passFaultPoint(`${consumer.name}.checkpoint`),
        onFault: report(`${consumer.name} poller`),
      });
      pollers.set(consumer.name, poller);
      ends.push(() => poller.stop());
    }

    /** When a function that writes the stream was last done: what it put there came before. */
    let lastCollect = 0;
    const engines = { dynamodb: dynamo.endpoint, kinesis: kinesis.endpoint, s3: s3.endpoint };
    const status = (): PlatformStatus => ({
      consumers: [...pollers].flatMap(([name, poller]) =>
        poller.status().map(({ drainedAt, waiting, ...shard }) => ({
          name,
          ...shard,
          // A read that began after the last call and found nothing has seen it all; until then at least one may wait.
          behind: drainedAt !== undefined && drainedAt > lastCollect ? 0 : Math.max(1, waiting),
        })),
      ),
      ...schedule.status(),
      counters: { ...metricLines.counters },
      engines,
      rss: process.memoryUsage.rss(),
    });

    door.open({
      routes: routes(config),
      async invoke(name, event, requestId) {
        try {
          return await invoke(name, event, requestId);
        } finally {
          if (name !== 'decide') lastCollect = Date.now();
        }
      },
      signer: async (request) => ((await isSigned(request, signingKey, region, Date.now())) ? SIGNER : undefined),
      beforeAnswer: (name) => name === 'collect' && passFaultPoint('door.answer'),
      local: segmentDoor(
        control,
        (id, asOf) =>
          plan.alone(() =>
            reportSegment(id, asOf, { config, stage, lake: shared.lake, scratch: at('lake', 'sample.parquet') }),
          ),
        rightsDoor(
          control,
          runRights,
          controlDoor({
            control,
            status,
            runPlan: schedule.runNow,
            failed: onFailure.list,
            replayFailed: (key) => replayFailed(key, { onFailure, mappings, feed, keep }),
          }),
        ),
      ),
      onFault: report('door'),
    });
    // First to end again: no request may meet an engine that is gone.
    ends.push(() => door.stop());
    return { url, keys, engines, stream: STREAM, bucket: BUCKET, tables: TABLES, status, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Sends a failed batch into the consumer that gave it up, split and retried like any batch; what fails again becomes a new
 * failed batch, and then this one goes. Its records come from another shard than any that is being read: a consumer that
 * remembers how far it has got in a shard would take them for records that it has seen.
 */
async function replayFailed(
  key: string,
  deps: {
    onFailure: ReturnType<typeof onFailureDestination>;
    mappings: Record<ConsumerName, Consumer>;
    feed(name: ConsumerName, records: readonly KinesisStreamRecord[]): Promise<unknown>;
    keep(name: ConsumerName): (shardId: string, discarded: Discarded) => Promise<void>;
  },
): Promise<{ consumer: string; records: number; failedAgain: number }> {
  const record = await deps.onFailure.get(key);
  const mapping = Object.values(deps.mappings).find(({ name }) => name === consumerOf(record));
  if (!mapping) throw new Error(`"${consumerOf(record)}" is no consumer`);
  const { shardId } = record.KinesisBatchInfo;
  const event = JSON.parse(record.payload) as KinesisStreamEvent;
  const records = event.Records.map((each) => ({
    ...each,
    eventID: `replayed-${each.eventID.replace(/^replayed-/, '')}`,
  }));
  let failedAgain = 0;
  await deliverBatch(
    records,
    { retryAttempts: mapping.retryAttempts, maxRecordAgeSeconds: Number.POSITIVE_INFINITY },
    {
      invoke: (some) => deps.feed(mapping.name, some),
      checkpoint: async () => undefined,
      async discard(discarded) {
        failedAgain += discarded.records.length;
        await deps.keep(mapping.name)(shardId, discarded);
      },
      wait: (ms) => new Promise((done) => setTimeout(done, ms)),
      now: Date.now,
      stopped: () => false,
    },
  );
  await deps.onFailure.remove(key);
  return { consumer: mapping.name, records: records.length, failedAgain };
}

/** What a function may ask about its call. There is no deadline on a laptop; the figure is Lambda's longest. */
function lambdaContext(functionName: string, awsRequestId: string, region: string): Context {
  const REMAINING_MS = 900_000;
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn(region, functionName),
    memoryLimitInMB: '512',
    awsRequestId,
    logGroupName: functionName,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => REMAINING_MS,
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
}
