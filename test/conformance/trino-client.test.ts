import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesByTable, trinoClient } from '../../conformance/engines/trino-client.ts';

const STATS = { physicalInputBytes: 7, processedRows: 3, elapsedTimeMillis: 2, state: 'FINISHED' };
const COLUMNS = [{ name: 'a', type: 'bigint', typeSignature: {} }];

let server: Server;
let url: string;
let asked: { method: string | undefined; path: string | undefined; schema: unknown; body: string }[] = [];

/** Answers as a Trino server does: first nothing, then two pages. */
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push({ method: request.method, path: request.url, schema: request.headers['x-trino-schema'], body });
    const pages: Record<string, unknown> = {
      '/v1/statement': { id: 'q1', nextUri: `${url}/next/1`, stats: STATS },
      '/next/1': { id: 'q1', nextUri: `${url}/next/2`, columns: COLUMNS, data: [[1]], stats: STATS },
      '/next/2': { id: 'q1', columns: COLUMNS, data: [[2], [null]], stats: STATS },
    };
    const broken = { id: 'q1', stats: STATS, error: { errorName: 'COLUMN_NOT_FOUND', message: 'line 1:8: no b' } };
    const answer = body === 'SELECT b' ? broken : pages[request.url ?? ''];
    response.writeHead(answer ? 200 : 503).end(JSON.stringify(answer ?? 'busy'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});

const client = () => trinoClient(url, { catalog: 'iceberg', schema: 'lake', user: 'paula' });

describe('trinoClient', () => {
  it('follows the pages to the end', async () => {
    asked = [];
    expect(await client().query('SELECT a')).toEqual({
      id: 'q1',
      columns: [{ name: 'a', type: 'bigint' }],
      rows: [[1], [2], [null]],
      stats: { physicalInputBytes: 7, processedRows: 3, elapsedTimeMillis: 2 },
    });
    expect(asked).toEqual([
      { method: 'POST', path: '/v1/statement', schema: 'lake', body: 'SELECT a' },
      { method: 'GET', path: '/next/1', schema: 'lake', body: '' },
      { method: 'GET', path: '/next/2', schema: 'lake', body: '' },
    ]);
  });

  it('throws what Trino says of a statement, with its code', async () => {
    await expect(client().query('SELECT b')).rejects.toMatchObject({
      code: 'COLUMN_NOT_FOUND',
      message: 'COLUMN_NOT_FOUND: line 1:8: no b',
    });
  });

  it('throws where the server does not answer as Trino', async () => {
    await expect(client().bytesRead('q2')).rejects.toThrow('Trino answered 503');
  });
});

describe('bytesByTable', () => {
  const operator = (over: Record<string, string>) => ({
    operatorType: 'TableScanOperator',
    planNodeId: '0',
    physicalInputDataSize: '100B',
    ...over,
  });

  it('adds up the scans of each table over all stages, a fused scan by the node that it reads from', () => {
    const bytes = bytesByTable({
      inputs: [
        { schema: 'lake', table: 'events', planNodeId: '0' },
        { schema: 'lake', table: 'events', planNodeId: '1' },
        { schema: 'lake', table: 'links', planNodeId: '2' },
      ],
      outputStage: {
        stageStats: { operatorSummaries: [operator({}), operator({ operatorType: 'TaskOutputOperator' })] },
        subStages: [
          {
            stageStats: {
              operatorSummaries: [
                operator({ operatorType: 'ScanFilterAndProjectOperator', planNodeId: '9', sourceId: '1' }),
                operator({ planNodeId: '2', physicalInputDataSize: '5B' }),
              ],
            },
            subStages: [],
          },
        ],
      },
    });
    expect([...bytes]).toEqual([
      ['events', 200],
      ['links', 5],
    ]);
  });

  it('has nothing to tell of a statement without stages', () => {
    expect([...bytesByTable({ inputs: [] })]).toEqual([]);
  });
});
