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
import dynaliteDb from 'dynalite/db/index.js';
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
  const { server, store } = dynaliteOn(folder);
  surviveAbortedRequests(server);
  const port = await listen(server, 0);
  const compaction = setInterval(
    () => void store.db.compactRange('', LAST_KEY).catch(() => undefined),
    COMPACT_EVERY_MS,
  );
  return {
    port,
    endpoint: `http://${LOOPBACK}:${port}`,
    stop: () => {
      clearInterval(compaction);
      return close(server);
    },
  };
}

/**
 * LevelDB maps its files into memory and by itself keeps old versions of an item until a level is full: 140 MB for 4,000
 * profiles that were written 26,000 times. Compacted this often it stays at a few.
 */
const COMPACT_EVERY_MS = 20_000;

/** Sorts behind every key that dynalite makes. */
const LAST_KEY = '\uffff';

type Store = ReturnType<typeof dynaliteDb.create>;

/** dynalite with its store, which it gives to nobody: it is taken in the moment in which it is made. */
function dynaliteOn(folder: string): { server: ReturnType<typeof dynalite>; store: Store } {
  const { create } = dynaliteDb;
  const made: Store[] = [];
  dynaliteDb.create = (options) => {
    const store = create(options);
    closeIterators(store);
    made.push(store);
    return store;
  };
  try {
    const server = dynalite({ path: folder, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
    return { server, store: made[0] as Store };
  } finally {
    dynaliteDb.create = create;
  }
}

/**
 * dynalite ends an iterator by `return`, which abstract-level's iterators do not have: every query would leave one open,
 * with its memory and with a snapshot that keeps old versions of all items from being compacted away.
 */
function closeIterators({ db }: Store): void {
  for (const kind of ['keys', 'values'] as const) {
    const iterate = db[kind].bind(db);
    db[kind] = (options) => {
      const iterator = iterate(options);
      return Object.assign(iterator, { return: () => iterator.close() });
    };
  }
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
