import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { linkTtl, personLinkTtl } from '../../lambdas/collect/receipts.ts';
import config from '../../paula.config.ts';
import { ALL, browserKey, doorUnderTest, identify, identityToken } from './door-under-test.ts';

const door = doorUnderTest(config);

describe('identify from a browser', () => {
  it("keeps a device's link as long as its cookie, and the person's far longer: withdrawals stand there", async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    await door.streamed();
    expect((await identify(door, jar, 'long-kept')).statusCode).toBe(200);
    const link = (await door.streamed()).find((record) => record.kind === 'link');
    const [device, person] = await Promise.all(
      [link?.device_id, link?.person_id].map(async (pk) => {
        const key = { pk: { S: String(pk) }, sk: { S: 'link' } };
        const { Item } = await door.dynamo.send(new GetItemCommand({ TableName: 'profiles', Key: key }));
        return Number(Item?.ttl?.N);
      }),
    );
    expect(device).toBe(linkTtl(link?.since ?? 0));
    expect(person).toBe(personLinkTtl(link?.since ?? 0));
    expect(person).toBeGreaterThan(Number(device));
  });

  it('links the device to the person of the token under its receipt', async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    await door.streamed();
    expect((await identify(door, jar, 'paula')).statusCode).toBe(200);
    const records = await door.streamed();
    const device = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    const person = `p.k1.${hashes.hmac('paula', door.keys.person[0]?.key ?? '')}`;
    const receipt = (await door.deps.receipts.latest(device))?.receipt_id;
    expect(records).toMatchObject([
      { kind: 'link', device_id: device, person_id: person, receipt_id: receipt },
      { kind: 'event', event: 'Identified', device_id: device },
    ]);
    expect((await door.deps.links.read([person])).get(person)).toMatchObject({
      siblings: expect.arrayContaining([device]),
    });
    expect((await identify(door, jar, 'paula')).cookies).toBeUndefined();
    expect(await door.streamed()).toMatchObject([records[0], { event: 'Identified' }]);
  });

  it('begins a new device for another person and leaves the old one with its own', async () => {
    const jar = door.browser();
    await jar.consent(ALL);
    await identify(door, jar, 'paula');
    const first = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    const response = await identify(door, jar, 'peter');
    expect(response.cookies).toHaveLength(2);
    const second = `d.${hashes.sha256(jar.cookies.get('paula_id') ?? '')}`;
    expect(second).not.toBe(first);
    const links = await door.deps.links.read([first, second]);
    expect(links.get(first)?.person).not.toBe(links.get(second)?.person);
    await door.streamed();
    await jar.pixel('e=view&site=shop');
    expect(await door.streamed()).toMatchObject([{ device_id: second }]);
  });

  it.each([
    ['no token', async () => ({}), ALL, 'identity_token'],
    [
      'a token for another site',
      async () => ({ identityToken: await identityToken(door, 'paula', 'portal') }),
      ALL,
      'identity_token',
    ],
    [
      'a token of an unknown key',
      async () => ({ identityToken: await identityToken(door, 'paula', 'shop', 10, 'k9') }),
      ALL,
      'identity_token',
    ],
    [
      'a forged token',
      async () => ({ identityToken: `${await identityToken(door, 'paula')}x` }),
      ALL,
      'identity_token',
    ],
    [
      'no identity_merge',
      async () => ({ identityToken: await identityToken(door, 'paula') }),
      { storage: true, profile: true },
      'identity_consent',
    ],
    [
      'no storage',
      async () => ({ identityToken: await identityToken(door, 'paula') }),
      { storage: false },
      'identity_consent',
    ],
  ])('answers 403 for %s and links nothing', async (_, context, purposes, reason) => {
    const jar = door.browser();
    await jar.consent(purposes);
    await door.streamed();
    const response = await jar.send('POST', '/v1/identify', {
      body: { userId: 'paula', context: await context() },
      headers: browserKey(door),
    });
    expect(response.statusCode).toBe(403);
    expect(response.body).toContain(reason);
    expect(await door.streamed()).toEqual([]);
  });

  it('keeps the twenty newest devices of a person, however many link at once', async () => {
    const person = 'p.k1.many';
    const devices = Array.from({ length: 25 }, (_, i) => `d.${i}`);
    for (const device of devices)
      await door.deps.links.link({ device, person, since: 1, receipt: 'r', ttl: 1, personTtl: 1 });
    expect((await door.deps.links.read([person])).get(person)?.siblings).toEqual(devices.slice(-20));
    const crowd = Array.from({ length: 5 }, (_, i) => `d.crowd${i}`);
    await Promise.all(
      crowd.map((device) =>
        door.deps.links.link({ device, person: 'p.k1.crowd', since: 1, receipt: 'r', ttl: 1, personTtl: 1 }),
      ),
    );
    expect(new Set((await door.deps.links.read(['p.k1.crowd'])).get('p.k1.crowd')?.siblings)).toEqual(new Set(crowd));
  });
});
