import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  AS_OF,
  at,
  consent,
  erasure,
  event,
  type FixtureLake,
  INGEST,
  link,
  openFixtureLake,
  serverEvent,
} from './fixture-lake.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let lake: FixtureLake;
beforeEach(async () => {
  lake = await openFixtureLake();
});
afterEach(() => lake.close());

const eventIds = async (): Promise<unknown[]> =>
  (await lake.rows('SELECT event_id FROM events ORDER BY event_id')).map((row) => row.event_id);

describe('ingest of events', () => {
  it('carries every column over, amounts to the cent and times to the millisecond', async () => {
    const lines = '[{"product_id":"p1","quantity":2,"price":"9.99"}]';
    await lake.land([
      event({
        event_id: 'e1',
        event: 'Order Completed',
        occurred_at: at('2026-11-24T10:00:00.123'),
        received_at: at('2026-11-24T23:59:59.999'),
        time_clamped: true,
        quantity: -3,
        value: '-12345678901234.5678',
        currency: 'GBP',
        category: 'Größe / ✓',
        properties: { products: lines, coupon: "it's ? 5 %" },
      }),
    ]);
    await lake.run(INGEST);
    const [row] = await lake.rows('SELECT * FROM events');
    expect(row).toMatchObject({
      event_id: 'e1',
      schema_version: 1,
      occurred_at: '2026-11-24 10:00:00.123',
      received_at: '2026-11-24 23:59:59.999',
      received_day: '2026-11-24',
      time_clamped: true,
      device_id: 'd.one',
      person_id: null,
      quantity: '-3',
      value: '-12345678901234.5678',
      category: 'Größe / ✓',
      is_bot: false,
      bot_reason: null,
      purposes: ['storage', 'measurement', 'profile'],
      basis: 'consent',
      shard: 'shardId-000000000000',
      sequence_number: '0'.repeat(56),
      properties: [
        { key: 'products', value: lines },
        { key: 'coupon', value: "it's ? 5 %" },
      ],
    });
  });

  it('takes the first copy of an event id by receipt, then by shard and sequence number', async () => {
    await lake.land([event({ event_id: 'e1', received_at: at('2026-11-24T10:00:05'), site: 'portal' })], 7);
    await lake.land([event({ event_id: 'e1', received_at: at('2026-11-24T10:00:01') })], 9);
    await lake.run(INGEST);
    expect(await lake.rows('SELECT site, sequence_number FROM events')).toEqual([
      { site: 'shop', sequence_number: '9'.padStart(56, '0') },
    ]);
  });

  it('counts each event once however batches are cut and repeated, before and after a run', async () => {
    const cut = fc.tuple(fc.nat(11), fc.nat(11)).map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const);
    const cuts = fc.array(cut, { minLength: 1, maxLength: 4 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(cuts, cuts, async (first, then) => {
        const start = 100 * run++;
        const batch = Array.from({ length: 12 }, (_, i) => event({ event_id: `${run}-${i}` }));
        const landed = new Set<string>();
        const deliver = async (from: number, to: number): Promise<void> => {
          await lake.land(batch.slice(from, to), start + from);
          for (const { event_id } of batch.slice(from, to)) landed.add(event_id);
        };
        for (const [from, to] of first) await deliver(from, to);
        await lake.run(INGEST);
        for (const [from, to] of then) await deliver(from, to);
        await lake.run(INGEST);
        await lake.run(INGEST);
        const found = await lake.rows(`SELECT event_id FROM events WHERE event_id LIKE '${run}-%'`);
        expect(found.map((row) => row.event_id).sort()).toEqual([...landed].sort());
      }),
      { numRuns: 8 },
    );
  }, 60_000); // Two dozen runs of ingest, on a machine that may be busy.

  it('knows an event that came again just after midnight, when its first copy has left the window', async () => {
    await lake.land(
      [event({ event_id: 'e1', received_at: at('2026-11-24T23:59:59') })],
      1,
      's1',
      at('2026-11-24T23:59:59'),
    );
    await lake.land(
      [event({ event_id: 'e1', received_at: at('2026-11-25T00:00:01') })],
      2,
      's1',
      at('2026-11-25T00:00:01'),
    );
    await lake.run(INGEST, new Date('2026-11-25T01:00:00Z'));
    await lake.run(INGEST, new Date('2026-12-03T12:00:00Z'));
    expect(await eventIds()).toEqual(['e1']);
  });

  it('takes in what an outage of a week left in landing, and nothing that is older than the window', async () => {
    const week = at('2026-11-17T12:00:00');
    const month = at('2026-10-24T12:00:00');
    await lake.land([event({ event_id: 'week', received_at: week })], 1, 's1', week);
    await lake.land([event({ event_id: 'month', received_at: month })], 2, 's1', month);
    await lake.run(INGEST);
    expect(await eventIds()).toEqual(['week']);
  });

  it('leaves the stream position of an anonymous row behind', async () => {
    await lake.land([
      {
        kind: 'event',
        schema_version: 1,
        event_id: 'a1',
        source: 'web',
        site: 'shop',
        event: 'Page Viewed',
        occurred_at: at('2026-11-24T10:00:00'),
        received_at: at('2026-11-24T10:00:00'),
        is_bot: false,
        purposes: [],
        basis: 'anonymous',
      },
    ]);
    await lake.run(INGEST);
    expect(await lake.rows('SELECT sequence_number FROM landing_events')).toEqual([
      { sequence_number: '0'.repeat(56) },
    ]);
    expect(await lake.rows('SELECT event_id, shard, sequence_number, device_id FROM events')).toEqual([
      { event_id: 'a1', shard: null, sequence_number: null, device_id: null },
    ]);
    expect(await lake.rows('SELECT * FROM profile_events')).toEqual([]);
  });

  it('keeps out what was received before a withdrawal of measurement, or of storage on a device', async () => {
    const before = at('2026-11-24T08:00:00');
    const after = at('2026-11-24T10:00:00');
    await lake.land([
      event({ event_id: 'device-before', received_at: before }),
      event({ event_id: 'device-after', received_at: after }),
      event({ event_id: 'other-device', received_at: before, device_id: 'd.two' }),
      event({ event_id: 'profile-only', received_at: before, device_id: 'd.three' }),
      event({ event_id: 'storage', received_at: before, device_id: 'd.four' }),
      serverEvent({ event_id: 'person-before', received_at: before }),
      serverEvent({ event_id: 'person-storage', received_at: before, person_id: 'p.k1.two' }),
      event({ event_id: 'old-cookie', received_at: after, device_id: 'd.five' }),
      consent({ receipt_id: 'r1', withdrawn: ['measurement'] }),
      consent({ receipt_id: 'r1b', granted: ['storage', 'measurement'], given_at: after }),
      consent({ receipt_id: 'r6', subject: 'd.five', withdrawn: ['measurement'] }),
      consent({ receipt_id: 'r2', subject: 'd.three', withdrawn: ['profile'] }),
      consent({ receipt_id: 'r3', subject: 'd.four', withdrawn: ['storage'] }),
      consent({ receipt_id: 'r4', subject: 'p.k1.one', withdrawn: ['measurement'] }),
      // A server's record of a person does not stand on the device's storage.
      consent({ receipt_id: 'r5', subject: 'p.k1.two', withdrawn: ['storage'] }),
    ]);
    await lake.run(INGEST);
    expect(await eventIds()).toEqual(['device-after', 'other-device', 'person-storage', 'profile-only']);
  });

  it('keeps out late copies of what an erased subject did, and lets a new life begin', async () => {
    const erasedAt = at('2026-11-24T11:00:00');
    await lake.land([
      event({ event_id: 'device-old', occurred_at: at('2026-11-24T09:00:00'), received_at: at('2026-11-24T11:30:00') }),
      serverEvent({
        event_id: 'person-old',
        occurred_at: at('2026-01-01T09:00:00'),
        received_at: at('2026-11-24T11:30:00'),
      }),
      serverEvent({
        event_id: 'person-new',
        occurred_at: at('2026-11-24T11:30:00'),
        received_at: at('2026-11-24T11:30:00'),
      }),
      event({
        event_id: 'clock-ahead',
        device_id: 'd.one',
        occurred_at: at('2026-11-24T11:04:00'),
        received_at: at('2026-11-24T10:59:00'),
      }),
      event({ event_id: 'other', device_id: 'd.two' }),
      erasure(sha256('d.one'), erasedAt),
      erasure(sha256('p.k1.one'), erasedAt),
    ]);
    await lake.run(INGEST);
    expect(await eventIds()).toEqual(['other', 'person-new']);
  });
});

