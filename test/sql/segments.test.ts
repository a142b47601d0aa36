import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../domain/config.ts';
import { MINIMUM_SEGMENT_SIZE } from '../../domain/minimum-size.ts';
import type { EventRecord } from '../../domain/stream-record.ts';
import demo from '../../paula.config.ts';
import {
  AS_OF,
  ago,
  consent,
  did,
  erasure,
  FEATURES,
  type FixtureLake,
  INGEST,
  link,
  openFixtureLake,
  QUIET_SECONDS,
  right,
  VIEWS,
} from './fixture-lake.ts';

let lake: FixtureLake;
beforeEach(async () => {
  lake = await openFixtureLake();
});
afterEach(() => lake.close());

const DAY = 86_400;

/** The same lake where two members are enough to leave the house. */
const smallSegments = async (from: FixtureLake): Promise<FixtureLake> => {
  const reopened = await from.reopen(parseConfig({ ...demo, minimumSegmentSize: 2 }));
  await reopened.run(VIEWS);
  return reopened;
};

const members = async (segment: string): Promise<unknown[]> => {
  await lake.run([...INGEST, ...FEATURES, `${segment}-members`]);
  const rows = await lake.rows(
    `SELECT profile_id FROM segment_members WHERE segment_id = '${segment}' AND left_at IS NULL ORDER BY profile_id`,
  );
  return rows.map((row) => row.profile_id);
};

describe('cart_abandoners', () => {
  it('are those whose last addition lies still and was not followed by an order', async () => {
    await lake.land([
      did('d.quiet', 'Product Added', QUIET_SECONDS),
      did('d.busy', 'Product Added', QUIET_SECONDS - 1),
      did('d.old', 'Product Added', 7 * DAY),
      did('d.recent', 'Product Added', 7 * DAY - 1),
      did('d.viewer', 'Product Viewed', 60),
      did('d.bought', 'Product Added', 120),
      did('d.bought', 'Order Completed', 60),
      did('d.again', 'Order Completed', 120),
      did('d.again', 'Product Added', 60),
      did('d.unasked', 'Product Added', 60, { purposes: ['storage', 'measurement'] }),
      did('d.withdrew', 'Product Added', 60),
      consent({ receipt_id: 'r1', subject: 'd.withdrew', withdrawn: ['profile'], given_at: ago(10) }),
    ]);
    expect(await members('cart_abandoners')).toEqual(['d.again', 'd.quiet', 'd.recent']);
  });

  it('sees the order that the same person made on another device', async () => {
    await lake.land([
      did('d.phone', 'Product Added', 600),
      did('d.laptop', 'Order Completed', 60),
      link({ device_id: 'd.phone' }),
      link({ device_id: 'd.laptop' }),
    ]);
    expect(await members('cart_abandoners')).toEqual([]);
  });
});

describe('buyers_30d', () => {
  const paid = (value: string, currency = 'EUR') => ({ value, currency });

  it('are those who ordered within 30 days and kept some of it, in any one currency', async () => {
    await lake.land([
      did('d.buyer', 'Order Completed', DAY, paid('10')),
      did('d.edge', 'Order Completed', 30 * DAY - 1, paid('10')),
      did('d.old', 'Order Completed', 30 * DAY, paid('10')),
      did('d.viewer', 'Product Viewed', DAY),
      did('d.returned', 'Order Completed', 2 * DAY, paid('10.01')),
      did('d.returned', 'Order Refunded', DAY, paid('-10.01')),
      did('d.partly', 'Order Completed', 2 * DAY, paid('10.01')),
      did('d.partly', 'Order Refunded', DAY, paid('-10')),
      did('d.cancelled', 'Order Completed', 2 * DAY, paid('10')),
      did('d.cancelled', 'Order Cancelled', DAY, paid('-10')),
      did('d.two-currencies', 'Order Completed', 2 * DAY, paid('10')),
      did('d.two-currencies', 'Order Refunded', DAY, paid('-20', 'GBP')),
      did('d.amountless', 'Order Completed', DAY),
      did('d.refund-only', 'Order Refunded', DAY, paid('-5')),
      did('d.tomorrow', 'Order Completed', -60, { ...paid('10'), received_at: ago(1) }),
    ]);
    expect(await members('buyers_30d')).toEqual(['d.amountless', 'd.buyer', 'd.edge', 'd.partly', 'd.two-currencies']);
  });
});

