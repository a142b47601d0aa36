import { type DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SK } from '../../domain/items.ts';
import { expiryOf, MAX_PURCHASES, type Profile } from '../../domain/profile.ts';
import { unpackBought, unpackProfile } from '../../domain/profile-codec.ts';
import { shortHash } from '../../domain/short-hash.ts';
import type { EventRecord, StreamRecord } from '../../domain/stream-record.ts';
import { linkStore } from '../../lambdas/adapters/link-store.ts';
import { profileStore } from '../../lambdas/adapters/profile-store.ts';
import { readBatch } from '../../lambdas/kinesis-batch.ts';
import { type ProfileDeps, profile } from '../../lambdas/profile.ts';
import type { StoredItems } from '../../lambdas/stored-items.ts';
import { event, orderOf, SHARD, START, sequenceOf } from '../domain/sample-events.ts';
import { PROFILES, startTables } from './profiles-table.ts';

const NOW = START + 3_600_000;
const RETENTION_DAYS = 395;

let client: DynamoDBClient;
let stop: () => Promise<void>;
let counted: Record<string, number>;
let deps: ProfileDeps;
/** Every test has profiles of its own in the one table. */
let test = 0;
const device = (name: string) => `d.${test}.${name}`;

beforeAll(async () => {
  ({ client, stop } = await startTables());
});
afterAll(() => stop());

beforeEach(() => {
  test++;
  counted = {};
  deps = {
    ...profileStore(client, PROFILES),
    count: (metric, reason, by = 1) => {
      counted[`${metric} ${reason}`] = (counted[`${metric} ${reason}`] ?? 0) + by;
    },
    now: () => NOW,
    retentionDays: RETENTION_DAYS,
    withheld: [],
  };
});

/** A batch as Lambda hands it over; a text stands for itself. */
function batchOf(records: readonly (StreamRecord | string)[], from = 1, shard = SHARD) {
  return readBatch({
    Records: records.map((record, i) => ({
      eventID: `${shard}:${sequenceOf(from + i)}`,
      kinesis: {
        data: Buffer.from(typeof record === 'string' ? record : JSON.stringify(record)).toString('base64'),
        sequenceNumber: sequenceOf(from + i),
        approximateArrivalTimestamp: NOW / 1000,
        partitionKey: 'any',
        kinesisSchemaVersion: '1.0',
      },
      awsRegion: 'eu-central-1',
      eventName: 'aws:kinesis:record',
      eventSource: 'aws:kinesis',
      eventSourceARN: 'arn:aws:kinesis:eu-central-1:000000000000:stream/events',
      eventVersion: '1.0',
      invokeIdentityArn: 'arn:aws:iam::000000000000:role/profile',
    })),
  });
}

const of = (name: string, n: number, over: Partial<EventRecord> = {}) => event(n, { device_id: device(name), ...over });

async function stored(id: string): Promise<StoredItems> {
  const keys = [SK.profile, SK.link, SK.bought].map((sk) => ({ pk: id, sk }));
  return (await deps.read(keys, 'strong')).get(id) ?? {};
}

async function storedProfile(name: string): Promise<Profile | undefined> {
  const { profile: item } = await stored(device(name));
  return item && unpackProfile(item.b);
}

const views = async (name: string) => (await storedProfile(name))?.counts.get('Page Viewed');

const putLink = (id: string, attributes: PutItemCommand['input']['Item']) =>
  client.send(
    new PutItemCommand({
      TableName: PROFILES,
      Item: { pk: { S: id }, sk: { S: SK.link }, ttl: { N: String(NOW) }, ...attributes },
    }),
  );

