import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { routes } from '../../domain/routes.ts';
import { MAX_BODY_BYTES, MAX_HEAD_BYTES } from '../../local/api-gateway.ts';
import { type Door, matchRoute, takePort } from '../../local/door.ts';
import { LOOPBACK } from '../../local/loopback.ts';
import config from '../../paula.config.ts';

describe('routing', () => {
  const match = (method: string, path: string) => matchRoute(routes(config), method, path);

  it('takes exact paths, and greedy ones with what they caught', () => {
    expect(match('GET', '/p.gif')).toEqual({ name: 'collect', routeKey: 'GET /p.gif' });
    expect(match('GET', '/v1/decision')).toEqual({ name: 'decide', routeKey: 'GET /v1/decision' });
    const preflight = { name: 'collect', routeKey: 'OPTIONS /v1/{proxy+}', pathParameters: { proxy: 'a/b' } };
    expect(match('OPTIONS', '/v1/a/b')).toEqual(preflight);
  });

  it('takes a path with a parameter, decoded, and says where a signature is wanted', () => {
    expect(match('POST', '/v1/persons/a%20%2Fb/erasure')).toEqual({
      name: 'rights',
      routeKey: 'POST /v1/persons/{id}/erasure',
      signed: true,
      pathParameters: { id: 'a /b' },
    });
    expect(match('GET', '/v1/requests/%')).toMatchObject({ pathParameters: { id: '%' } });
    expect(match('GET', '/v1/me')).toEqual({ name: 'rights', routeKey: 'GET /v1/me' });
  });

  it.each([
    ['POST', '/v1/persons/a/b/erasure'],
    ['POST', '/v1/persons/a/nothing'],
    ['GET', '/v1/persons/a/erasure'],
    ['HEAD', '/p.gif'],
    ['GET', '/p.gif/'],
    ['GET', '/P.gif'],
    ['GET', '/v1/track'],
    ['OPTIONS', '/v1/'],
    ['OPTIONS', '/p.gif'],
    ['GET', '/'],
  ])('has nothing at %s %s', (method, path) => expect(match(method, path)).toBeUndefined());
});

describe('the door', () => {
  const doors: Door[] = [];
  afterEach(async () => {
    for (const door of doors.splice(0)) await door.stop();
  });

  async function openDoor(handler: (event: APIGatewayProxyEventV2) => Promise<unknown>) {
    const faults: unknown[] = [];
    const door = await takePort(0);
    doors.push(door);
    door.open({
      routes: routes(config),
      invoke: (_name, event) => handler(event as APIGatewayProxyEventV2),
      beforeAnswer: () => undefined,
      local: async (_request, response) => void response.end('local'),
      onFault: (error) => faults.push(error),
    });
    return { url: `http://${LOOPBACK}:${door.port}`, port: door.port, faults };
  }

  const echo = async (event: APIGatewayProxyEventV2) => ({ statusCode: 200, body: event.body ?? event.rawQueryString });

  it('lets nobody through to a signed route whom the signer does not know, and hands on whom it does', async () => {
    const seen: unknown[] = [];
    const door = await takePort(0);
    doors.push(door);
    let signer: string | undefined;
    const deps = {
      routes: routes(config),
      invoke: async (_name: string, event: unknown) => {
        seen.push((event as APIGatewayProxyEventV2).requestContext);
        return { statusCode: 200 };
      },
      beforeAnswer: () => undefined,
      local: async () => undefined,
      onFault: () => undefined,
    };
    const ask = async () => (await fetch(`http://${LOOPBACK}:${door.port}/v1/requests/x`)).status;
    door.open(deps);
    expect(await ask()).toBe(403);
    door.open({ ...deps, signer: async () => signer });
    expect(await ask()).toBe(403);
    expect(seen).toEqual([]);
    signer = 'arn:of:the:caller';
    expect(await ask()).toBe(200);
    expect(seen).toEqual([expect.objectContaining({ authorizer: { iam: { userArn: 'arn:of:the:caller' } } })]);
  });

  it('answers 503 from the moment the port is taken until it is opened', async () => {
    const door = await takePort(0);
    doors.push(door);
    const response = await fetch(`http://${LOOPBACK}:${door.port}/p.gif`);
    expect([response.status, await response.json()]).toEqual([503, { message: 'Service Unavailable' }]);
  });

  it('refuses a port that is occupied', async () => {
    const { port } = await openDoor(echo);
    await expect(takePort(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('answers 404 where there is no route, and its own paths before any route', async () => {
    const { url } = await openDoor(echo);
    const response = await fetch(`${url}/nothing`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
    expect(await (await fetch(`${url}/local/status`)).text()).toBe('local');
  });

  it('answers 500 for a function that throws, and goes on', async () => {
    const { url, faults } = await openDoor(async () => {
      throw new TypeError('boom');
    });
    const response = await fetch(`${url}/p.gif`);
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    expect(faults).toHaveLength(1);
    expect((await fetch(`${url}/p.gif`)).status).toBe(500);
  });

  it('admits a head of exactly the limit and refuses one byte more', async () => {
    const { port } = await openDoor(echo);
    const status = (bytes: number) =>
      new Promise((resolve, reject) => {
        const lead = 'GET /p.gif?x=';
        const tail = ` HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
        const socket = connect(port, LOOPBACK, () =>
          socket.write(lead + 'a'.repeat(bytes - lead.length - tail.length) + tail),
        );
        let answer = '';
        socket.on('data', (data) => {
          answer += data;
        });
        socket.on('end', () => resolve(Number(answer.split(' ')[1])));
        socket.on('error', reject);
      });
    expect(await status(MAX_HEAD_BYTES)).toBe(200);
    expect(await status(MAX_HEAD_BYTES + 1)).toBe(431);
    expect(await status(100_000)).toBe(431);
  });

  it('admits a body of the limit, refuses one byte more, and counts base64 as Lambda does', async () => {
    const { url } = await openDoor(async (event) => ({ statusCode: 200, body: String(event.body?.length) }));
    const post = (body: Buffer, type: string) =>
      fetch(`${url}/v1/track`, { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(body) });
    const whole = await post(Buffer.alloc(MAX_BODY_BYTES, 'a'), 'text/plain');
    expect([whole.status, await whole.text()]).toEqual([200, String(MAX_BODY_BYTES)]);
    expect((await post(Buffer.alloc(MAX_BODY_BYTES + 1, 'a'), 'text/plain')).status).toBe(413);
    expect((await post(Buffer.alloc(5_000_000), 'application/octet-stream')).status).toBe(413);
  });

  it('survives a client that hangs up in the middle of its body', async () => {
    const { url, port, faults } = await openDoor(echo);
    await new Promise<void>((resolve) => {
      const request = httpRequest({
        host: LOOPBACK,
        port,
        path: '/v1/track',
        method: 'POST',
        headers: { 'content-length': 1000 },
      });
      request.on('error', () => resolve());
      request.write('half', () => request.destroy());
      request.on('close', () => resolve());
    });
    expect(await (await fetch(`${url}/p.gif?still=here`)).text()).toBe('still=here');
    expect(faults).toEqual([]);
  });
});
