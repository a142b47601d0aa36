import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../domain/config.ts';
import demo from '../../paula.config.ts';
import {
  at,
  consent,
  event,
  type FixtureLake,
  INGEST,
  link,
  openFixtureLake,
  serverEvent,
  VIEWS,
} from './fixture-lake.ts';

let lake: FixtureLake;
beforeEach(async () => {
  lake = await openFixtureLake();
});
afterEach(() => lake.close());

const profiles = async (): Promise<unknown> =>
  Object.fromEntries(
    (await lake.rows('SELECT event_id, profile_id FROM profile_events')).map((row) => [row.event_id, row.profile_id]),
  );

describe('profile_events', () => {
  it("gives a device's events to the person that it is linked to, and a server's to theirs", async () => {
    await lake.land([
      event({ event_id: 'linked' }),
      event({ event_id: 'alone', device_id: 'd.two' }),
      event({ event_id: 'unlinked', device_id: 'd.three' }),
      event({ event_id: 'relinked', device_id: 'd.four' }),
      serverEvent({ event_id: 'server' }),
      link(),
      link({ device_id: 'd.three', removed_at: at('2026-11-24T11:00:00') }),
      link({ device_id: 'd.four', receipt_id: 'r4', removed_at: at('2026-11-24T11:00:00') }),
      link({ device_id: 'd.four', receipt_id: 'r5', since: at('2026-11-24T11:00:01') }),
    ]);
    await lake.run(INGEST);
    expect(await profiles()).toEqual({
      linked: 'p.k1.one',
      alone: 'd.two',
      unlinked: 'd.three',
      relinked: 'p.k1.one',
      server: 'p.k1.one',
    });
  });

  it('leaves out what was not granted for a profile, and what was withdrawn since by the device or its person', async () => {
    await lake.land([
      event({ event_id: 'measured', purposes: ['storage', 'measurement'] }),
      event({ event_id: 'withdrawn', device_id: 'd.two' }),
      event({ event_id: 'regranted', device_id: 'd.two', received_at: at('2026-11-24T11:30:00') }),
      event({ event_id: 'by-the-person', device_id: 'd.three' }),
      event({ event_id: 'kept' }),
      serverEvent({ event_id: 'server', person_id: 'p.k1.two' }),
      link({ device_id: 'd.three', person_id: 'p.k1.two' }),
      consent({ receipt_id: 'r1', subject: 'd.two', withdrawn: ['profile'], given_at: at('2026-11-24T11:00:00') }),
      consent({ receipt_id: 'r2', subject: 'd.two', granted: ['profile'], given_at: at('2026-11-24T11:15:00') }),
      consent({
        receipt_id: 'r3',
        subject: 'p.k1.two',
        withdrawn: ['profile', 'email'],
        given_at: at('2026-11-24T11:00:00'),
      }),
      consent({ receipt_id: 'r4', subject: 'd.one', withdrawn: ['email'], given_at: at('2026-11-24T11:00:00') }),
    ]);
    await lake.run(INGEST);
    expect(await profiles()).toEqual({ regranted: 'd.two', kept: 'd.one' });
  });
});

describe('order_lines', () => {
  const order = (event_id: string, products: unknown, over = {}) =>
    event({
      event_id,
      event: 'Order Completed',
      order_id: event_id,
      currency: 'EUR',
      ...(products !== undefined && { properties: { products: JSON.stringify(products) } }),
      ...over,
    });

  it("has a row per line in the sender's order, equal lines twice, exact prices, and texts with braces and quotes", async () => {
    const lines = [
      { product_id: 'b', category: 'ski}n "{care', quantity: 2, price: '9.99' },
      { product_id: 'a', quantity: -1, price: '1234567.8901' },
      { product_id: 'b', category: 'ski}n "{care', quantity: 2, price: '9.99' },
      { product_id: 'c\\"}', quantity: 1 },
    ];
    await lake.land([order('o1', lines), event({ event_id: 'e1', properties: { products: JSON.stringify(lines) } })]);
    await lake.run(INGEST);
    expect(
      await lake.rows(
        'SELECT event_id, line_no, product_id, category, quantity, price FROM order_lines ORDER BY line_no',
      ),
    ).toEqual([
      { event_id: 'o1', line_no: '1', product_id: 'b', category: 'ski}n "{care', quantity: '2', price: '9.9900' },
      { event_id: 'o1', line_no: '2', product_id: 'a', category: null, quantity: '-1', price: '1234567.8901' },
      { event_id: 'o1', line_no: '3', product_id: 'b', category: 'ski}n "{care', quantity: '2', price: '9.9900' },
      { event_id: 'o1', line_no: '4', product_id: 'c\\"}', category: null, quantity: '1', price: null },
    ]);
  });

  it('has one row of its own product for an order without lines', async () => {
    await lake.land([
      order('plain', undefined, { product_id: 'p9', category: 'lips', quantity: 3 }),
      order('empty', [], { product_id: 'p8' }),
      order('refund', [{ product_id: 'a', quantity: -1 }], { event: 'Order Refunded' }),
    ]);
    await lake.run(INGEST);
    expect(
      await lake.rows('SELECT event_id, line_no, product_id, category, quantity FROM order_lines ORDER BY 1'),
    ).toEqual([
      { event_id: 'empty', line_no: '1', product_id: 'p8', category: null, quantity: null },
      { event_id: 'plain', line_no: '1', product_id: 'p9', category: 'lips', quantity: '3' },
      { event_id: 'refund', line_no: '1', product_id: 'a', category: null, quantity: '-1' },
    ]);
  });

  it('reads an order of a thousand lines', async () => {
    const lines = Array.from({ length: 1000 }, (_, i) => ({ product_id: `p${i}`, quantity: 1, price: '0.01' }));
    await lake.land([order('big', lines)]);
    await lake.run(INGEST);
    expect(await lake.rows('SELECT count(*) AS n, sum(price) AS sum, max(line_no) AS last FROM order_lines')).toEqual([
      { n: '1000', sum: '10.0000', last: '1000' },
    ]);
  });
});

describe("a brand's column", () => {
  it('can be added to a lake that has rows, whose files lack it', async () => {
    await lake.land([event({ event_id: 'before', properties: { skin_type: 'dry' } })]);
    await lake.run(INGEST);
    const { fields } = demo.trackingPlan;
    const config = parseConfig({
      ...demo,
      trackingPlan: { ...demo.trackingPlan, fields: { ...fields, skin_type: { ...fields.skin_type, column: true } } },
    });
    const branded = await lake.reopen(config);
    await branded.run(['column-events-skin_type', 'column-events-skin_type', ...VIEWS]);
    await branded.land([event({ event_id: 'after', properties: { skin_type: 'oily', coupon: 'c' } })]);
    await branded.run(INGEST);
    expect(await branded.rows('SELECT event_id, skin_type, properties FROM profile_events ORDER BY 1')).toEqual([
      { event_id: 'after', skin_type: 'oily', properties: [{ key: 'coupon', value: 'c' }] },
      { event_id: 'before', skin_type: null, properties: [{ key: 'skin_type', value: 'dry' }] },
    ]);
    lake = branded;
  });
});
