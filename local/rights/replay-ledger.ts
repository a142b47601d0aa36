import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { LEDGER } from '../../domain/items.ts';
import { ledgerTtl } from '../../domain/rights.ts';
import { ledgerStore } from '../../lambdas/adapters/ledger-store.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { profileStore } from '../../lambdas/adapters/profile-store.ts';
import { subjectItems } from '../../lambdas/adapters/subject-items.ts';
import { tombstoneOf } from '../../lambdas/adapters/tombstone.ts';
import { forgetSubject } from '../../lambdas/erase/items.ts';

const Millis = z.coerce.number().int().positive();

/** A line of the ledger as docs/runbook.md has it unloaded from the lake; times in milliseconds since the epoch. */
const LedgerLine = z.union([
  z.strictObject({
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    salt: z.string(),
    request_id: z.string(),
    erased_at: Millis,
  }),
  z.strictObject({
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    salt: z.string(),
    request_id: z.string(),
    objected_at: Millis,
  }),
]);
export type LedgerLine = z.infer<typeof LedgerLine>;

/** Reads a file of JSON lines. Throws with the number of the line that is none. */
export async function readLedger(file: string): Promise<LedgerLine[]> {
  const lines: LedgerLine[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line === '') continue;
    const parsed = LedgerLine.safeParse(JSON.parse(line));
    if (!parsed.success) throw new Error(`${file}:${number}: ${parsed.error.issues[0]?.message}`);
    lines.push(parsed.data);
  }
  return lines;
}

/** What a replay has found: subjects of the tables that the ledger has erased, and those that have objected. */
export type Replayed = { entries: number; erased: number; objected: number };

/**
 * Takes out of restored tables what had been erased, and notes again who had objected, from a ledger that the restore has not
 * touched. The ledger holds hashes, so each id in the tables is hashed and looked up. Repeatable. Throws where the tables
 * have another salt than the ledger: then they are not this stage's.
 */
export async function replayLedger(
  ledger: readonly LedgerLine[],
  client: DynamoDBClient,
  tables: { profiles: string; consents: string },
): Promise<Replayed> {
  const salt = ledger[0]?.salt;
  if (salt === undefined) return { entries: 0, erased: 0, objected: 0 };
  if (ledger.some((line) => line.salt !== salt)) throw new Error('the ledger has more than one salt');
  await ensureSalt(client, tables.consents, salt);
  const store = ledgerStore(client, tables.consents, () => salt);
  const items = subjectItems(client, tables);
  const deps = {
    ledger: store,
    items,
    links: linkStore(client, tables.profiles),
    read: profileStore(client, tables.profiles).read,
  };

  const erasedAt = new Map<string, number>();
  const objectedAt = new Map<string, number>();
  for (const line of ledger) {
    if ('erased_at' in line) {
      await store.noteErasure(line.hash, line.request_id, line.erased_at);
      erasedAt.set(line.hash, Math.max(line.erased_at, erasedAt.get(line.hash) ?? 0));
    } else {
      await store.noteObjection(line.hash, line.objected_at);
      objectedAt.set(line.hash, Math.min(line.objected_at, objectedAt.get(line.hash) ?? Number.POSITIVE_INFINITY));
    }
  }

  const replayed: Replayed = { entries: ledger.length, erased: 0, objected: 0 };
  for (const id of await idsOf(client, [tables.profiles, tables.consents])) {
    const hash = tombstoneOf(salt, id);
    const erased = erasedAt.get(hash);
    if (erased !== undefined) {
      await forgetSubject(id, erased, deps);
      replayed.erased += 1;
    }
    const objected = objectedAt.get(hash);
    if (objected !== undefined) {
      await items.object(id, objected, ledgerTtl(objected));
      await items.forgetProfile(id);
      replayed.objected += 1;
    }
  }
  return replayed;
}

/** Devices and persons; the ledger's own keys have other beginnings. */
const SUBJECT = /^[dp]\./;

async function idsOf(client: DynamoDBClient, tables: readonly string[]): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const TableName of tables) {
    const scan = { TableName, ProjectionExpression: 'pk', ConsistentRead: true };
    for await (const { Items = [] } of paginateScan({ client }, scan))
      for (const { pk } of Items) if (pk?.S !== undefined && SUBJECT.test(pk.S)) ids.add(pk.S);
  }
  return ids;
}

/** A restore to a time before the first request has no salt: the ledger's own is put back. */
async function ensureSalt(client: DynamoDBClient, table: string, salt: string): Promise<void> {
  const Key = { pk: { S: LEDGER.shared }, sk: { S: LEDGER.salt } };
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: { ...Key, salt: { S: salt } },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
    if (Item?.salt?.S !== salt) throw new Error('the tables have another salt than the ledger');
  }
}
