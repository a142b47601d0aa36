import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EMPTY_PROFILE } from '../../domain/profile.ts';
import { packProfile } from '../../domain/profile-codec.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { profileStore } from '../../lambdas/adapters/profile-store.ts';
import { tombstoneOf } from '../../lambdas/adapters/tombstone.ts';
import { startDynamo } from '../../local/dynamo-server.ts';
import type { Engine } from '../../local/loopback.ts';
import { type LedgerLine, readLedger, replayLedger } from '../../local/rights/replay-ledger.ts';

const REGION = 'eu-central-1';
const SALT = 'the-salt';
const ERASED = Date.parse('2026-11-24T12:00:00Z');
const TTL = 4_000_000_000;
const TABLES = { profiles: 'profiles', consents: 'consents' };
const folder = mkdtempSync(join(tmpdir(), 'paula-ledger-'));
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
let engine: Engine;
let client: DynamoDBClient;

beforeAll(async () => {
  engine = await startDynamo(join(folder, 'dynamo'), REGION, [
    { name: 'profiles', sk: true },
    { name: 'consents', sk: true },
  ]);
  client = new DynamoDBClient({ endpoint: engine.endpoint, region: REGION, credentials });
});
afterAll(async () => {
  client.destroy();
  await engine.stop();
  rmSync(folder, { recursive: true });
});

const erased = (id: string, over: Partial<LedgerLine> = {}): LedgerLine =>
  ({ hash: tombstoneOf(SALT, id), salt: SALT, request_id: 'q1', erased_at: ERASED, ...over }) as LedgerLine;

async function profileOf(id: string, firstSeen: number): Promise<void> {
  const b = packProfile({ ...EMPTY_PROFILE, firstSeen, lastSeen: firstSeen }, new Map());
  await profileStore(client, 'profiles').write([{ id, items: [{ pk: id, sk: 'profile', b, v: 1, ttl: TTL }] }]);
}

const idsIn = async (table: string): Promise<string[]> => {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }));
  return Items.map(({ pk, sk }) => `${pk?.S} ${sk?.S}`).sort();
};

describe('a replay of the ledger over restored tables', () => {
  it('erases again whom the restore has brought back, notes objections again, and may be repeated', async () => {
    await linkStore(client, 'profiles').link({
      device: 'd.back',
      person: 'p.k1.back',
      since: ERASED - 1,
      receipt: 'r',
      ttl: TTL,
      personTtl: TTL,
    });
    await profileOf('d.back', ERASED - 1);
    await profileOf('d.new-life', ERASED + 1);
    await profileOf('d.objected', ERASED - 1);
    await profileOf('d.bystander', ERASED - 1);
    const ledger: LedgerLine[] = [
      erased('d.back'),
      erased('p.k1.back'),
      erased('d.new-life'),
      { hash: tombstoneOf(SALT, 'd.objected'), salt: SALT, request_id: 'q2', objected_at: ERASED },
    ];
    for (let twice = 0; twice < 2; twice++) {
      const replayed = await replayLedger(ledger, client, TABLES);
      if (twice === 0) expect(replayed).toEqual({ entries: 4, erased: 3, objected: 1 });
      expect(await idsIn('profiles')).toEqual(['d.bystander profile', 'd.new-life profile', 'd.objected link']);
    }
    const stored = await profileStore(client, 'profiles').read([{ pk: 'd.objected', sk: 'link' }], 'strong');
    expect(stored.get('d.objected')?.link?.objected).toBe(ERASED);
    // The fold finds it all in the ledger again.
    expect((await idsIn('consents')).filter((key) => key.endsWith('ledger') || key.startsWith('ledger'))).toHaveLength(
      5,
    );
  });

  it('refuses a ledger of another stage, and a file that is none', async () => {
    // Whichever test comes first: the tables have this stage's salt.
    await replayLedger([erased('d.back')], client, TABLES);
    await expect(replayLedger([{ ...erased('d.x'), salt: 'another' }], client, TABLES)).rejects.toThrow('another salt');
    await expect(replayLedger([erased('d.x'), { ...erased('d.y'), salt: 'b' }], client, TABLES)).rejects.toThrow(
      'more than one salt',
    );
    const file = join(folder, 'ledger.ndjson');
    writeFileSync(file, `${JSON.stringify(erased('d.x'))}\n\n${JSON.stringify({ hash: 'x' })}\n`);
    await expect(readLedger(file)).rejects.toThrow('ledger.ndjson:3');
    writeFileSync(file, `${JSON.stringify(erased('d.x'))}\n`);
    expect(await readLedger(file)).toEqual([erased('d.x')]);
  });
});
