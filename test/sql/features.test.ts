import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OPEN_DAYS } from '../../domain/plan.ts';
import type { EventRecord, StreamRecord } from '../../domain/stream-record.ts';
import { type Chance, chanceOf } from '../../local/fuzz/chance.ts';
import {
  AS_OF,
  ago,
  consent,
  did,
  event,
  FEATURES,
  type FixtureLake,
  INGEST,
  link,
  openFixtureLake,
  right,
  serverEvent,
} from './fixture-lake.ts';

let lake: FixtureLake;
beforeEach(async () => {
  lake = await openFixtureLake();
});
afterEach(() => lake.close());

const DAY_MS = 86_400_000;
const DAY = 86_400;

const featuresOf = async (profile: string): Promise<string[]> =>
  (await lake.rows(`SELECT family, feature FROM features WHERE profile_id = '${profile}' ORDER BY 1, 2`)).map(
    ({ family, feature }) => `${family} ${feature}`,
  );

describe('features', () => {
  it('name the event that made each of them: counts, age, value, and what it came with, once and often', async () => {
    await lake.land([
      ...[60, 50, 40].map((seconds) => did('d.a', 'Product Viewed', seconds, { product_id: 'p1', category: 'lips' })),
      did('d.a', 'Product Viewed', 30, { product_id: 'p2', value: '12.5', currency: 'EUR' }),
      did('d.a', 'Ad Impression', 10 * DAY, { campaign: 'c1', placement: 'top', device_class: 'mobile' }),
      did('d.bot', 'Page Viewed', 60, { is_bot: true }),
      did('d.unasked', 'Page Viewed', 60, { purposes: ['storage', 'measurement'] }),
    ]);
    await lake.run([...INGEST, ...FEATURES]);
    expect(await featuresOf('d.a')).toEqual([
      'campaign Ad Impression:c1',
      'category Product Viewed:lips',
      'category_often Product Viewed:lips',
      'count Ad Impression:1',
      'count Product Viewed:4+',
      'days_since Ad Impression:8-30',
      'days_since Product Viewed:0-1',
      'device Ad Impression:mobile',
      'placement Ad Impression:top',
      'product Product Viewed:p1',
      'product Product Viewed:p2',
      'product_often Product Viewed:p1',
      'value Product Viewed:EUR 0-24',
    ]);
    expect(await lake.rows("SELECT * FROM features WHERE profile_id <> 'd.a'")).toEqual([]);
  });

  it("have an order's products from its lines, and count it once", async () => {
    const products = JSON.stringify([
      { product_id: 'p1', category: 'lips', quantity: 2 },
      { product_id: 'p2', category: 'face', quantity: 1 },
    ]);
    await lake.land([
      did('d.a', 'Order Completed', 60, { value: '120', currency: 'EUR', product_id: 'x', properties: { products } }),
      did('d.b', 'Order Completed', 60, { product_id: 'p3' }),
    ]);
    await lake.run([...INGEST, ...FEATURES]);
    expect(await featuresOf('d.a')).toEqual([
      'category Order Completed:face',
      'category Order Completed:lips',
      'count Order Completed:1',
      'days_since Order Completed:0-1',
      'product Order Completed:p1',
      'product Order Completed:p2',
      'value Order Completed:EUR 100-499',
    ]);
    expect(await featuresOf('d.b')).toContain('product Order Completed:p3');
  });

  it('go with the window, move with a link, and end with a withdrawal of the device or of its person', async () => {
    await lake.land([did('d.a', 'Page Viewed', 60), did('d.b', 'Page Viewed', 60), did('d.c', 'Page Viewed', 60)]);
    await lake.run([...INGEST, ...FEATURES]);
    const profiles = async () =>
      (await lake.rows('SELECT DISTINCT profile_id FROM features ORDER BY 1')).map((row) => row.profile_id);
    expect(await profiles()).toEqual(['d.a', 'd.b', 'd.c']);
    await lake.land([
      link({ device_id: 'd.a' }),
      link({ device_id: 'd.b', person_id: 'p.k1.two' }),
      consent({ receipt_id: 'r1', subject: 'p.k1.two', withdrawn: ['profile'], given_at: ago(1) }),
      consent({ receipt_id: 'r2', subject: 'd.c', withdrawn: ['storage'], given_at: ago(1) }),
    ]);
    await lake.run([...INGEST, ...FEATURES]);
    expect(await profiles()).toEqual(['p.k1.one']);
    await lake.run(FEATURES, new Date(AS_OF.getTime() + 91 * DAY_MS), AS_OF);
    expect(await profiles()).toEqual([]);
  });
});

