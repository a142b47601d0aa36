import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Purpose } from '../../domain/purposes.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { at, FEATURES, INGEST, openFixtureLake } from '../sql/fixture-lake.ts';
import { openWorld, type World } from './world.ts';

const ALL: readonly Purpose[] = [
  'storage',
  'measurement',
  'profile',
  'personalisation',
  'activation',
  'identity_merge',
];
const SHOP: readonly Purpose[] = ['measurement', 'profile', 'activation'];

/** A DynamoDB and a lake on a machine that may be busy. */
const LONG_MS = 60_000;

// Each test has a stage of its own: its first objection is the first of all.
let world: World;
beforeEach(async () => {
  world = await openWorld(at('2026-11-24T08:00:00'));
});
afterEach(() => world.close());

async function known(customer: string) {
  const browser = world.browser();
  await browser.choose(ALL);
  await browser.identify(customer);
  await browser.pixel('e=impression&c=spring');
  await world.deliver();
  return { browser, device: browser.device() ?? '' };
}

let orders = 0;
function order(customer: string, source?: string) {
  const categoryPreferences = Object.fromEntries(SHOP.map((purpose) => [purpose, true]));
  const properties = { order_id: `o-${orders++}`, product_id: 'SKU-1', value: 20, currency: 'EUR' };
  const context = { consent: { categoryPreferences } };
  return world.server('/v1/track', { event: 'Order Completed', userId: customer, properties, context }, source);
}

const has = async (id: string) => (await world.profile(id)) !== undefined;

describe('the objection of a person', () => {
  it(
    'counts on each of its devices in the very next decision and fold, also on one that is linked later',
    async () => {
      const first = await known('paula');
      const second = await known('paula');
      const other = await known('somebody else');
      await world.brand('objection', 'paula');
      const third = await known('paula');
      for (const { browser, device } of [first, second, third]) {
        expect(await browser.decision('SKU-1')).toEqual({ show: true, reason: 'objected', audiences: [] });
        await browser.pixel('e=impression&c=spring');
        await world.deliver();
        expect(await has(device)).toBe(false);
      }
      expect(await other.browser.decision('SKU-1')).toMatchObject({ reason: 'eligible' });
      expect(await has(other.device)).toBe(true);
    },
    LONG_MS,
  );

  it(
    'stands after an erasure has taken everything that named the person',
    async () => {
      await known('paula');
      await world.brand('objection', 'paula');
      await world.brand('erasure', 'paula');
      // As the job does it.
      await world.items.forgetLink(world.person('paula'));
      const again = await known('paula');
      expect(await again.browser.decision('SKU-1')).toMatchObject({ reason: 'objected' });
      await order('paula');
      await world.deliver();
      expect([await has(again.device), await has(world.person('paula'))]).toEqual([false, false]);
    },
    LONG_MS,
  );

  it(
    'survives an import and the messages of a server: neither profile nor segment nor export has them',
    async () => {
      await order('paula');
      await order('kept');
      await world.deliver();
      expect(await has(world.person('paula'))).toBe(true);
      await world.brand('objection', 'paula');
      expect(await has(world.person('paula'))).toBe(false);
      for (const source of ['shop_backend', 'history']) expect((await order('paula', source)).statusCode).toBe(200);
      await world.deliver();
      expect([await has(world.person('paula')), await has(world.person('kept'))]).toEqual([false, true]);

      const lake = await openFixtureLake();
      try {
        const records: StreamRecord[] = world.stream.map(({ record }) => record);
        const asOf = new Date(world.now() + 60_000);
        await lake.land(records, undefined, undefined, world.now());
        await lake.run([...INGEST, ...FEATURES, 'gate', 'buyers_30d-members'], asOf);
        const kept = [{ profile_id: world.person('kept') }];
        expect(await lake.rows('SELECT DISTINCT profile_id FROM profile_events')).toEqual(kept);
        expect(await lake.rows('SELECT DISTINCT profile_id FROM features')).toEqual(kept);
        expect(await lake.rows('SELECT profile_id FROM segment_members')).toEqual(kept);
        expect((await lake.unloaded('buyers_30d-difference', asOf)).map(({ profile_id }) => ({ profile_id }))).toEqual(
          kept,
        );
      } finally {
        lake.close();
      }
    },
    LONG_MS,
  );
});

describe('the first objection and the first erasure of a stage', () => {
  it.each(['objection', 'erasure'] as const)(
    '%s: no profile begins in the minute in which the fold knows of no ledger yet',
    async (right) => {
      // Looks for the ledger, and finds none.
      await order('somebody else');
      await world.deliver();
      await order('paula');
      await world.deliver(undefined, async () => {
        await world.brand(right, 'paula');
      });
      expect(await has(world.person('paula'))).toBe(false);
      await order('paula');
      await world.deliver();
      // What comes after an erasure is a new life; an objection has no end.
      expect(await has(world.person('paula'))).toBe(right === 'erasure');
    },
    LONG_MS,
  );
});
