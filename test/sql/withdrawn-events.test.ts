import { afterEach, describe, expect, it } from '@jest/globals';
import { admit } from '../../domain/admit.ts';
import { type PaulaConfig, stageOf } from '../../domain/config.ts';
import { buildErasure } from '../../domain/erasure.ts';
import { withKeptFields } from '../../domain/kept-fields.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { literalsOf } from '../../domain/plan.ts';
import { type Channel, opens, PURPOSES, type Purpose } from '../../domain/purposes.ts';
import { readSegmentMessage, sentOf } from '../../domain/segment-message.ts';
import { outsideSubset } from '../../domain/sql-subset.ts';
import type { EventRecord } from '../../domain/stream-record.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { userAgentReader } from '../../lambdas/adapters/user-agent.ts';
import demo from '../../paula.config.ts';
import { readErasureTexts } from '../../sql/erasure-texts.ts';
import {
  AS_OF,
  at,
  consent,
  event,
  FEATURES,
  type FixtureLake,
  INGEST,
  link,
  openFixtureLake,
  serverEvent,
  VIEWS,
} from './fixture-lake.ts';

/** The demo's plan with fields of the brand's own: two with a column, and each under a purpose of its own. */
const own = { type: 'text', maxLength: 100, column: false } as const;
const orderPlan = demo.trackingPlan.events['Order Completed'] ?? { fields: [], required: [] };
const config: PaulaConfig = {
  ...demo,
  trackingPlan: {
    fields: {
      ...demo.trackingPlan.fields,
      skin_type: { ...own, purposes: ['profile'] },
      loyalty: { ...own, purposes: ['personalisation'], column: true },
      visits: { ...own, type: 'integer', purposes: ['measurement', 'activation'], column: true },
      shade: { ...own, purposes: ['activation'] },
    },
    events: {
      ...demo.trackingPlan.events,
      'Order Completed': { ...orderPlan, fields: [...orderPlan.fields, 'skin_type', 'loyalty', 'visits', 'shade'] },
    },
  },
};
const BEFORE = at('2026-11-24T10:00:00');
const WITHDRAWN_AT = at('2026-11-24T11:00:00');

/** Two lakes are filled and a machine may be busy. */
const LONG_MS = 120_000;

const open: FixtureLake[] = [];
afterEach(() => {
  for (const lake of open.splice(0)) lake.close();
});

async function lakeOf(of: PaulaConfig): Promise<FixtureLake> {
  const lake = await openFixtureLake(of);
  open.push(lake);
  await lake.run(VIEWS);
  return lake;
}

async function maintain(lake: FixtureLake, of: PaulaConfig): Promise<void> {
  const steps = buildErasure({ config: of, stage: stageOf(of, 'local'), bucket: 'lake', ...readErasureTexts(of) });
  const step = steps.find(({ id }) => id === 'erase-withdrawn');
  if (step?.kind !== 'statement') throw new Error('the job has no statement for withdrawals');
  await lake.rows(bindPlaceholders(step.sql, literalsOf(step.parameters, AS_OF)));
}

const ids = async (lake: FixtureLake, table = 'events'): Promise<unknown[]> =>
  (await lake.rows(`SELECT event_id FROM ${table} ORDER BY 1`)).map(({ event_id }) => event_id);

const deps = {
  plan: compileTrackingPlan(config),
  eventId: (text: string) => hashes.hmac(text, 'A'.repeat(43)),
  readUserAgent: userAgentReader(),
};

/** An order with every field, as the door admits it under the purposes. */
function admitted(n: number, channel: Channel, granted: readonly Purpose[]): EventRecord {
  const read = readSegmentMessage(
    {
      event: 'Order Completed',
      messageId: `order-${n}`,
      properties: {
        order_id: `o-${n}`,
        product_id: 'SKU-1',
        category: 'face',
        quantity: 2,
        revenue: 12.5,
        currency: 'EUR',
        coupon: 'SPRING',
        campaign: 'spring',
        skin_type: 'dry',
        loyalty: 'gold',
        visits: 7,
        shade: 'coral',
        products: [{ product_id: 'SKU-1', quantity: 2 }],
      },
      context: {
        page: {
          url: 'https://www.lindenblatt.example/p/1?utm_source=portal&gclid=abc',
          referrer: 'https://a.example/',
        },
      },
    },
    'track',
  );
  if ('issues' in read) throw new Error(JSON.stringify(read.issues));
  const sent = sentOf(read.message, { name: 'shop_backend', config: { kind: 'server', site: 'shop' } }, undefined);
  const admission = admit(
    { ...sent, channel },
    {
      receivedAt: BEFORE,
      requestId: `r-${n}`,
      position: 0,
      ...(channel === 'browser' ? { deviceId: `d.${n}` } : { personId: `p.k1.${n}` }),
      granted,
      country: 'DE',
    },
    deps,
  );
  if (admission.outcome !== 'accepted') throw new Error(JSON.stringify(admission));
  return admission.record;
}

/** Every set of these purposes. */
const subsets = (purposes: readonly Purpose[]): Purpose[][] =>
  Array.from({ length: 2 ** purposes.length }, (_, bits) => purposes.filter((_, i) => bits & (1 << i)));

/** What opens rows and profiles, and two purposes that open nothing and have fields of their own. */
const VARIED: readonly Purpose[] = ['storage', 'measurement', 'profile', 'personalisation', 'activation'];

