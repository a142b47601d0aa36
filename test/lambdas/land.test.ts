import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../domain/config.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import { lakeTables } from '../../domain/tables.ts';
import { toParquet } from '../../lambdas/adapters/parquet.ts';
import type { Delivered } from '../../lambdas/kinesis-batch.ts';
import { land } from '../../lambdas/land.ts';
import demo from '../../paula.config.ts';
import { at, consent, erasure, event, link, serverEvent } from '../sql/fixture-lake.ts';

const SHARD = 'shardId-000000000001';
const number = (n: number): string => String(n).padStart(56, '0');

const delivered = (record: StreamRecord | string, n: number, arrivedAt = at('2026-11-24T09:59:59.900')): Delivered => ({
  shard: SHARD,
  sequenceNumber: number(n),
  arrivedAt: arrivedAt + n * 1000,
  text: typeof record === 'string' ? record : JSON.stringify(record),
});

/** Lands a batch and returns the objects by key, with the record that it stopped at. */
async function landed(batch: Delivered[], config = demo) {
  const objects = new Map<string, Uint8Array>();
  const put = async (key: string, body: Uint8Array): Promise<void> => {
    objects.set(key, body);
  };
  const failed = await land(batch, { tables: lakeTables(config), parquet: toParquet, put });
  return { objects, failed, keys: [...objects.keys()].sort() };
}

/** Reads a Parquet file with an engine that is not its writer. */
async function read(body: Uint8Array | undefined, select = '*') {
  if (!body) throw new Error('no such object');
  const folder = mkdtempSync(join(tmpdir(), 'paula-land-'));
  writeFileSync(join(folder, 'file.parquet'), body);
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const result = await connection.runAndReadAll(
    `SELECT ${select} FROM read_parquet('${join(folder, 'file.parquet')}')`,
  );
  const rows = result.getRowObjectsJson();
  const types = Object.fromEntries(result.columnNames().map((name, i) => [name, String(result.columnType(i))]));
  const codecs = await connection.runAndReadAll(
    `SELECT DISTINCT compression FROM parquet_metadata('${join(folder, 'file.parquet')}')`,
  );
  connection.closeSync();
  instance.closeSync();
  expect(readdirSync(folder)).toHaveLength(1);
  rmSync(folder, { recursive: true });
  return { rows, types, codecs: codecs.getRows().flat() };
}

