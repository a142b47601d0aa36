import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { headBytes, splitTarget, toEvent, writeAnswer } from '../../local/api-gateway.ts';
import { close, LOOPBACK, listen } from '../../local/loopback.ts';

const GOLDEN = new URL('./golden/', import.meta.url);

describe('the event of payload format 2.0', () => {
  for (const file of readdirSync(GOLDEN))
    it(`equals the golden event ${file}`, () => {
      const { request, context, event } = JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8'));
      const built = toEvent({ ...request, body: Buffer.from(request.body, 'base64') }, context);
      expect(JSON.parse(JSON.stringify(built))).toEqual(event);
    });
});

it('splits a target without changing either part', () => {
  expect(splitTarget('/a//b/../c%2F?x=%zz?y')).toEqual({ path: '/a//b/../c%2F', query: 'x=%zz?y' });
  expect(splitTarget('http://host:1?x')).toEqual({ path: '/', query: 'x' });
  expect(splitTarget('*')).toEqual({ path: '*', query: '' });
});

it('counts the request line and the header fields as they are on the wire', () => {
  const wire = 'GET /p.gif?e=view HTTP/1.1\r\nHost: localhost\r\nCookie: a=1\r\n\r\n';
  const rawHeaders = ['Host', 'localhost', 'Cookie', 'a=1'];
  expect(headBytes({ method: 'GET', target: '/p.gif?e=view', httpVersion: '1.1', rawHeaders })).toBe(wire.length);
});

describe('the answer of payload format 2.0', () => {
  async function answered(answer: unknown): Promise<{ status: number; headers: Headers; body: Buffer }> {
    const server = createServer((_request, response: ServerResponse) => void writeAnswer(response, answer));
    const port = await listen(server, 0);
    try {
      const response = await fetch(`http://${LOOPBACK}:${port}/`);
      return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
    } finally {
      await close(server);
    }
  }

  it('sets every cookie in a header of its own', async () => {
    const { status, headers } = await answered({ statusCode: 204, cookies: ['a=1; Path=/', 'b=2'], body: 'dropped' });
    expect(status).toBe(204);
    expect(headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
  });

  it('decodes a base64 body to its bytes', async () => {
    const bytes = Buffer.from([0x47, 0x49, 0x46, 0, 255]);
    const answer = {
      statusCode: 200,
      headers: { 'Content-Type': 'image/gif', 'X-Count': 3 },
      isBase64Encoded: true,
      body: bytes.toString('base64'),
    };
    const { headers, body } = await answered(answer);
    expect(body).toEqual(bytes);
    expect(headers.get('content-type')).toBe('image/gif');
    expect(headers.get('content-length')).toBe('5');
    expect(headers.get('x-count')).toBe('3');
  });

  it('infers a JSON answer where there is no status code', async () => {
    const { status, headers, body } = await answered({ show: true });
    expect([status, headers.get('content-type'), body.toString()]).toEqual([200, 'application/json', '{"show":true}']);
  });

  it.each([[{ statusCode: 'none' }], [{ statusCode: 200, body: {} }], [{ statusCode: 200, headers: { a: 'x\ny' } }]])(
    'is the gateway’s own 500 where the function’s is malformed: %j',
    async (answer) => {
      const { status, body } = await answered(answer);
      expect([status, body.toString()]).toEqual([500, '{"message":"Internal Server Error"}']);
    },
  );
});
