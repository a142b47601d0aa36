import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PURPOSES, type Purpose } from '../../domain/purposes.ts';
import { recordChoice } from '../../lambdas/collect/receipts.ts';
import type { Request } from '../../lambdas/http.ts';
import { at } from '../sql/fixture-lake.ts';
import { openWorld, type World } from './world.ts';

const ALL: readonly Purpose[] = ['storage', 'measurement', 'profile', 'personalisation', 'identity_merge'];
const without = (...purposes: Purpose[]) => ALL.filter((purpose) => !purposes.includes(purpose));

let world: World;
beforeAll(async () => {
  world = await openWorld(at('2026-11-24T08:00:00'));
});
afterAll(() => world.close());

/** A browser of a customer with an event, and a membership that the plan has published. */
async function known(customer: string) {
  const browser = world.browser();
  await browser.choose(ALL);
  await browser.identify(customer);
  await browser.pixel('e=impression&c=spring');
  await world.deliver();
  const device = browser.device() ?? '';
  await world.audiences.enter(device, 'buyers');
  return { browser, device, person: world.person(customer) };
}

const consented = (customer: string, ...purposes: Purpose[]) => ({
  userId: customer,
  context: { consent: { categoryPreferences: Object.fromEntries(purposes.map((purpose) => [purpose, true])) } },
});

let orders = 0;
async function order(customer: string, ...purposes: Purpose[]): Promise<void> {
  const properties = { order_id: `o-${orders++}`, product_id: 'SKU-1' };
  await world.server('/v1/track', { event: 'Order Completed', properties, ...consented(customer, ...purposes) });
}

/** Which items stand under an id. */
const items = async (id: string) => Object.keys(await world.stored(id)).sort();

describe('a withdrawal', () => {
  it.each([['profile'], ['storage']] as const)(
    'of %s takes profile, purchases and audiences before it is answered, and leaves the note of it',
    async (purpose) => {
      const { browser, device } = await known(`w-${purpose}`);
      expect(await items(device)).toEqual(['audiences', 'link', 'profile']);
      await browser.choose(without(purpose));
      expect(await items(device)).toEqual(['link']);
      await world.deliver();
      expect(await items(device)).toEqual(['link']);
    },
  );

  it('of another purpose leaves the profile: nothing in it stands on that one', async () => {
    const { browser, device } = await known('w-other');
    await browser.choose(without('measurement', 'personalisation'));
    expect(await items(device)).toEqual(['audiences', 'link', 'profile']);
  });

  it('of a person ends what stands under the person; its devices have answered for themselves', async () => {
    const { device, person } = await known('w-person');
    const other = await known('w-person');
    await world.server('/v1/identify', consented('w-person', 'measurement', 'profile'));
    await order('w-person', 'measurement', 'profile');
    await world.deliver();
    await world.audiences.enter(person, 'buyers');
    expect(await items(person)).toEqual(['audiences', 'link', 'profile']);
    await world.server('/v1/identify', consented('w-person', 'measurement'));
    expect(await items(person)).toEqual(['link']);
    for (const sibling of [device, other.device]) expect(await items(sibling)).toContain('profile');
    await order('w-person', 'measurement', 'profile');
    await world.deliver();
    expect(await items(person)).toEqual(['link']);
  });

  it('of the merge ends the link at once: the device decides alone, and the person cannot be joined again', async () => {
    const { browser, device, person } = await known('w-merge');
    await order('w-merge', 'measurement', 'profile');
    await world.deliver();
    expect(await browser.decision('SKU-1')).toMatchObject({ show: false, reason: 'bought' });
    await browser.choose(without('identity_merge'));
    expect((await world.stored(device)).link).not.toHaveProperty('person');
    expect((await world.stored(person)).link?.siblings).toEqual([]);
    expect(await browser.decision('SKU-1')).toMatchObject({ show: true, reason: 'eligible' });
    expect(world.stream.at(-1)?.record).toMatchObject({
      kind: 'link',
      device_id: device,
      removed_at: world.now() - 1000,
    });
  });

  it('of the merge by the person ends all of its links, and no browser makes a new one until it is given again', async () => {
    const { browser, device } = await known('w-unmerged');
    await world.server('/v1/identify', consented('w-unmerged', 'measurement', 'identity_merge'));
    await world.server('/v1/identify', consented('w-unmerged', 'measurement'));
    expect((await world.stored(device)).link).not.toHaveProperty('person');
    expect((await browser.identify('w-unmerged')).statusCode).toBe(403);
    expect((await world.stored(device)).link).not.toHaveProperty('person');
    await world.server('/v1/identify', consented('w-unmerged', 'measurement', 'identity_merge'));
    expect((await browser.identify('w-unmerged')).statusCode).toBe(200);
    expect((await world.stored(device)).link).toHaveProperty('person', world.person('w-unmerged'));
  });

  it('that was overtaken on its way ends what came before it, and not what a later receipt grants', async () => {
    const { device } = await known('w-overtaken');
    const request = (receivedAt: number) => ({ receivedAt }) as Request;
    const choice = (granted: readonly Purpose[]) =>
      ({ subject: device, site: 'shop', granted, method: 'browser' }) as const;
    world.advance(60_000);
    const now = world.now();
    await recordChoice(choice([...ALL, 'activation']), request(now + 20), world.door);
    await recordChoice(choice([]), request(now + 10), world.door);
    const { link } = await world.stored(device);
    expect(link?.withdrawn?.profile).toBe(now + 10);
    expect(link?.regranted?.profile).toBe(now + 20);
    expect(await items(device)).toEqual(['link']);
  });

  it('that is noted late does not put back the time of a later one', async () => {
    const note = { withdrawn: ['profile'], regranted: [], ttl: 4_000_000_000 } as const;
    await world.links.noteConsent('d.late', { ...note, at: 20 });
    await world.links.noteConsent('d.late', { ...note, withdrawn: ['profile', 'activation'], at: 10 });
    expect((await world.stored('d.late')).link?.withdrawn).toEqual({ profile: 20, activation: 10 });
  });
});