it('counts a day that a withdrawal and a new grant cut in three to the millisecond', async () => {
  const choice = (receipt_id: string, seconds: number, what: 'granted' | 'withdrawn') =>
    consent({ receipt_id, subject: 'd.a', [what]: ['storage', 'profile'], given_at: ago(seconds) });
  await lake.land([
    did('d.a', 'Page Viewed', 301),
    choice('r1', 300, 'withdrawn'),
    did('d.a', 'Page Viewed', 250),
    choice('r2', 200, 'granted'),
    did('d.a', 'Page Viewed', 200),
  ]);
  await lake.run([...INGEST, ...FEATURES]);
  expect(await featuresOf('d.a')).toEqual(['count Page Viewed:1', 'days_since Page Viewed:0-1']);
});

describe('profile_features', () => {
  it('says in one row what a profile has done, bought and likes', async () => {
    const paid = (value: string, currency = 'EUR') => ({ value, currency, product_id: 'p1', category: 'lips' });
    await lake.land([
      did('d.a', 'Ad Impression', 3 * DAY, { campaign: 'c1', placement: 'top' }),
      did('d.a', 'Ad Clicked', 3 * DAY, { campaign: 'c2', placement: 'top' }),
      did('d.a', 'Product Viewed', 2 * DAY, { product_id: 'p2', category: 'face', device_class: 'mobile' }),
      did('d.a', 'Product Viewed', 2 * DAY - 1, { product_id: 'p2', category: 'face', device_class: 'desktop' }),
      did('d.a', 'Order Completed', DAY, paid('50')),
      did('d.a', 'Order Completed', 3600, paid('30.25')),
      did('d.a', 'Order Refunded', 60, paid('-10')),
      did('d.a', 'Order Completed', 60, paid('900', 'GBP')),
      did('d.seen', 'Ad Impression', 60),
    ]);
    await lake.run([...INGEST, ...FEATURES]);
    const [row] = await lake.rows("SELECT * FROM profile_features WHERE profile_id = 'd.a'");
    expect(row).toEqual({
      profile_id: 'd.a',
      first_seen_on: '2026-11-21',
      last_seen_on: '2026-11-24',
      days_since_seen: '0',
      active_days: '4',
      impressions: '1',
      clicks: '1',
      page_views: '0',
      product_views: '2',
      adds: '0',
      orders: '3',
      mails_opened: '0',
      mails_clicked: '0',
      days_since_mail: null,
      funnel_step: '5',
      first_order_on: '2026-11-23',
      last_order_on: '2026-11-24',
      days_since_order: '0',
      orders_year: '3',
      order_value: '70.2500',
      order_currency: 'EUR',
      top_product: 'p1',
      top_category: 'lips',
      top_campaign: 'c1',
      top_placement: 'top',
      top_device: 'desktop',
    });
    expect(
      await lake.rows("SELECT funnel_step, order_value FROM profile_features WHERE profile_id = 'd.seen'"),
    ).toEqual([{ funnel_step: '1', order_value: null }]);
  });
});

/** What a run leaves behind, row by row. */
const MADE = ['features', 'profile_features', 'profile_purposes', 'profile_history'];
const made = async (): Promise<Record<string, string[]>> =>
  Object.fromEntries(
    await Promise.all(
      MADE.map(async (table) => [
        table,
        (await lake.rows(`SELECT * FROM ${table}`)).map((r) => JSON.stringify(r)).sort(),
      ]),
    ),
  );

