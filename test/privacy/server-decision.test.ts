import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Purpose } from '../../domain/purposes.ts';
import { openWorld, type World } from './world.ts';

const ALL: readonly Purpose[] = ['storage', 'measurement', 'profile', 'personalisation', 'identity_merge'];
const SHOP: readonly Purpose[] = ['measurement', 'profile'];

/** A DynamoDB on a machine that may be busy. */
const LONG_MS = 60_000;

let world: World;
beforeEach(async () => {
  world = await openWorld(Date.UTC(2026, 10, 24, 8));
});
afterEach(() => world.close());

const consented = (...granted: readonly Purpose[]) => ({
  context: { consent: { categoryPreferences: Object.fromEntries(granted.map((purpose) => [purpose, true])) } },
});

let orders = 0;
async function order(customer: string): Promise<void> {
  const properties = { order_id: `o-${orders++}`, product_id: 'SKU-1', value: 20, currency: 'EUR' };
  await world.server('/v1/track', { event: 'Order Completed', userId: customer, properties, ...consented(...SHOP) });
  await world.deliver();
}

const UNKNOWN = { show: true, reason: 'unknown' };
const BOUGHT = { show: false, reason: 'bought' };
const decided = (customer = 'paula') => world.decisionFor(customer, 'SKU-1');

describe("a server's decision about a customer", () => {
  it(
    'knows what was folded for the customer, and for no other',
    async () => {
      expect(await decided()).toEqual(UNKNOWN);
      await order('paula');
      expect(await decided()).toEqual(BOUGHT);
      expect(await decided('eva')).toEqual(UNKNOWN);
    },
    LONG_MS,
  );

  it(
    'takes in the devices of the customer while the merge stands',
    async () => {
      const browser = world.browser();
      await browser.choose(ALL);
      await browser.identify('paula');
      await browser.pixel('e=order&o=1&p=SKU-1&q=1&v=20&cu=EUR');
      await world.deliver();
      expect(await decided()).toEqual(BOUGHT);
      await browser.choose(ALL.filter((purpose) => purpose !== 'identity_merge'));
      expect(await decided()).toEqual(UNKNOWN);
    },
    LONG_MS,
  );

  it(
    'ends with the withdrawal of the profile',
    async () => {
      await world.server('/v1/identify', { userId: 'paula', ...consented(...SHOP) });
      await order('paula');
      expect(await decided()).toEqual(BOUGHT);
      await world.server('/v1/identify', { userId: 'paula', ...consented('measurement') });
      expect(await decided()).toEqual(UNKNOWN);
    },
    LONG_MS,
  );

  it(
    'ends with an objection',
    async () => {
      await order('paula');
      await world.brand('objection', 'paula');
      expect(await decided()).toEqual({ show: true, reason: 'objected' });
    },
    LONG_MS,
  );

  it(
    'ends with an erasure that was asked for, before the job has come',
    async () => {
      // A stage whose first request this is not: else its readers learn of the ledger within a minute.
      await world.brand('objection', 'eva');
      await order('paula');
      await world.brand('erasure', 'paula');
      expect(await world.profile(world.person('paula'))).toBeDefined();
      expect(await decided()).toEqual(UNKNOWN);
    },
    LONG_MS,
  );
});