describe('a server’s word that a person is under 16', () => {
  it('ends the person and its devices as a withdrawal of everything does, and keeps later orders out', async () => {
    const { browser, device, person } = await known('minor');
    await order('minor', 'measurement', 'profile');
    await world.deliver();
    expect(await items(person)).toEqual(['link', 'profile']);
    const body = { ...consented('minor', 'measurement', 'profile'), traits: { age: 15 } };
    expect((await world.server('/v1/identify', body)).statusCode).toBe(200);
    for (const id of [person, device]) {
      expect(await items(id)).toEqual(['link']);
      expect(Object.keys((await world.stored(id)).link?.withdrawn ?? {}).sort()).toEqual([...PURPOSES].sort());
    }
    expect((await world.stored(device)).link).not.toHaveProperty('person');
    // Neither the browser's old cookies nor an order that says no age begin anything.
    await browser.pixel('e=impression&c=spring');
    await order('minor', 'measurement', 'profile');
    await world.deliver();
    for (const id of [person, device]) expect(await items(id)).toEqual(['link']);
    expect(await browser.decision('SKU-1')).toMatchObject({ reason: 'unknown' });
    const told = JSON.stringify(world.stream.map(({ record }) => record));
    expect(told).not.toMatch(/"age"|minor"|under_16/);
  });

  it('is told to the lake also of a person of whom the tables know nothing', async () => {
    await order('lake-minor', 'measurement');
    const before = world.stream.length;
    const traits = { ...consented('lake-minor', 'measurement').context, traits: { birthday: '2020-05-05' } };
    for (let twice = 0; twice < 2; twice++)
      await world.server('/v1/track', { event: 'Order Completed', userId: 'lake-minor', context: traits });
    const records = world.stream.slice(before).map(({ record }) => record);
    const receipt = { kind: 'consent', subject: world.person('lake-minor'), granted: [], withdrawn: PURPOSES };
    expect(records).toMatchObject([receipt, receipt]);
    expect(await world.receiptsOf(world.person('lake-minor'))).toHaveLength(1);
  });

  it('is lifted by a new choice of a person who is of age', async () => {
    await world.server('/v1/identify', { ...consented('grown', 'measurement', 'profile'), traits: { age: 15 } });
    await world.server('/v1/identify', { ...consented('grown', 'measurement', 'profile'), traits: { age: 16 } });
    await order('grown', 'measurement', 'profile');
    await world.deliver();
    expect((await world.profile(world.person('grown')))?.counts.get('Order Completed')).toBe(1);
  });
});