describe('membership', () => {
  const next = (minutes: number): Date => new Date(AS_OF.getTime() + minutes * 60_000);
  const stored = () => lake.rows('SELECT profile_id, entered_at, left_at FROM segment_members ORDER BY profile_id');
  const run = (asOf: Date, ...steps: string[]) =>
    lake.run([...INGEST, ...FEATURES, ...steps.map((step) => `cart_abandoners-${step}`)], asOf);

  it('writes who comes and who goes, leaves who stays, and takes back who returns', async () => {
    await lake.land([did('d.a', 'Product Added', 60), did('d.b', 'Product Added', 60)]);
    await run(AS_OF, 'members');
    await lake.land([did('d.a', 'Order Completed', 30)]);
    await run(next(1), 'members');
    expect(await stored()).toEqual([
      { profile_id: 'd.a', entered_at: '2026-11-24 12:00:00', left_at: '2026-11-24 12:01:00' },
      { profile_id: 'd.b', entered_at: '2026-11-24 12:00:00', left_at: null },
    ]);
    await lake.land([did('d.a', 'Product Added', -60)]);
    await run(next(2), 'members');
    expect(await stored()).toEqual([
      { profile_id: 'd.a', entered_at: '2026-11-24 12:02:00', left_at: null },
      { profile_id: 'd.b', entered_at: '2026-11-24 12:00:00', left_at: null },
    ]);
  });

  it('hands on every change since the last one that was published, and nothing twice', async () => {
    await lake.land([did('d.a', 'Product Added', 60), did('d.b', 'Product Added', 60)]);
    await run(AS_OF, 'members');
    const both = [
      { profile_id: 'd.a', entered: true, activation: false },
      { profile_id: 'd.b', entered: true, activation: false },
    ];
    const difference = async () =>
      (await lake.unloaded('cart_abandoners-difference')).sort((a, b) =>
        String(a.profile_id) < String(b.profile_id) ? -1 : 1,
      );
    expect(await difference()).toEqual(both);
    // The run ended before it published; the next one has more to hand on.
    await lake.land([did('d.a', 'Order Completed', 30), did('d.c', 'Product Added', 30)]);
    await run(next(1), 'members');
    expect(await difference()).toEqual([
      { profile_id: 'd.a', entered: false, activation: false },
      { profile_id: 'd.b', entered: true, activation: false },
      { profile_id: 'd.c', entered: true, activation: false },
    ]);
    await run(next(1), 'history', 'history');
    expect(await difference()).toEqual([]);
    expect(await lake.rows('SELECT size, entered, left_count FROM audience_history')).toEqual([
      { size: '2', entered: '2', left_count: '1' },
    ]);
  });

  it("says whether an entry may leave the house: by the last event's purposes, until they are withdrawn", async () => {
    lake = await smallSegments(lake);
    const purposes: EventRecord['purposes'] = ['storage', 'measurement', 'profile', 'activation'];
    await lake.land([
      did('d.granted', 'Product Added', 60, { purposes }),
      did('d.never', 'Product Added', 60),
      did('d.no-longer', 'Product Added', 90, { purposes }),
      did('d.no-longer', 'Page Viewed', 60),
      // Two of one request: what may not leave wins, whichever an engine meets first.
      did('d.at-once', 'Product Added', 60, { purposes }),
      did('d.at-once', 'Page Viewed', 60),
      did('d.at-once-too', 'Page Viewed', 60),
      did('d.at-once-too', 'Product Added', 60, { purposes }),
      did('d.withdrew', 'Product Added', 60, { purposes }),
      consent({ receipt_id: 'r1', subject: 'd.withdrew', withdrawn: ['activation'], given_at: ago(10) }),
      did('d.person-withdrew', 'Product Added', 60, { purposes }),
      link({ device_id: 'd.person-withdrew', person_id: 'p.k1.two' }),
      consent({ receipt_id: 'r2', subject: 'p.k1.two', withdrawn: ['activation'], given_at: ago(10) }),
    ]);
    await run(AS_OF, 'members');
    const allowed = (await lake.unloaded('cart_abandoners-difference')).filter((row) => row.activation);
    expect(allowed.map((row) => row.profile_id)).toEqual(['d.granted']);
  });

  it('lets nobody leave the house below the minimum size, and everybody in the run that reaches it', async () => {
    const purposes: EventRecord['purposes'] = ['storage', 'measurement', 'profile', 'activation'];
    const some = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => did(`d.${from + i}`, 'Product Added', 60, { purposes }));
    const allowed = async () =>
      (await lake.unloaded('cart_abandoners-difference')).filter((row) => row.activation).length;
    await lake.land(some(0, MINIMUM_SEGMENT_SIZE - 1));
    await run(AS_OF, 'members');
    expect(await allowed()).toBe(0);
    await run(AS_OF, 'history');
    await lake.land(some(MINIMUM_SEGMENT_SIZE - 1, MINIMUM_SEGMENT_SIZE));
    await run(next(1), 'members');
    expect(await allowed()).toBe(MINIMUM_SEGMENT_SIZE);
    await run(next(1), 'history');
    await lake.land(some(MINIMUM_SEGMENT_SIZE, MINIMUM_SEGMENT_SIZE + 1));
    await run(next(2), 'members');
    expect(await allowed()).toBe(1);
  });
});

