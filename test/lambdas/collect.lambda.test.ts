import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { toEvent } from '../../local/api-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'paula-collect-entry-'));
let handler: typeof import('../../lambdas/collect.lambda.ts')['handler'];

/** The entry with keys that cannot be read, as when Secrets Manager does not answer. */
beforeAll(async () => {
  const countries = join(folder, 'country.bin');
  execFileSync(process.execPath, [join(import.meta.dirname, '../../scripts/pack-country-table.mjs'), countries]);
  Object.assign(process.env, {
    STAGE: 'local',
    AWS_REGION: 'eu-central-1',
    STREAM_NAME: 'events',
    PROFILES_TABLE: 'profiles',
    CONSENTS_TABLE: 'consents',
    KEYS_SECRET_ID: pathToFileURL(join(folder, 'no-keys.json')).href,
    COUNTRY_TABLE_FILE: countries,
  });
  ({ handler } = await import('../../lambdas/collect.lambda.ts'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function call(method: string, target: string) {
  const request = { method, target, httpVersion: '1.1', rawHeaders: [], body: Buffer.alloc(0), sourceIp: '127.0.0.1' };
  return handler(toEvent(request, { routeKey: `${method} ${target}`, requestId: 'r', now: 0 }), {} as Context);
}

describe('collect.lambda', () => {
  it('answers the pixel with its GIF when nothing behind it can be reached', async () => {
    expect(await call('GET', '/p.gif?e=view&site=shop')).toMatchObject({
      statusCode: 200,
      headers: { 'content-type': 'image/gif' },
    });
  });

  it('sends a click on its way, where that is allowed', async () => {
    const target = 'https://www.lindenblatt.example/serum';
    const click = (to: string) => call('GET', `/click?site=portal&to=${encodeURIComponent(to)}`);
    expect(await click(target)).toMatchObject({ statusCode: 302, headers: { location: target } });
    expect(await click('https://evil.example/')).toMatchObject({ statusCode: 503 });
  });

  it('answers all others honestly', async () => {
    expect(await call('POST', '/v1/track')).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } });
  });
});
