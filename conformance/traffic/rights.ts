import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Keys } from '../../domain/keys.ts';
import { routes } from '../../domain/routes.ts';
import { BACKUP_DAYS, SWEEP_HOURS } from '../../domain/stores.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { deviceIdOf } from '../../lambdas/browser.ts';
import { BrandServer } from '../../local/erasure-proof/brand-server.ts';
import { ProofBrowser } from '../../local/erasure-proof/browser.ts';
import { needleOf } from '../../local/erasure-proof/needles.ts';
import { makeCanary, needlesOf } from '../../local/erasure-proof/person.ts';
import { orderMessage, plant } from '../../local/erasure-proof/plant.ts';
import { type StoreHits, scan } from '../../local/erasure-proof/scan.ts';
import config from '../../paula.config.ts';
import type { DeployedStage } from '../deploy/deployed-stage.ts';
import { runMachine } from '../deploy/plan-run.ts';
import type { AwsCalls } from '../engines/aws-calls.ts';
import type { MiniStack } from '../engines/ministack.ts';
import type { Report } from '../report.ts';
import { exchange } from '../story/exchange.ts';
import { askAt } from './ask-at.ts';
import { dumpStores } from './dump-stores.ts';
import { settle, settleLanding } from './settle.ts';
import type { Stores } from './stores.ts';
import { type Streamed, streamRecords } from './stream-records.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PLACE = 'lambdas/rights.ts, lambdas/erase.ts and lib/erasure-definition.ts';

/** A page of the shop, as the configuration has it. */
const [ORIGIN = ''] = config.sites.shop?.origins ?? [];

/** A key that no account has; what signs with it is nobody. */
const STRANGER = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x'.repeat(40) };

/** What the check is given of the platform under test. */
export type RightsOptions = {
  ministack: MiniStack;
  calls: AwsCalls;
  stage: DeployedStage;
  stores: Stores;
  keys: Keys;
  /** A folder of this run; copies of the stores go there. */
  work: string;
};

/**
 * Rights at the deployed door, signed as a brand's server signs, and the deployed job: access, objection, erasure and their
 * states; what is not signed is refused. Before and after, every item and object is searched for the ids of the erased.
 */
export async function proveRights(report: Report, options: RightsOptions): Promise<void> {
  report.step('traffic: access, objection, erasure');
  proveRoutes(report, options.stage);
  await proveRefusals(report, options);
  try {
    await proveErasure(report, options);
  } catch (error) {
    report.fail(`access, objection, erasure: ${(error as Error).message}`, PLACE);
  }
}

/** The emulator looks at no signature, so that IAM stands before each of these routes is read off the template. */
function proveRoutes(report: Report, { line }: DeployedStage): void {
  const check = 'IAM stands before every route of the brand and before no other';
  const guarded = Object.values(line.template.Resources).flatMap(({ Type, Properties = {} }) =>
    Type === 'AWS::ApiGatewayV2::Route' && Properties.AuthorizationType === 'AWS_IAM' ? [Properties.RouteKey] : [],
  );
  const signed = routes(config).flatMap(({ method, path, signed: isSigned }) =>
    isSigned ? [`${method} ${path}`] : [],
  );
  const same = JSON.stringify(guarded.sort()) === JSON.stringify(signed.sort());
  if (same && signed.length > 0) report.ok(check, signed.join(', '));
  else report.fail(`${check}: ${guarded.join(', ')} against ${signed.join(', ')}`, 'lib/door.ts');
}

async function proveRefusals(report: Report, { stage, ministack, keys }: RightsOptions): Promise<void> {
  const { door } = stage;
  const unsigned = routes(config).flatMap(({ method, path, signed }) => (signed ? [{ method, path }] : []));
  const refused: string[] = [];
  for (const { method, path } of unsigned) {
    const { status } = await exchange(door, { method, target: path.replace('{id}', 'nobody') });
    refused.push(`${method} ${path} ${status}`);
  }
  const stranger = new BrandServer(door.url, keys, STRANGER, ministack.region, askAt(door));
  const strangers = await stranger.ask('POST', '/v1/persons/nobody/export').then(
    () => 'it is answered',
    (error: Error) => error.message,
  );
  const { status: cookieless } = await exchange(door, { method: 'GET', target: '/v1/me' });
  const checks: [holds: boolean, check: string, seen: string][] = [
    [
      refused.every((line) => line.endsWith(' 403')),
      'a call for a person without a signature is refused',
      refused.join(', '),
    ],
    [/: 403 .*Signature/.test(strangers), 'the function itself refuses whom the gateway does not name', strangers],
    [cookieless === 401, 'GET /v1/me without a cookie is refused', String(cookieless)],
  ];
  tell(report, checks);
}

