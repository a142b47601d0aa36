import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SignedRequest } from '../../local/door.ts';
import { isSigned, signedHeaders } from '../../local/rights/signature-v4.ts';

const KEY = { accessKeyId: 'LOCALABCDEFGHIJKLMNO', secretAccessKey: 'a-secret-of-forty-characters-at-the-least' };
const REGION = 'eu-central-1';
const NOW = Date.parse('2026-11-24T11:22:33Z');
const HOST = 'localhost:8080';
const TARGET = '/v1/persons/customer%20%2F1/export?b=2&a=%C3%A4&a=1';

let headers: Record<string, string>;
beforeAll(async () => {
  headers = await signedHeaders({ method: 'POST', url: `http://${HOST}${TARGET}`, body: '{}' }, KEY, REGION, NOW);
});

const raw = (fields: Record<string, string>): string[] => Object.entries({ Host: HOST, ...fields }).flat();
const verify = (
  over: Partial<SignedRequest> & { headers?: Record<string, string> } = {},
  now = NOW,
  key = KEY,
  region = REGION,
) => {
  const { headers: given, ...rest } = over;
  return isSigned(
    { method: 'POST', target: TARGET, body: Buffer.from('{}'), rawHeaders: raw(given ?? headers), ...rest },
    key,
    region,
    now,
  );
};
const changed = (from: string | RegExp, to: string) => ({
  ...headers,
  authorization: (headers.authorization ?? '').replace(from, to),
});
const withOtherDigit = () => {
  const [, digit] = /Signature=(.)/.exec(headers.authorization ?? '') ?? [];
  return changed(/Signature=./, `Signature=${digit === '0' ? '1' : '0'}`);
};

describe('a signature', () => {
  it('of the key, over this very request, within five minutes of either clock, is taken', async () => {
    expect(await verify()).toBe(true);
    expect(await verify({}, NOW + 299_000)).toBe(true);
    expect(await verify({}, NOW - 299_000)).toBe(true);
  });

  it.each<[string, () => Promise<boolean>]>([
    ['none', () => verify({ headers: {} })],
    ['a clock behind', () => verify({}, NOW + 301_000)],
    ['a clock ahead', () => verify({}, NOW - 301_000)],
    ['another method', () => verify({ method: 'GET' })],
    ['another path', () => verify({ target: TARGET.replace('customer', 'customes') })],
    ['another query', () => verify({ target: TARGET.replace('b=2', 'b=3') })],
    ['another body', () => verify({ body: Buffer.from('{ }') })],
    ['another host', () => verify({ rawHeaders: ['host', 'elsewhere', ...Object.entries(headers).flat()] })],
    ['a header twice', () => verify({ rawHeaders: [...raw(headers), 'host', HOST] })],
    ['another secret', () => verify({}, NOW, { ...KEY, secretAccessKey: KEY.secretAccessKey.replace('a', 'b') })],
    ['another key', () => verify({}, NOW, { ...KEY, accessKeyId: 'LOCALABCDEFGHIJKLMNP' })],
    ['another region', () => verify({}, NOW, KEY, 'eu-west-1')],
    ['another service', () => verify({ headers: changed('/execute-api/', '/s3/') })],
    ['another day in the scope', () => verify({ headers: changed('/20261124/', '/20261123/') })],
    ['a changed signature', () => verify({ headers: withOtherDigit() })],
    ['an empty signature', () => verify({ headers: changed(/Signature=.*/, 'Signature=') })],
    ['a host that is not signed', () => verify({ headers: changed('SignedHeaders=host;', 'SignedHeaders=') })],
    ['an x-amz- header that is not signed', () => verify({ headers: { ...headers, 'x-amz-extra': '1' } })],
    ['a signed header that is not there', () => verify({ headers: changed('SignedHeaders=', 'SignedHeaders=a;') })],
    ['an unsigned body', () => verify({ headers: { ...headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })],
    ['a date that is none', () => verify({ headers: { ...headers, 'x-amz-date': 'yesterday' } })],
  ])('is refused for %s', async (_, verified) => {
    expect(await verified()).toBe(false);
  });
});
