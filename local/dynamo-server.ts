import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { close, type Engine, LOOPBACK, listen, surviveAbortedRequests } from './loopback.ts';

/** A table by name; `sk` says that it has a sort key beside `pk`, both texts. */
export type LocalTable = { name: string; sk: boolean };

/**
 * Starts DynamoDB (dynalite) on a folder and makes the tables that it lacks. Nothing sweeps what `ttl` has ended:
 * readers look themselves, as they must on AWS, where the sweeper is days late.
 */
export async function startDynamo(folder: string, region: string, tables: readonly LocalTable[]): Promise<Engine> {
  const engine = await open(folder);
  if (await makeTables(engine.endpoint, region, tables)) return engine;
  await engine.stop();
  rmSync(folder, { recursive: true });
  const again = await open(folder);
  await makeTables(again.endpoint, region, tables);
  return again;
}

async function open(folder: string): Promise<Engine> {
  mkdirSync(folder, { recursive: true });
  const server = dynalite({ path: folder, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  surviveAbortedRequests(server);
  const port = await listen(server, 0);
  return { port, endpoint: `http://${LOOPBACK}:${port}`, stop: () => close(server) };
}

/**
 * Makes what is missing. A kill in the moment between "creating" and "active" leaves a table that stays so for ever:
 * then returns false where nothing is lost by starting afresh, and throws where another table holds items.
 */
async function makeTables(endpoint: string, region: string, tables: readonly LocalTable[]): Promise<boolean> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region, credentials });
  const status = async (TableName: string): Promise<string | undefined> => {
    try {
      return (await client.send(new DescribeTableCommand({ TableName }))).Table?.TableStatus;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };
  try {
    const found = new Map<string, string | undefined>();
    for (const { name } of tables) found.set(name, await status(name));
    const stuck = tables.find(({ name }) => found.get(name) === 'CREATING');
    if (stuck) {
      for (const { name } of tables) {
        if (found.get(name) !== 'ACTIVE') continue;
        const { Count = 0 } = await client.send(new ScanCommand({ TableName: name, Limit: 1 }));
        if (Count > 0) throw new Error(`table "${stuck.name}" was half made; remove the state folder to start afresh`);
      }
      return false;
    }
    for (const { name, sk } of tables) {
      if (found.get(name)) continue;
      const keys = sk ? ['pk', 'sk'] : ['pk'];
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: keys.map((key) => ({ AttributeName: key, AttributeType: 'S' })),
          KeySchema: keys.map((key) => ({ AttributeName: key, KeyType: key === 'pk' ? 'HASH' : 'RANGE' })),
        }),
      );
      while ((await status(name)) !== 'ACTIVE') await sleep(5);
    }
    return true;
  } finally {
    client.destroy();
  }
}
