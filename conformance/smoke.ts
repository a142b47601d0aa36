import { connect } from 'node:tls';
import { parseArgs } from 'node:util';
import { isEuRegion, regionRefusal } from '../domain/region.ts';
import config from '../paula.config.ts';
import { type Report, report } from './report.ts';
import { faultsOf } from './story/check-answer.ts';
import { type Door, exchange, isLocal, type Request } from './story/exchange.ts';
import type { Answer, JsonObject } from './story/step.ts';

const USAGE = `npm run smoke -- --url URL [--key WRITE_KEY] [--origin ORIGIN] [--host NAME]

Asks a deployed door what a platform team wants to know after a deploy. It writes one anonymous event at most, an Ad
Impression of campaign "smoke", and counters; no device, no receipt, no profile.

  --url     the door: output Url of the line's stack, or a collector host
  --key     a write key to try; nothing is sent with it
  --origin  the origin of a page; default is the first one of paula.config.ts
  --host    the name to send in the Host header, where --url is an address

Exit code 0: every check held. 1: one did not. 2: the call was wrong.`;

/** A page that no configuration names (RFC 2606). */
const FOREIGN = 'https://foreign.example';
const CAMPAIGN = 'smoke';

/** The oldest version of TLS that a browser of today would speak. */
const OLDEST_TLS = 'TLSv1.2';
/** A port that is closed says so at once, or a firewall says nothing. */
const PLAIN_WITHIN_MS = 5_000;

type Call = { door: Door; key?: string | undefined; origin: string; site: string };

const call = readCall();
if (call === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else process.exitCode = await smoke(call);

function readCall(): Call | undefined {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string' },
        key: { type: 'string' },
        origin: { type: 'string' },
        host: { type: 'string' },
      },
    });
    const { url, key, host } = values;
    if (url === undefined) throw new Error('--url is required');
    const { protocol, pathname } = new URL(url);
    if (!/^https?:$/.test(protocol) || pathname !== '/') throw new Error('--url must be an address without a path');
    const sites = Object.entries(config.sites).flatMap(([site, { origins }]) =>
      origins.map((origin) => ({ site, origin })),
    );
    const page = values.origin === undefined ? sites[0] : sites.find(({ origin }) => origin === values.origin);
    if (!page) throw new Error('--origin must be an origin of paula.config.ts');
    return { door: { url, ...(host !== undefined && { host }) }, key, ...page };
  } catch (error) {
    console.error((error as Error).message);
    return undefined;
  }
}