describe('the gate of every segment', () => {
  const hashOf = (id: string): string => createHash('sha256').update(`salt${id}`).digest('hex');
  /** All who are in `cart_abandoners` but for the gate. */
  const abandoned = (device: string, purposes: EventRecord['purposes'] = PROFILED) =>
    did(device, 'Product Added', 60, { purposes });
  const PROFILED: EventRecord['purposes'] = ['storage', 'measurement', 'profile'];

  it('lets in nobody who objected or was erased, and lets out who withdraws, without the segment being built', async () => {
    await lake.land([
      abandoned('d.stays'),
      abandoned('d.objects'),
      abandoned('d.erased'),
      abandoned('d.leaves'),
      abandoned('d.linked'),
      link({ device_id: 'd.linked', person_id: 'p.k1.two' }),
    ]);
    expect(await members('cart_abandoners')).toEqual(['d.erased', 'd.leaves', 'd.objects', 'd.stays', 'p.k1.two']);
    await lake.land([
      right({ subject_hash: hashOf('d.objects') }),
      right({ subject_hash: hashOf('p.k1.two') }),
      erasure(hashOf('d.erased'), AS_OF.getTime(), 'salt'),
      consent({ receipt_id: 'r1', subject: 'd.leaves', withdrawn: ['profile'], given_at: ago(1) }),
    ]);
    await lake.run([...INGEST, ...FEATURES, 'gate'], new Date(AS_OF.getTime() + 1000));
    const left = 'SELECT profile_id FROM segment_members WHERE left_at IS NULL';
    expect(await lake.rows(left)).toEqual([{ profile_id: 'd.stays' }]);
  });

  const open = async (purpose: string, asOf = AS_OF): Promise<unknown[]> => {
    await lake.run([...INGEST, ...FEATURES], asOf);
    const rows = await lake.rows(
      `SELECT profile_id FROM profile_purposes WHERE purpose = '${purpose}'
         AND expires_at > TIMESTAMP '${asOf.toISOString().slice(0, 19).replace('T', ' ')}' ORDER BY 1`,
    );
    return rows.map((row) => row.profile_id);
  };

  it('opens personalisation by a receipt until it expires, is replaced or withdrawn, else by the last event', async () => {
    const granted: EventRecord['purposes'] = ['storage', 'profile', 'personalisation'];
    const carries = { purposes: ['storage', 'measurement', ...granted.slice(1)] as EventRecord['purposes'] };
    await lake.land([
      did('d.receipt', 'Page Viewed', 60),
      consent({ receipt_id: 'r1', subject: 'd.receipt', granted }),
      did('d.expired', 'Page Viewed', 60, carries),
      consent({ receipt_id: 'r2', subject: 'd.expired', granted, expires_at: ago(10) }),
      did('d.replaced', 'Page Viewed', 60),
      consent({ receipt_id: 'r3', subject: 'd.replaced', granted, given_at: ago(100) }),
      consent({ receipt_id: 'r4', subject: 'd.replaced', granted: ['storage'], given_at: ago(50) }),
      did('d.withdrew', 'Page Viewed', 60, carries),
      consent({ receipt_id: 'r5', subject: 'd.withdrew', withdrawn: ['personalisation'], given_at: ago(50) }),
      did('d.carried', 'Page Viewed', 60, carries),
      did('d.no-longer', 'Page Viewed', 60, carries),
      did('d.no-longer', 'Page Viewed', 50),
      did('d.never', 'Page Viewed', 60),
      // What the string of one site said is not taken back by the string of another.
      did('d.string', 'Page Viewed', 60),
      consent({ receipt_id: 'r6', subject: 'd.string', granted, method: 'tcf', site: 'shop', given_at: ago(40) }),
      consent({ receipt_id: 'r7', subject: 'd.string', granted: [], method: 'tcf', site: 'portal', given_at: ago(30) }),
      did('d.string-no-more', 'Page Viewed', 60),
      consent({ receipt_id: 'r8', subject: 'd.string-no-more', granted, method: 'tcf', given_at: ago(40) }),
      consent({ receipt_id: 'r9', subject: 'd.string-no-more', granted: [], method: 'tcf', given_at: ago(30) }),
    ]);
    expect(await open('personalisation')).toEqual(['d.carried', 'd.receipt', 'd.string']);
  });

  it("closes a purpose for the person where one of its devices has withdrawn it, and opens it by another's receipt", async () => {
    const granted: EventRecord['purposes'] = ['storage', 'profile', 'personalisation'];
    await lake.land([
      did('d.phone', 'Page Viewed', 60),
      did('d.laptop', 'Page Viewed', 60),
      link({ device_id: 'd.phone' }),
      link({ device_id: 'd.laptop' }),
      consent({ receipt_id: 'r1', subject: 'd.phone', granted }),
    ]);
    expect(await open('personalisation')).toEqual(['p.k1.one']);
    await lake.land([
      consent({ receipt_id: 'r2', subject: 'd.laptop', withdrawn: ['personalisation'], given_at: ago(5) }),
    ]);
    expect(await open('personalisation')).toEqual([]);
  });

  it('opens mail by a permission alone, and activation only while the last event carried it', async () => {
    const all: EventRecord['purposes'] = ['storage', 'measurement', 'profile', 'activation', 'email'];
    const mail = { email_permission: 'existing_customer' as const };
    await lake.land([
      did('d.a', 'Page Viewed', 60, { purposes: all }),
      consent({ receipt_id: 'r1', subject: 'd.a', granted: all, ...mail }),
      did('d.b', 'Page Viewed', 60),
      consent({ receipt_id: 'r2', subject: 'd.b', granted: all }),
      did('d.c', 'Page Viewed', 60, { purposes: all }),
    ]);
    expect(await open('email')).toEqual(['d.a']);
    expect(await open('activation')).toEqual(['d.a', 'd.c']);
    expect(await open('activation', new Date(AS_OF.getTime() + 91 * DAY * 1000))).toEqual([]);
  });
});

