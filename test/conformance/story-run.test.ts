import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { runStory, type StoryTarget } from '../../conformance/story/run-story.ts';
import { ago, identityToken, type RequestStep, type Step } from '../../conformance/story/step.ts';
import type { Keys } from '../../domain/keys.ts';
import { verifyIdentityToken } from '../../lambdas/adapters/identity-token.ts';
import { close, listen } from '../../local/loopback.ts';

const key = { id: 'k1', key: 'A'.repeat(43) };
const keys: Keys = {
  cookie: [key],
  person: [key],
  event: [key],
  identity: { shop: [key] },
  writeKeys: { web: ['write-key-of-web'] },
};
const ID = 'paula_id=AAAAAAAAAAAAAAAAAAAAAA; Max-Age=34128000; Path=/; Secure; HttpOnly; SameSite=None';
const OK = { status: 200, body: {} } as const;

type Heard = { headers: IncomingMessage['headers']; url: string | undefined; body: string };

let server: Server;
let heard: Heard[];

/** A door that answers `{}` and whatever else a test wants it to. */
async function door(answer: (request: Heard, n: number) => { status?: number; cookie?: string }): Promise<StoryTarget> {
  heard = [];
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const said = { headers: request.headers, url: request.url, body };
    const { status = 200, cookie } = answer(said, heard.push(said));
    response.writeHead(status, { 'cache-control': 'no-store', ...(cookie && { 'set-cookie': cookie }) });
    response.end('{}');
  });
  const url = `http://127.0.0.1:${await listen(server, 0)}`;
  return { door: { url, host: 'door.example' }, keys, settle: async () => undefined, runPlan: async () => undefined };
}

afterEach(() => close(server));

const get = (name: string, more: Partial<RequestStep> = {}): RequestStep => ({
  name,
  browser: 'paula',
  method: 'GET',
  path: '/p.gif',
  answer: OK,
  ...more,
});

describe('runStory', () => {
  it('keeps the cookies of a browser to itself and sends them back', async () => {
    const target = await door((_, n) => (n === 1 ? { cookie: ID } : {}));
    const story: Step[] = [
      get('first', { answer: { ...OK, cookies: ['id cookie'] } }),
      get('second'),
      get('other', { browser: 'otto' }),
      { name: 'aside', copy: 'paula', as: 'copy' },
      get('copied', { browser: 'copy' }),
      get('forged', { forged: { paula_id: 'x' } }),
    ];
    const { faults, devices, steps } = await runStory(story, target, 0);
    expect(faults).toEqual([]);
    expect(heard.map(({ headers }) => headers.cookie)).toEqual([
      undefined,
      'paula_id=AAAAAAAAAAAAAAAAAAAAAA',
      undefined,
      'paula_id=AAAAAAAAAAAAAAAAAAAAAA',
      'paula_id=x',
    ]);
    expect([...devices]).toEqual([[expect.stringMatching(/^d\./), 'device of paula']]);
    expect(steps.map(({ step }) => step)).toEqual(story.map(({ name }) => name));
    for (const [i, { from }] of steps.entries()) expect(from).toBeGreaterThan(steps[i - 1]?.to ?? 0);
  });

  it('sends the query, the host, the write key, times and tokens', async () => {
    const target = await door(() => ({}));
    const body = { at: ago(60), list: [{ token: identityToken('customer', 'shop') }] };
    await runStory(
      [get('all', { query: { to: 'a b' }, method: 'POST', source: 'web', body })],
      target,
      1_795_000_000_000,
    );
    const [{ headers, url, body: sent }] = heard as [Heard];
    expect([url, headers.host, headers.authorization]).toEqual([
      '/p.gif?to=a+b',
      'door.example',
      `Basic ${btoa('write-key-of-web:')}`,
    ]);
    const { at, list } = JSON.parse(sent);
    expect(at).toBe(new Date(1_795_000_000_000 - 60_000).toISOString());
    expect(await verifyIdentityToken(list[0].token, 'shop', Date.now(), keys)).toBe('customer');
  });

  it('asks again until the answer is the wanted one', async () => {
    const target = await door((_, n) => ({ status: n < 3 ? 404 : 200 }));
    const { faults, requests } = await runStory([get('later', { until: true })], target, 0);
    expect([faults, requests]).toEqual([[], 3]);
  });

  it('goes on after a wrong answer and names its step', async () => {
    const target = await door((_, n) => ({ status: n === 1 ? 500 : 200 }));
    const { faults, steps } = await runStory([get('wrong'), get('right')], target, 0);
    expect(faults).toEqual([{ step: 'wrong', what: 'status 500 instead of 200' }]);
    expect(steps).toHaveLength(2);
  });

  it('ends where a step fails', async () => {
    const target = { ...(await door(() => ({}))), settle: () => Promise.reject(new Error('3 records are not landed')) };
    const { faults, steps } = await runStory([{ name: 'all there', settle: true }, get('never')], target, 0);
    expect(faults).toEqual([{ step: 'all there', what: '3 records are not landed' }]);
    expect(steps).toHaveLength(1);
  });
});