async function smoke({ door, key, origin, site }: Call): Promise<number> {
  const told = report((line) => console.log(line));
  const json = { origin, 'content-type': 'application/json' };
  const refused = (path: string): JsonObject => ({ success: false, errors: [{ path, rule: /./ }] });
  const allowed = { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' };
  const nobody = { 'access-control-allow-origin': null, 'access-control-allow-credentials': null };
  const none = JSON.stringify({ purposes: {} });

  const checks: [check: string, request: Request, answer: Answer][] = [
    [
      'the pixel is a GIF that no cache keeps, and sets no cookie',
      { method: 'GET', target: `${config.pixelPath}?${new URLSearchParams({ e: 'impression', site, c: CAMPAIGN })}` },
      { status: 200, headers: { 'content-type': 'image/gif' }, body: 'gif' },
    ],
    [
      'a choice that grants nothing sets no id cookie',
      { method: 'PUT', target: '/v1/consent', headers: json, body: none },
      { status: 200, headers: allowed, cookies: ['consent cookie'] },
    ],
    [
      'a choice from a foreign page is refused',
      { method: 'PUT', target: '/v1/consent', headers: { ...json, origin: FOREIGN }, body: none },
      { status: 403, headers: nobody, body: refused('Origin') },
    ],
    [
      'a pre-flight from a page of ours is allowed',
      { method: 'OPTIONS', target: '/v1/consent', headers: { origin, 'access-control-request-method': 'PUT' } },
      { status: 204, headers: allowed },
    ],
    [
      'a pre-flight from a foreign page allows nothing',
      {
        method: 'OPTIONS',
        target: '/v1/consent',
        headers: { origin: FOREIGN, 'access-control-request-method': 'PUT' },
      },
      { status: 204, headers: nobody },
    ],
    [
      'a click to a foreign host is refused',
      { method: 'GET', target: `/click?${new URLSearchParams({ site, to: `${FOREIGN}/` })}` },
      { status: 400, headers: { location: null }, body: refused('to') },
    ],
    [
      'events without a write key are refused',
      { method: 'POST', target: '/v1/track', headers: json, body: JSON.stringify({ event: 'Page Viewed' }) },
      { status: 401, headers: allowed, body: refused('writeKey') },
    ],
    [
      'a decision about nobody is that nobody is known',
      { method: 'GET', target: '/v1/decision?product=smoke', headers: { origin } },
      { status: 200, headers: allowed, body: { show: true, reason: 'unknown' } },
    ],
  ];
  for (const [check, request, answer] of checks) await askDoor(told, door, check, request, answer);

  if (key === undefined) told.skip('the write key is live', 'no --key was given');
  else
    await askDoor(
      told,
      door,
      'the write key is live',
      // A batch of nothing is refused after the key was looked at, and writes nothing.
      {
        method: 'POST',
        target: '/v1/batch',
        headers: { ...json, authorization: `Basic ${btoa(`${key}:`)}` },
        body: '{}',
      },
      { status: 400, body: refused('batch') },
    );
  checkRegion(told, new URL(door.url));
  await checkTls(told, new URL(door.url));

  const { ok, failed, skipped } = told.counts;
  console.log(`\n${ok} held, ${failed} failed, ${skipped} skipped`);
  return failed === 0 ? 0 : 1;
}

async function askDoor(told: Report, door: Door, check: string, request: Request, answer: Answer): Promise<void> {
  const place = `${request.method} ${request.target}`;
  try {
    // Headers that a door in front of the functions could have added.
    const headers = { 'x-powered-by': null, ...answer.headers };
    const seen = await exchange(door, request);
    const faults = faultsOf(seen, { ...answer, headers });
    if (faults.length === 0) told.ok(check, `${seen.status} in ${seen.answeredAt - seen.sentAt} ms`);
    else told.fail(`${check}: ${faults.join('; ')}`, place);
  } catch (error) {
    told.fail(`${check}: ${(error as Error).message}`, place);
  }
}

/** An execute-api host names its region; a host of the brand's own does not. */
function checkRegion(told: Report, { hostname }: URL): void {
  const check = 'the endpoint is in the EU';
  const region = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.(?:com|eu)$/.exec(hostname)?.[1];
  if (region === undefined) told.skip(check, `${hostname} does not say its region`);
  else if (isEuRegion(region)) told.ok(check, region);
  else told.fail(`${check}: ${regionRefusal(region)}`, hostname);
}

async function checkTls(told: Report, url: URL): Promise<void> {
  const modern = `the door speaks ${OLDEST_TLS} or newer, with a certificate that holds`;
  const only = 'the door does not speak without TLS';
  if (isLocal(url)) {
    told.skip(modern, `${url.hostname} is this machine`);
    told.skip(only, `${url.hostname} is this machine`);
    return;
  }
  if (url.protocol !== 'https:') {
    told.fail(`${modern}: --url is not https`, url.href);
    return;
  }
  try {
    told.ok(modern, await tlsVersion(url));
  } catch (error) {
    told.fail(`${modern}: ${(error as Error).message}`, url.host);
  }
  const plain = { method: 'GET', target: config.pixelPath, timeoutMs: PLAIN_WITHIN_MS };
  const status = await exchange({ url: `http://${url.hostname}` }, plain).then(
    (answer) => answer.status,
    () => undefined,
  );
  if (status !== undefined && status < 300) told.fail(`${only}: port 80 answers ${status}`, url.hostname);
  else told.ok(only, status === undefined ? 'port 80 does not answer' : `port 80 answers ${status}`);
}

function tlsVersion({ hostname, port }: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port) || 443,
      servername: hostname,
      minVersion: OLDEST_TLS,
      timeout: PLAIN_WITHIN_MS,
    });
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() ?? 'unknown');
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
  });
}