describe('a withdrawal', () => {
  it(
    'leaves of each row what the door would have kept under the purposes that still live, by the tracking plan',
    async () => {
      const cut = await lakeOf(config);
      const expected = await lakeOf(config);
      const rows: EventRecord[] = [];
      const receipts = [];
      const left: EventRecord[] = [];
      for (const channel of ['browser', 'server'] as const)
        for (const granted of subsets([...VARIED, 'email'])) {
          if (!opens(granted, channel).lake) continue;
          for (const withdrawn of subsets(VARIED)) {
            const n = rows.length;
            rows.push(admitted(n, channel, granted));
            const subject = channel === 'browser' ? `d.${n}` : `p.k1.${n}`;
            receipts.push(consent({ receipt_id: `c-${n}`, subject, withdrawn, given_at: WITHDRAWN_AT }));
            const live = granted.filter((purpose) => !withdrawn.includes(purpose));
            if (opens(live, channel).lake) left.push(admitted(n, channel, live));
          }
        }
      // 16 sets open a browser's row and 32 a server's; each meets 32 withdrawals.
      expect([rows.length, left.length]).toEqual([1536, 640]);
      await cut.land(rows);
      await cut.run(INGEST);
      await cut.land(receipts);
      await cut.run(['ingest-consents']);
      await expected.land(left);
      await expected.run(INGEST);
      /** The keys of a map have no order. */
      const content = async (lake: FixtureLake) =>
        (await lake.rows('SELECT * EXCLUDE (shard, sequence_number) FROM events ORDER BY event_id')).map((row) => ({
          ...row,
          properties: (row.properties as { key: string }[]).sort((a, b) => (a.key < b.key ? -1 : 1)),
        }));
      const wanted = await content(expected);
      for (let twice = 0; twice < 2; twice++) {
        await maintain(cut, config);
        expect(await content(cut)).toEqual(wanted);
      }
      // What maintenance took out does not come back from landing.
      await cut.run(INGEST);
      expect(await ids(cut)).toHaveLength(left.length);
    },
    LONG_MS,
  );

  it(
    'reaches rows from before it and those that an old cookie brought since, and none under a later receipt or of others',
    async () => {
      const lake = await lakeOf(demo);
      const time = (minute: number) => at(`2026-11-24T10:${String(minute).padStart(2, '0')}:00`);
      const row = (event_id: string, minute: number, over = {}) =>
        event({ event_id, received_at: time(minute), ...over });
      const properties = { skin_type: 'dry', coupon: 'SPRING' };
      await lake.land([
        row('before', 0, { properties }),
        row('between', 20, { properties }),
        row('after', 40, { properties }),
        row('other', 0, { properties, device_id: 'd.two' }),
        row('linked', 0, { properties, device_id: 'd.three' }),
        link({ device_id: 'd.three' }),
        serverEvent({ event_id: 'person', received_at: time(0) }),
        serverEvent({ event_id: 'late', received_at: time(20) }),
      ]);
      await lake.run(INGEST);
      await lake.land([
        consent({ receipt_id: 'c1', withdrawn: ['profile'], given_at: time(10) }),
        consent({ receipt_id: 'c2', granted: ['storage', 'measurement', 'profile'], given_at: time(30) }),
        consent({ receipt_id: 'c3', subject: 'p.k1.one', withdrawn: [...PURPOSES], given_at: time(10) }),
      ]);
      await lake.run(['ingest-consents']);
      await maintain(lake, demo);
      const whole = { purposes: ['storage', 'measurement', 'profile'], skin_type: 'dry', coupon: 'SPRING' };
      const cut = { purposes: ['storage', 'measurement'], skin_type: null, coupon: 'SPRING' };
      expect(
        await lake.rows(`SELECT event_id, purposes, element_at(properties, 'skin_type') AS skin_type,
          element_at(properties, 'coupon') AS coupon FROM events ORDER BY 1`),
      ).toEqual([
        { event_id: 'after', ...whole },
        { event_id: 'before', ...cut },
        { event_id: 'between', ...cut },
        // The device has a choice of its own, and it stands.
        { event_id: 'linked', ...whole },
        { event_id: 'other', ...whole },
      ]);
    },
    LONG_MS,
  );

  it(
    'of the profile takes features and membership with the next run of the plan',
    async () => {
      const lake = await lakeOf(demo);
      const order = { event: 'Order Completed', currency: 'EUR', value: '10', category: 'face' };
      await lake.land([event({ event_id: 'e1', ...order }), event({ event_id: 'e2', device_id: 'd.two', ...order })]);
      await lake.run([...INGEST, ...FEATURES, 'gate', 'buyers_30d-members']);
      await lake.land([consent({ receipt_id: 'c1', withdrawn: ['profile'], given_at: WITHDRAWN_AT })]);
      const later = new Date(AS_OF.getTime() + 60_000);
      await lake.run([...INGEST, ...FEATURES, 'gate', 'buyers_30d-members'], later);
      expect(await lake.rows('SELECT DISTINCT profile_id FROM features')).toEqual([{ profile_id: 'd.two' }]);
      expect(
        await lake.rows('SELECT profile_id, left_at IS NULL AS member FROM segment_members ORDER BY profile_id'),
      ).toEqual([
        { profile_id: 'd.one', member: false },
        { profile_id: 'd.two', member: true },
      ]);
      // Measurement goes on, without what was kept for the profile alone.
      await maintain(lake, demo);
      expect(await lake.rows("SELECT purposes FROM events WHERE device_id = 'd.one'")).toEqual([
        { purposes: ['storage', 'measurement'] },
      ]);
    },
    LONG_MS,
  );
});

describe('the statement', () => {
  it('is inside the SQL subset once the plan has filled it', () => {
    const text = readErasureTexts(config).queries.find(({ file }) => file === 'erasure/withdrawn_events.sql');
    const sql = withKeptFields(text?.sql ?? '', config);
    expect(outsideSubset(sql, 1)).toEqual([]);
    expect(sql).toContain('CASE WHEN k.live_personalisation THEN k."loyalty" END');
    expect(() => withKeptFields('SELECT 1', config)).toThrow('the query has no');
  });
});