describe('profile', () => {
  it('folds each profile of a batch and writes it once', async () => {
    expect(await profile(batchOf([of('a', 1), of('b', 2), of('a', 3)]), deps)).toBeUndefined();
    const { profile: item } = await stored(device('a'));
    expect(item).toMatchObject({ v: 1, ttl: expiryOf(unpackProfile(item?.b as Uint8Array), RETENTION_DAYS) });
    expect([await views('a'), await views('b')]).toEqual([2, 1]);
    await profile(batchOf([of('a', 4)], 4), deps);
    expect((await stored(device('a'))).profile?.v).toBe(2);
    expect(await views('a')).toBe(3);
  });

  it('folds a server event into its person, without storage', async () => {
    const { device_id, ...server } = event(1, { person_id: device('person'), purposes: ['profile'] });
    await profile(batchOf([server]), deps);
    expect(await views('person')).toBe(1);
  });

  it('leaves out what has no profile, no purpose that opens it, or is no event', async () => {
    const { device_id, ...anonymous } = event(1, { basis: 'anonymous', purposes: [] });
    const records: StreamRecord[] = [
      anonymous,
      of('a', 2, { purposes: ['storage', 'measurement'] }),
      of('a', 3, { purposes: ['profile'] }),
      { kind: 'rejected', received_at: NOW, reason: 'field_invalid' },
      { kind: 'link', device_id: device('a'), person_id: 'p.k1.x', since: NOW, receipt_id: 'r' },
    ];
    expect(await profile(batchOf(records), deps)).toBeUndefined();
    expect(await stored(device('a'))).toEqual({});
  });

  it('is not changed by a retry of the same batch, nor by events that were put twice', async () => {
    const batch = [
      of('a', 1),
      of('a', 2),
      orderOf(3, [{ product_id: 'SKU-1', quantity: 1 }], { device_id: device('a') }),
    ];
    await profile(batchOf(batch), deps);
    const before = await stored(device('a'));
    await profile(batchOf(batch), deps);
    await profile(batchOf(batch.slice(1)), deps);
    expect(await stored(device('a'))).toEqual(before);

    await profile(batchOf(batch, 100), deps);
    expect(await storedProfile('a')).toEqual({
      ...unpackProfile(before.profile?.b as Uint8Array),
      applied: { shard: SHARD, sequence: sequenceOf(102) },
    });
  });

  it('returns the first record that cannot be read, and folds the others', async () => {
    const failed = await profile(batchOf([of('a', 1), '{"kind":"event"', of('b', 3), 'null', of('a', 5)]), deps);
    expect(failed).toBe(sequenceOf(2));
    expect([await views('a'), await views('b')]).toEqual([2, 1]);
    expect(counted).toEqual({ 'ProfileFailed unreadable': 2 });
  });

  it('returns the first record of a profile that cannot be written, writes the others, and folds all of it on the retry', async () => {
    const missing = profileStore(client, 'no-such-table');
    const failing: ProfileDeps = {
      ...deps,
      write: async (writes) =>
        (await Promise.all(writes.map((write) => (write.id === device('b') ? missing : deps).write([write])))).flat(),
    };
    const batch = batchOf([of('a', 1), of('b', 2), of('a', 3), of('b', 4), of('c', 5)]);
    expect(await profile(batch, failing)).toBe(sequenceOf(2));
    expect([await views('a'), await views('b'), await views('c')]).toEqual([2, undefined, 1]);
    expect(counted).toEqual({ 'ProfileFailed ResourceNotFoundException': 1 });

    expect(await profile(batch.slice(1), deps)).toBeUndefined();
    expect([await views('a'), await views('b'), await views('c')]).toEqual([2, 2, 1]);
  });

  it('reads and folds again where another writer was faster', async () => {
    const reads: string[] = [];
    const racing: ProfileDeps = {
      ...deps,
      read: async (keys, consistency) => {
        const items = await deps.read(keys, consistency);
        if (reads.push(consistency) === 1) await profile(batchOf([of('a', 1)], 1, 'shardId-000000000001'), deps);
        return items;
      },
    };
    expect(await profile(batchOf([of('a', 2), of('b', 3)]), racing)).toBeUndefined();
    // The one in between is the second look at b, which had no profile.
    expect(reads).toEqual(['eventual', 'strong', 'strong']);
    expect([await views('a'), await views('b')]).toEqual([2, 1]);
    expect((await stored(device('a'))).profile?.v).toBe(2);
  });

  it('gives up a profile on which another writer is faster every time', async () => {
    let n = 10;
    const racing: ProfileDeps = {
      ...deps,
      read: async (keys, consistency) => {
        const items = await deps.read(keys, consistency);
        await profile(batchOf([of('a', ++n)], n, 'shardId-000000000001'), deps);
        return items;
      },
    };
    expect(await profile(batchOf([of('b', 1), of('a', 2)]), racing)).toBe(sequenceOf(2));
    expect(counted).toEqual({ 'ProfileFailed conflict': 1 });
    expect(await views('b')).toBe(1);
  });

  it('skips events up to a withdrawal, and those of an old cookie until a receipt grants it again', async () => {
    const ended = START + 60_000;
    const again = { N: String(ended + 1000) };
    for (const purpose of ['profile', 'storage', 'measurement'])
      await putLink(device(purpose), {
        withdrawn: { M: { [purpose]: { N: String(ended) } } },
        ...(purpose === 'profile' && { regranted: { M: { profile: again } } }),
      });
    const batch = ['profile', 'storage', 'measurement'].flatMap((name, i) =>
      [ended, ended + 1, ended + 999, ended + 1000].map((received_at, n) => of(name, 10 * i + n, { received_at })),
    );
    await profile(batchOf(batch), deps);
    // Nothing in a profile is made of what is collected for measurement.
    expect([await views('profile'), await views('storage'), await views('measurement')]).toEqual([1, undefined, 4]);
    expect(counted).toEqual({ 'ProfileSkipped withdrawn': 7 });
  });

  it('makes no profile of fields that the plan collects for another purpose', async () => {
    const fields = { campaign: 'spring', referrer_host: 'a.example', product_id: 'SKU-1' };
    const whole = of('a', 1, fields);
    await profile(batchOf([whole, of('b', 2, fields)]), { ...deps, withheld: ['referrer_host'] });
    const order = orderOf(3, [{ product_id: 'SKU-9', quantity: 1 }], { device_id: device('b') });
    await profile(batchOf([order], 3), { ...deps, withheld: ['products', 'value'] });
    expect((await storedProfile('a'))?.lastTouch).toMatchObject({ campaign: 'spring', referrerHost: undefined });
    const { purchases, totals } = (await storedProfile('b')) as Profile;
    expect([purchases.size, [...totals.values()].map(({ revenue }) => revenue)]).toEqual([0, [0n]]);
  });

  it.each(['withdrawn', 'objected'])(
    'takes a first profile back that was read before and written after the subject had %s',
    async (what) => {
      const end = {
        withdrawn: { withdrawn: { M: { profile: { N: String(START + 60_000) } } } },
        objected: { objected: { N: String(NOW) } },
      }[what];
      const links = linkStore(client, PROFILES);
      /** As the door does it: noted first, then deleted what is there. */
      const racing: ProfileDeps = {
        ...deps,
        write: async (writes) => {
          if (writes.some(({ id }) => id === device('a'))) {
            await putLink(device('a'), end);
            await links.forgetProfile(device('a'));
          }
          return deps.write(writes);
        },
      };
      expect(await profile(batchOf([of('a', 1), of('b', 2)]), racing)).toBeUndefined();
      expect(await storedProfile('a')).toBeUndefined();
      expect(await views('b')).toBe(1);
      expect(counted).toEqual({ [`ProfileSkipped ${what}`]: 1 });
    },
  );

  it('takes back the purchases alone where the profile itself had stood and was deleted in between', async () => {
    const lines = (from: number) =>
      Array.from({ length: MAX_PURCHASES }, (_, i) => ({ product_id: `SKU-${from + i}`, quantity: 1 }));
    await profile(batchOf([orderOf(1, lines(0), { device_id: device('a') })], 1), deps);
    await profile(batchOf([orderOf(2, lines(1000), { device_id: device('a') })], 2), deps);
    const links = linkStore(client, PROFILES);
    const racing: ProfileDeps = {
      ...deps,
      write: async (writes) => {
        await putLink(device('a'), { withdrawn: { M: { storage: { N: String(NOW) } } } });
        await links.forgetProfile(device('a'));
        return deps.write(writes);
      },
    };
    expect(await profile(batchOf([of('a', 3)], 3), racing)).toBeUndefined();
    const { profile: left, bought } = await stored(device('a'));
    expect([left, bought]).toEqual([undefined, undefined]);
  });

  it('folds of a first batch what came after a withdrawal and a new receipt', async () => {
    const racing: ProfileDeps = {
      ...deps,
      write: async (writes) => {
        await putLink(device('a'), {
          withdrawn: { M: { profile: { N: String(START + 60_000) } } },
          regranted: { M: { profile: { N: String(START + 61_000) } } },
        });
        return deps.write(writes);
      },
    };
    const batch = [of('a', 1, { received_at: START }), of('a', 2, { received_at: START + 62_000 })];
    await profile(batchOf(batch), racing);
    expect(await views('a')).toBe(1);
  });

  it('does not ask a person for storage', async () => {
    await putLink(device('p'), { withdrawn: { M: { storage: { N: String(NOW) } } } });
    const { device_id, ...server } = event(1, { person_id: device('p'), purposes: ['profile'] });
    await profile(batchOf([server]), deps);
    expect(await views('p')).toBe(1);
  });

  it('stops folding with an objection', async () => {
    await putLink(device('a'), { objected: { N: String(NOW) } });
    await putLink(device('b'), { objected: { N: String(NOW + 1) } });
    await profile(batchOf([of('a', 1), of('b', 2)]), deps);
    expect([await views('a'), await views('b')]).toEqual([undefined, 1]);
    expect(counted).toEqual({ 'ProfileSkipped objected': 1 });
  });

  it('refuses late copies of an erased life, and folds a new one', async () => {
    const erased = START + 60_000;
    const read: ProfileDeps['read'] = async (keys, consistency) => {
      const items = new Map(await deps.read(keys, consistency));
      // As the ledger adds it, also where no link item stands any more.
      const link = { pk: device('a'), sk: SK.link, erased, ttl: Number.POSITIVE_INFINITY };
      return items.set(device('a'), { ...items.get(device('a')), link });
    };
    const late = of('a', 1, { occurred_at: erased - 1, received_at: erased + 5000 });
    const ahead = of('a', 2, { occurred_at: erased + 5000, received_at: erased });
    await profile(batchOf([late, ahead]), { ...deps, read });
    expect([await views('a'), counted]).toEqual([undefined, { 'ProfileSkipped erased': 2 }]);
    const fresh = of('a', 3, { occurred_at: erased + 1, received_at: erased + 1 });
    await profile(batchOf([late, fresh], 3), { ...deps, read });
    expect(await views('a')).toBe(1);
  });

  it('takes an item past its ttl as absent, though the sweeper has not come yet', async () => {
    await profile(batchOf([of('a', 1), of('a', 2)]), deps);
    await client.send(
      new UpdateItemCommand({
        TableName: PROFILES,
        Key: { pk: { S: device('a') }, sk: { S: SK.profile } },
        UpdateExpression: 'SET #ttl = :past',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':past': { N: String(NOW / 1000) } },
      }),
    );
    expect(await profile(batchOf([of('a', 3)], 3), deps)).toBeUndefined();
    expect(await views('a')).toBe(1);
    expect((await stored(device('a'))).profile?.v).toBe(2);
  });

  it('moves the oldest purchases to an item of their own and finds them there', async () => {
    const lines = (from: number) =>
      Array.from({ length: MAX_PURCHASES }, (_, i) => ({ product_id: `SKU-${from + i}`, quantity: 1 }));
    const order = (n: number, from: number) => orderOf(n, lines(from), { device_id: device('a') });
    await profile(batchOf([order(1, 0)], 1), deps);
    await profile(batchOf([order(2, 1000)], 2), deps);
    expect((await stored(device('a'))).bought).toBeUndefined();
    await profile(batchOf([of('a', 3)], 3), deps);
    const { bought } = await stored(device('a'));
    expect(unpackBought(bought?.b as Uint8Array).size).toBe(MAX_PURCHASES);
    expect((await storedProfile('a'))?.purchases.size).toBe(MAX_PURCHASES);

    const back = orderOf(4, [{ product_id: 'SKU-5', quantity: -1 }], {
      device_id: device('a'),
      event: 'Order Refunded',
      value: '-1',
    });
    await profile(batchOf([back], 4), deps);
    expect((await storedProfile('a'))?.purchases.get(shortHash('SKU-5'))?.net).toBe(0);
  });

  it('reads and writes more profiles than one call takes', async () => {
    const batch = Array.from({ length: 230 }, (_, n) => of(`x${n % 115}`, n));
    expect(await profile(batchOf(batch), deps)).toBeUndefined();
    expect(new Set(await Promise.all(Array.from({ length: 115 }, (_, n) => views(`x${n}`))))).toEqual(new Set([2]));
  });
});