describe('the library', () => {
  const paid = (value: string, product = 'cream-50') => ({
    value,
    currency: 'EUR',
    product_id: product,
    category: 'face',
  });

  it('category_browsers: three views of one category and no order of it', async () => {
    const look = (device: string, days: number, category = 'face') =>
      did(device, 'Product Viewed', days * DAY + 60, { category, product_id: 'p' });
    await lake.land([
      ...[1, 2, 3].map((n) => look('d.browser', n)),
      ...[1, 2].map((n) => look('d.few', n)),
      look('d.few', 3, 'hair'),
      ...[1, 2, 3].map((n) => look('d.buyer', n)),
      did('d.buyer', 'Order Completed', 60, paid('10')),
      ...[1, 2, 3].map((n) => look('d.other-buyer', n, 'hair')),
      did('d.other-buyer', 'Order Completed', 60, paid('10')),
      ...[14, 15, 16].map((n) => look('d.old', n)),
    ]);
    expect(await members('category_browsers')).toEqual(['d.browser', 'd.other-buyer']);
  });

  it('buyers_serum_30: whose pieces of it have not all come back', async () => {
    const lines = (quantity: number) => ({
      properties: {
        products: JSON.stringify([
          { product_id: 'serum-30', quantity },
          { product_id: 'x', quantity: 1 },
        ]),
      },
    });
    await lake.land([
      did('d.line', 'Order Completed', DAY, lines(2)),
      did('d.plain', 'Order Completed', DAY, { product_id: 'serum-30' }),
      did('d.other', 'Order Completed', DAY, { product_id: 'cream-50' }),
      did('d.returned', 'Order Completed', DAY, lines(2)),
      did('d.returned', 'Order Refunded', 60, lines(-2)),
      did('d.partly', 'Order Completed', DAY, lines(2)),
      did('d.partly', 'Order Refunded', 60, lines(-1)),
      did('d.viewer', 'Product Viewed', DAY, { product_id: 'serum-30' }),
    ]);
    expect(await members('buyers_serum_30')).toEqual(['d.line', 'd.partly', 'd.plain']);
  });

  it('repeat_buyers, new_customers and lapsed_buyers: by the number and the age of orders', async () => {
    const order = (device: string, days: number) => {
      const occurred_at = ago(days * DAY + 60);
      return did(device, 'Order Completed', 0, { ...paid('10'), occurred_at, received_at: occurred_at });
    };
    await lake.rows(`INSERT INTO events BY NAME SELECT
      unnest(['h1', 'h2', 'h3']) AS event_id, unnest(['d.lapsed', 'd.returned', 'd.gone']) AS device_id,
      'Order Completed' AS event, ['storage', 'measurement', 'profile'] AS purposes, 'consent' AS basis, false AS is_bot,
      unnest([TIMESTAMP '2026-08-01 00:00:00', TIMESTAMP '2026-08-01 00:00:00', TIMESTAMP '2025-11-01 00:00:00'])
        AS occurred_at,
      occurred_at AS received_at, CAST(occurred_at AS date) AS received_day`);
    await lake.land([order('d.new', 1), order('d.twice', 1), order('d.twice', 2), order('d.returned', 1)]);
    expect(await members('repeat_buyers')).toEqual(['d.returned', 'd.twice']);
    expect(await members('new_customers')).toEqual(['d.new', 'd.twice']);
    expect(await members('lapsed_buyers')).toEqual(['d.lapsed']);
  });

  it('high_value: who ordered lately and twice and is in the best fifth by value, in each currency', async () => {
    const orders = (device: string, value: string, currency = 'EUR', times = 2) =>
      Array.from({ length: times }, (_, i) => did(device, 'Order Completed', (i + 1) * DAY, { value, currency }));
    await lake.land([
      ...orders('d.best', '100'),
      ...[1, 2, 3, 4].flatMap((n) => orders(`d.${n}`, String(n))),
      ...orders('d.once', '500', 'GBP', 1),
      ...[1, 2, 3, 4].flatMap((n) => orders(`d.gb${n}`, String(n), 'GBP')),
    ]);
    expect(await members('high_value')).toEqual(['d.best']);
  });

  it('campaign_responders and frequency_capped: clicks and views of one campaign', async () => {
    const seen = (device: string, n: number, campaign: string) =>
      Array.from({ length: n }, (_, i) => did(device, 'Ad Impression', 60 + i, { campaign }));
    await lake.land([
      did('d.click', 'Ad Clicked', DAY, { campaign: 'c1' }),
      did('d.nameless', 'Ad Clicked', DAY),
      ...seen('d.often', 10, 'c1'),
      ...seen('d.nine', 9, 'c1'),
      ...seen('d.nine', 9, 'c2'),
    ]);
    expect(await members('campaign_responders')).toEqual(['d.click']);
    expect(await members('frequency_capped')).toEqual(['d.often']);
  });

  it('mail_engaged: by mail events of those alone whose receipt allows that they are counted', async () => {
    const purposes: EventRecord['purposes'] = ['storage', 'measurement', 'profile', 'email_tracking'];
    const allowed = (subject: string, over = {}) =>
      consent({ receipt_id: `r-${subject}`, subject, granted: purposes, ...over });
    const opened = (device: string, times: number, over: Partial<EventRecord> = { purposes }) =>
      Array.from({ length: times }, (_, i) => did(device, 'Email Opened', 100 + i, over));
    await lake.land([
      did('d.clicked', 'Email Link Clicked', 60, { purposes }),
      allowed('d.clicked'),
      ...opened('d.thrice', 3),
      allowed('d.thrice'),
      ...opened('d.twice', 2),
      allowed('d.twice'),
      ...opened('d.untracked', 3, {}),
      allowed('d.untracked'),
      ...opened('d.no-receipt', 3),
      ...opened('d.withdrew', 3),
      allowed('d.withdrew', { given_at: ago(500) }),
      consent({ receipt_id: 'w', subject: 'd.withdrew', withdrawn: ['email_tracking'], given_at: ago(10) }),
    ]);
    expect(await members('mail_engaged')).toEqual(['d.clicked', 'd.thrice']);
    const withdrawn = await lake.rows("SELECT * FROM features WHERE profile_id = 'd.withdrew'");
    expect(withdrawn).toEqual([]);
  });
});