describe('ingest of links, consents and erasures', () => {
  it('takes each once, also when it is delivered again', async () => {
    const records = [link(), consent({ receipt_id: 'r1', granted: ['storage'] }), erasure(sha256('d.x'), 5)];
    await lake.land(records, 0);
    await lake.land(records, 40);
    await lake.run(INGEST);
    await lake.run(INGEST);
    for (const table of ['links', 'consents', 'erasures'])
      expect(await lake.rows(`SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: '1' }]);
    expect(await lake.rows('SELECT granted, withdrawn, given_at, prior_receipt_id FROM consents')).toEqual([
      { granted: ['storage'], withdrawn: [], given_at: '2026-11-24 09:00:00', prior_receipt_id: null },
    ]);
  });

  it('keeps every field of a receipt', async () => {
    const full = consent({
      receipt_id: 'r1',
      granted: ['email'],
      withdrawn: ['storage'],
      prior_receipt_id: 'r0',
      language: 'de',
      legal_basis: 'email=consent',
      signal_kind: 'tcf',
      signal_digest: 'f'.repeat(64),
      signal_updated_at: at('2026-11-24T08:00:00'),
      email_permission: 'double_opt_in',
      email_requested_at: at('2026-11-24T08:10:00'),
      email_confirmed_at: at('2026-11-24T08:20:00'),
      email_text_version: '2026-11',
    });
    await lake.land([full]);
    await lake.run(INGEST);
    const { kind: _, ...fields } = full;
    const time = (ms: unknown) => new Date(Number(ms)).toISOString().slice(0, 19).replace('T', ' ');
    expect(await lake.rows('SELECT * FROM consents')).toEqual([
      Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, name.endsWith('_at') ? time(value) : value]),
      ),
    ]);
  });

  it('ends a link at its removal, in whatever order the two arrive', async () => {
    await lake.land([link({ removed_at: at('2026-11-24T11:00:00') })]);
    await lake.land([link()]);
    await lake.run(INGEST);
    await lake.land([link({ device_id: 'd.two' })]);
    await lake.run(INGEST);
    await lake.land([link({ device_id: 'd.two', removed_at: at('2026-11-24T11:00:00') })]);
    await lake.run(INGEST, AS_OF);
    expect(await lake.rows('SELECT device_id, removed_at FROM links ORDER BY device_id')).toEqual([
      { device_id: 'd.one', removed_at: '2026-11-24 11:00:00' },
      { device_id: 'd.two', removed_at: '2026-11-24 11:00:00' },
    ]);
    expect(await lake.rows('SELECT * FROM live_links')).toEqual([]);
  });
});