/** A day's records: events that come late and twice, links that begin and end, withdrawals, new grants, objections. */
function recordsOf(day: number, next: Chance): StreamRecord[] {
  const start = AS_OF.getTime() + day * DAY_MS;
  const device = () => `d.${next.below(40)}`;
  const person = () => `p.k1.${next.below(8)}`;
  const received = () => start - next.below(8 * DAY_MS);
  const one = (): StreamRecord => {
    const received_at = received();
    const at = {
      event_id: `n${next.below(1_000_000)}`,
      received_at,
      occurred_at: received_at - next.below(6 * DAY_MS),
    };
    switch (next.below(16)) {
      case 0:
        return link({
          device_id: device(),
          person_id: person(),
          since: received(),
          receipt_id: `l${next.below(99_999)}`,
        });
      case 1:
        return link({
          device_id: 'd.1',
          person_id: 'p.k1.1',
          since: AS_OF.getTime(),
          receipt_id: 'l',
          removed_at: received(),
        });
      case 2:
      case 3: {
        const purposes = next.pick([['profile'], ['storage'], ['email_tracking'], ['personalisation'], ['activation']]);
        return consent({
          receipt_id: `r${next.below(1_000_000)}`,
          subject: next.pick([`d.${next.below(8)}`, 'p.k1.0', 'p.k1.1']),
          given_at: received(),
          [next.pick(['withdrawn', 'granted'])]: purposes as EventRecord['purposes'],
        });
      }
      case 4:
        return next.below(4) === 0
          ? right({ subject_hash: `h${next.below(99)}` })
          : event({ ...at, device_id: device() });
      case 5:
        return serverEvent({ ...at, person_id: person(), event: 'Order Completed', value: '12.5', currency: 'EUR' });
      default:
        return event({
          ...at,
          device_id: device(),
          event: next.pick(['Page Viewed', 'Product Viewed', 'Email Opened', 'Order Completed']),
          product_id: next.pick(['p1', 'p2']),
          campaign: next.pick(['c1', 'c2']),
          purposes: next.pick<EventRecord['purposes']>([
            ['storage', 'measurement', 'profile'],
            ['storage', 'measurement', 'profile', 'email_tracking', 'personalisation', 'activation'],
            ['storage', 'measurement'],
          ]),
        });
    }
  };
  const some = Array.from({ length: 120 }, one);
  return [...some, ...some.slice(0, 5)];
}

/** Days between two runs, so that days close in between, and some run comes late. */
const GAPS = [3, 1, 1, 6, 1, 8, 1];

const LONG_MS = 240_000;

describe('history, run by run', () => {
  it.each([1, 2, 3])(
    'leaves what one run over everything makes, whatever comes late, is linked or is withdrawn: seed %s',
    async (seed) => {
      const next = chanceOf(seed);
      let day = 0;
      let before: Date | undefined;
      for (const gap of GAPS) {
        day += gap;
        const asOf = new Date(AS_OF.getTime() + day * DAY_MS);
        await lake.land(recordsOf(day, next), undefined, undefined, asOf.getTime() - next.below(6 * DAY_MS));
        await lake.run([...INGEST, ...FEATURES], asOf, before);
        before = asOf;
      }
      const found = await made();
      for (const table of ['profile_days', 'profile_subjects', 'features', 'profile_features', 'profile_purposes'])
        await lake.rows(`DELETE FROM ${table}`);
      await lake.run(FEATURES, before);
      for (const [table, rows] of Object.entries(await made())) {
        expect(rows.length).toBeGreaterThan(5);
        expect({ [table]: found[table] }).toEqual({ [table]: rows });
      }
    },
    LONG_MS,
  );

  it('goes back to an earlier time and forward again', async () => {
    await lake.land([did('d.a', 'Page Viewed', 3 * DAY), did('d.a', 'Product Viewed', 60)]);
    await lake.run([...INGEST, ...FEATURES]);
    const now = await made();
    const earlier = new Date(AS_OF.getTime() - 2 * DAY_MS);
    await lake.run(FEATURES, earlier, AS_OF);
    expect(await featuresOf('d.a')).toEqual(['count Page Viewed:1', 'days_since Page Viewed:0-1']);
    await lake.run(FEATURES, AS_OF, earlier);
    expect(await made()).toEqual(now);
  });

  it('reads no event from before the days that are open', async () => {
    const [old, open] = [OPEN_DAYS + 1, OPEN_DAYS];
    const received = (days: number) => ({ received_at: ago(days * DAY), occurred_at: ago(days * DAY) });
    await lake.rows(`INSERT INTO events BY NAME SELECT unnest(['old', 'open']) AS event_id, 'd.one' AS device_id,
      unnest(['Page Viewed', 'Product Viewed']) AS event, ['profile'] AS purposes, 'consent' AS basis,
      unnest([make_timestamp_ms(${received(old).received_at}), make_timestamp_ms(${received(open).received_at})])
        AS received_at, received_at AS occurred_at, CAST(received_at AS date) AS received_day`);
    await lake.run(FEATURES, AS_OF, AS_OF);
    const seen = 'SELECT event FROM profile_days';
    expect(await lake.rows(seen)).toEqual([{ event: 'Product Viewed' }]);
    // After an outage the days since the last run are read, too.
    await lake.run(FEATURES, AS_OF, new Date(AS_OF.getTime() - 2 * DAY_MS));
    expect(await lake.rows(`${seen} ORDER BY 1`)).toEqual([{ event: 'Page Viewed' }, { event: 'Product Viewed' }]);
  });
});