async function proveErasure(report: Report, options: RightsOptions): Promise<void> {
  const { ministack, calls, stage, stores, keys, work } = options;
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = ministack.env;
  const signing = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const { url } = stage.door;
  const ask = askAt(stage.door);
  const server = new BrandServer(url, keys, signing, ministack.region, ask);
  const runJob = (at: number): Promise<void> => runMachine(calls, stage.rightsMachineArn, new Date(at));
  const landed = untilLanded(stores, settle);

  const [person, device, objector] = [makeCanary(), makeCanary(), makeCanary()];
  const browsers = [person, device, objector].map(() => new ProofBrowser(url, ORIGIN, new Map(), ask));
  const [ofPerson, ofDevice] = browsers as [ProofBrowser, ProofBrowser, ProofBrowser];
  const planted = await landed(async () => {
    for (const [i, canary] of [person, device, objector].entries())
      await plant(canary, browsers[i] as ProofBrowser, server, keys);
  });
  await runMachine(calls, stage.stateMachineArn);
  const Body = `device_id,order_id\n${deviceIdOf(ofDevice.id, hashes)},${device.orders[0]}\n`;
  await stores.s3.send(new PutObjectCommand({ Bucket: stores.bucket, Key: 'athena/result.csv', Body }));

  const needles = [
    ...needlesOf(person, ofPerson.id, keys),
    ...needlesOf(device, ofDevice.id, keys).filter(({ name }) => name === 'cookie' || name === 'device id'),
    needleOf('order id of the device', device.orders[0] ?? ''),
  ];
  const search = async (name: string): Promise<Map<string, StoreHits>> => {
    const folder = join(work, name);
    mkdirSync(folder, { recursive: true });
    await dumpStores(stores, folder);
    return scan(folder, needles, ([first = '', prefix = '']) => (first === 's3' ? `s3 ${prefix}` : first));
  };

  const asked = { access: { id: '', state: '' }, objection: { id: '', state: '' } };
  await landed(async () => {
    asked.access = await server.ask('POST', `/v1/persons/${person.customer}/export`);
    asked.objection = await server.ask('POST', `/v1/persons/${objector.customer}/objection`);
    await ofDevice.send('GET', '/v1/me', undefined, [202]);
  });
  await runJob(Date.now());
  const access = await server.ask('GET', `/v1/requests/${asked.access.id}`);
  const bundle = await server.bundle(asked.access.id);
  const own = JSON.stringify(await ofDevice.send('GET', '/v1/me', undefined, [200]));
  const before = await search('before');

  let erasures: { id: string; state: string }[] = [];
  const erasedAt = Date.now();
  await landed(async () => {
    const byPerson = await server.ask('POST', `/v1/persons/${person.customer}/erasure`);
    const answer = (await ofDevice.send('POST', '/v1/me/erasure', undefined, [202])) as { request: typeof byPerson };
    erasures = [byPerson, answer.request];
  });
  const statesOf = async (): Promise<string> =>
    (await Promise.all(erasures.map(({ id }) => server.ask('GET', `/v1/requests/${id}`))))
      .map(({ state }) => state)
      .join(', ');
  await runJob(Date.now());
  const states = [await statesOf()];
  const lately = new Date(erasedAt - HOUR_MS).toISOString();
  await untilLanded(
    stores,
    settleLanding,
  )(() =>
    server.send(
      'shop_backend',
      '/v1/track',
      orderMessage(person.customer, person.email, person.orders[1] ?? '', lately),
    ),
  );
  const sweptAt = erasedAt + SWEEP_HOURS * HOUR_MS + HOUR_MS;
  for (const at of [sweptAt, sweptAt + BACKUP_DAYS * DAY_MS + HOUR_MS]) {
    await runJob(at);
    states.push(await statesOf());
  }
  const after = await search('after');

  const hits = (found: ReadonlyMap<string, StoreHits>, store: RegExp): number =>
    [...found].reduce((all, [name, seen]) => (store.test(name) ? all + sum(seen) : all), 0);
  const where = (found: ReadonlyMap<string, StoreHits>): string =>
    [...found].flatMap(([name, seen]) => (sum(seen) > 0 ? [`${name} ${sum(seen)}`] : [])).join(', ') || 'no hit';
  tell(report, [
    [planted > 0, 'three customers through every door', `${planted} records`],
    [access.state === 'ready', 'access by a signed call is ready after a run of the job', access.state],
    [
      person.orders.every((order) => bundle.includes(order)),
      'the bundle of a person has all orders',
      `${bundle.length} bytes`,
    ],
    [
      own.includes(device.orders[0] ?? '-') && !own.includes(device.orders[1] ?? '-'),
      'GET /v1/me has the orders of its device and not those of its person',
      `${own.length} bytes`,
    ],
    [asked.objection.state === 'done', 'an objection is done at once', asked.objection.state],
    [ofDevice.id === '', 'an erasure takes the cookies away', 'both expire'],
    [states.join('; ') === 'erased, erased; swept, swept; done, done', 'erasures go their way', states.join('; ')],
    ...['profiles', 'consents', 's3 landing', 's3 landing-links', 's3 landing-consents', 's3 exports', 's3 athena'].map(
      (store): [boolean, string, string] => {
        const found = sum(before.get(store) ?? { hits: new Map() });
        return [found > 0, `${store}: found before the erasure`, `${found} hits`];
      },
    ),
    [hits(after, /./) === 0, 'no item and no object has an id of the erased', where(after)],
  ]);
}

const sum = ({ hits }: Pick<StoreHits, 'hits'>): number => [...hits.values()].reduce((a, b) => a + b, 0);

function tell(report: Report, checks: readonly [holds: boolean, check: string, seen: string][]): void {
  for (const [holds, check, seen] of checks)
    if (holds) report.ok(check, seen);
    else report.fail(`${check}: ${seen}`, PLACE);
}

/** Does something and waits until what it has put on the stream is landed and folded; answers with how many records. */
function untilLanded(stores: Stores, settled: typeof settleLanding) {
  return async (what: () => Promise<void>): Promise<number> => {
    const known = new Set((await streamRecords(stores)).map(positionOf));
    await what();
    const added = (await streamRecords(stores)).filter((record) => !known.has(positionOf(record)));
    await settled(stores, added);
    return added.length;
  };
}

const positionOf = ({ shard, sequence }: Streamed): string => `${shard} ${sequence}`;