describe('land', () => {
  it('writes one object per kind, named by shard and range, in the hour of the first arrival', async () => {
    const batch = [
      event({ event_id: 'e1' }),
      { kind: 'rejected', received_at: 5, reason: 'unknown_event' } as const,
      link(),
      consent({ receipt_id: 'r1' }),
      erasure('00ff', 7),
      event({ event_id: 'e2' }),
    ].map((record, i) => delivered(record, i));
    const { keys, failed } = await landed(batch);
    const file = `dt=2026-11-24/hour=09/${SHARD}-${number(0)}-${number(5)}.parquet`;
    expect(keys).toEqual(
      [
        `landing/${file}`,
        `rejected/${file}`,
        `landing-links/${file}`,
        `landing-consents/${file}`,
        `landing-erasures/${file}`,
      ].sort(),
    );
    expect(failed).toBeUndefined();
  });

  it('makes the same object of the same batch, byte by byte', async () => {
    const batch = [event({ event_id: 'e1', value: '1.5', properties: { products: '[]' } })].map((e, i) =>
      delivered(e, i),
    );
    const [one, two] = [await landed(batch), await landed(batch)];
    expect(two.keys).toEqual(one.keys);
    expect(Buffer.from(two.objects.get(two.keys[0] ?? '') ?? '')).toEqual(
      Buffer.from(one.objects.get(one.keys[0] ?? '') ?? ' '),
    );
  });

  it('writes types, texts and amounts that another reader gets back as they were', async () => {
    const full = event({
      event_id: 'e1',
      occurred_at: at('2026-11-24T09:00:00.001'),
      quantity: -2,
      value: '-99999999999999.9999',
      category: 'Größe "x" ✓',
      is_bot: true,
      time_clamped: true,
      properties: { products: '[{"product_id":"a","quantity":1}]', coupon: '' },
    });
    const { objects, keys } = await landed([
      delivered(full, 3),
      delivered(event({ event_id: 'e2', purposes: ['storage', 'measurement'] }), 4),
    ]);
    const { rows, types, codecs } = await read(objects.get(keys[0] ?? ''));
    expect(codecs).toEqual(['ZSTD']);
    expect(types).toMatchObject({
      occurred_at: 'TIMESTAMP',
      value: 'DECIMAL(18,4)',
      quantity: 'BIGINT',
      schema_version: 'INTEGER',
      is_bot: 'BOOLEAN',
      purposes: 'VARCHAR[]',
      properties: 'MAP(VARCHAR, VARCHAR)',
    });
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      event_id: 'e1',
      occurred_at: '2026-11-24 09:00:00.001',
      quantity: '-2',
      value: '-99999999999999.9999',
      category: 'Größe "x" ✓',
      is_bot: true,
      time_clamped: true,
      purposes: ['storage', 'measurement', 'profile'],
      shard: SHARD,
      sequence_number: number(3),
      properties: [
        { key: 'products', value: '[{"product_id":"a","quantity":1}]' },
        { key: 'coupon', value: '' },
      ],
    });
    expect(rows[1]).toMatchObject({
      value: null,
      time_clamped: null,
      properties: null,
      purposes: ['storage', 'measurement'],
    });
    expect(Object.keys(types)).toEqual(lakeTables(demo)[0]?.columns.map(({ name }) => name));
  });

  it("puts a brand's field into its column, typed, and out of the properties", async () => {
    const { fields } = demo.trackingPlan;
    const config = parseConfig({
      ...demo,
      trackingPlan: {
        ...demo.trackingPlan,
        fields: {
          ...fields,
          skin_type: { ...fields.skin_type, column: true },
          margin: { type: 'decimal', purposes: ['measurement'], column: true },
          steps: { type: 'integer', purposes: ['measurement'], column: true },
          gift: { type: 'boolean', purposes: ['measurement'], column: true },
        },
      },
    });
    const properties = { skin_type: 'dry', coupon: 'c', margin: '0.5', steps: '12', gift: 'false' };
    const { objects, keys } = await landed([delivered(event({ event_id: 'e1', properties }), 0)], config);
    const { rows } = await read(objects.get(keys[0] ?? ''), 'skin_type, margin, steps, gift, properties');
    expect(rows).toEqual([
      { skin_type: 'dry', margin: '0.5000', steps: '12', gift: false, properties: [{ key: 'coupon', value: 'c' }] },
    ]);
  });

  it('gives a row only to events that are anonymous or whose purposes open the lake', async () => {
    const { device_id: _, ...nobody } = event({ event_id: 'anonymous', purposes: [], basis: 'anonymous' });
    const batch = [
      event({ event_id: 'no-measurement', purposes: ['storage', 'profile'] }),
      event({ event_id: 'no-storage', purposes: ['measurement', 'profile'] }),
      event({ event_id: 'both', purposes: ['storage', 'measurement'] }),
      serverEvent({ event_id: 'server', purposes: ['measurement'] }),
      serverEvent({ event_id: 'server-profile', purposes: ['profile'] }),
      nobody,
    ].map((record, i) => delivered(record, i));
    const { objects, keys } = await landed(batch);
    expect((await read(objects.get(keys[0] ?? ''), 'event_id')).rows.map((row) => row.event_id)).toEqual([
      'both',
      'server',
      'anonymous',
    ]);
    expect((await landed(batch.slice(0, 2))).keys).toEqual([]);
  });

  it.each([
    ['no JSON', '{"kind":"event","event_id":"secret'],
    ['an unknown kind', '{"kind":"gossip"}'],
    ['an amount that is none', JSON.stringify(event({ event_id: 'x', value: '1e3' }))],
    ['too many places', JSON.stringify(event({ event_id: 'x', value: '1.00001' }))],
    ['a time that is none', JSON.stringify({ ...event({ event_id: 'x' }), occurred_at: 'today' })],
  ])('stops at a record with %s, writes what is before it and names it', async (_, poison) => {
    const batch = [event({ event_id: 'e1' }), event({ event_id: 'e2' }), poison, event({ event_id: 'e4' })].map(
      (r, i) => delivered(r, i),
    );
    const first = await landed(batch);
    expect(first.failed).toBe(number(2));
    expect(first.keys).toEqual([`landing/dt=2026-11-24/hour=09/${SHARD}-${number(0)}-${number(1)}.parquet`]);
    expect((await read(first.objects.get(first.keys[0] ?? ''), 'event_id')).rows).toEqual([
      { event_id: 'e1' },
      { event_id: 'e2' },
    ]);
    // Delivered again from there, nothing is written: what follows is not passed over.
    expect(await landed(batch.slice(2))).toMatchObject({ failed: number(2), keys: [] });
  });

  it('fails as a whole when an object cannot be put, and takes an empty batch', async () => {
    const put = async (): Promise<void> => {
      throw new Error('slow down');
    };
    const deps = { tables: lakeTables(demo), parquet: toParquet, put };
    await expect(land([delivered(event({ event_id: 'e1' }), 0)], deps)).rejects.toThrow('slow down');
    expect(await land([], deps)).toBeUndefined();
  });
});
