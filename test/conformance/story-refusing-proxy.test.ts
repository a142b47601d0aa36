import { createServer } from 'node:http';
import { expect, it } from '@jest/globals';
import { startRefusingProxy } from '../../conformance/traffic/refusing-proxy.ts';
import { close, listen } from '../../local/loopback.ts';

it('refuses the first calls of one kind and passes on all others as they are', async () => {
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    response.writeHead(201, { 'x-seen': `${method} ${url} ${headers['x-call']}` });
    request.pipe(response);
  });
  const service = `http://127.0.0.1:${await listen(server, 0)}`;
  const proxy = await startRefusingProxy({
    service,
    isOfKind: ({ headers }) => headers['x-call'] === 'put',
    refusals: 2,
    refusal: { status: 403, type: 'text/plain', body: 'not now' },
  });
  const call = async (kind: string) => {
    const answer = await fetch(`${proxy.url}/a?b=c`, { method: 'POST', headers: { 'x-call': kind }, body: 'kept' });
    return [answer.status, answer.headers.get('x-seen'), await answer.text()];
  };
  try {
    expect(await call('get')).toEqual([201, 'POST /a?b=c get', 'kept']);
    expect(await call('put')).toEqual([403, null, 'not now']);
    expect(await call('put')).toEqual([403, null, 'not now']);
    expect(await call('put')).toEqual([201, 'POST /a?b=c put', 'kept']);
    expect([proxy.refused, proxy.passed]).toEqual([2, 1]);
  } finally {
    await proxy.stop();
    await close(server);
  }
});
