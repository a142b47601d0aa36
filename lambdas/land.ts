import { opens } from '../domain/purposes.ts';
import { decodeStreamRecord, type EventRecord, type StreamRecord } from '../domain/stream-record.ts';
import { type Column, DECIMAL, LANDING_PARTITIONS, type TableDefinition, tableOf } from '../domain/tables.ts';
import type { Delivered } from './kinesis-batch.ts';

/** A cell as Parquet takes it: a timestamp as a Date, a decimal as its unscaled bigint. */
export type Cell = string | number | bigint | boolean | Date | string[] | { key: string; value: string }[] | null;

export type LandDeps = {
  tables: readonly TableDefinition[];
  /** Lays rows out as one Parquet file of the table's columns, in their order. */
  parquet(table: TableDefinition, rows: readonly Cell[][]): Uint8Array;
  put(key: string, body: Uint8Array): Promise<void>;
};

const TABLE_OF_KIND: Readonly<Record<StreamRecord['kind'], string>> = {
  event: 'landing_events',
  rejected: 'rejected',
  link: 'landing_links',
  consent: 'landing_consents',
  erasure: 'landing_erasures',
  right: 'landing_rights',
};

/**
 * Writes a batch of one shard into landing, one object per kind of record in it. Returns the sequence number of the first
 * record that cannot be read, where there is one: what comes before it is written, the stream delivers again from there.
 *
 * An object's name is the shard and the range of sequence numbers, its folder the hour of the first record's arrival: the
 * same batch overwrites itself. A batch that is cut otherwise on a retry (at an unreadable record, or in halves) gets
 * other names and repeats rows; that is safe, because ingest takes one row per event id, receipt, link or erasure.
 */
export async function land(batch: readonly Delivered[], deps: LandDeps): Promise<string | undefined> {
  const rows = new Map<TableDefinition, Cell[][]>();
  let readable = 0;
  for (const delivered of batch) {
    try {
      const record = decodeStreamRecord(delivered.text);
      const table = tableOf(deps.tables, TABLE_OF_KIND[record.kind]);
      if (mayLand(record)) {
        const row = rowOf(record, table.columns, delivered);
        const sofar = rows.get(table);
        if (sofar) sofar.push(row);
        else rows.set(table, [row]);
      }
    } catch {
      // The error's text may hold the record's; the number is enough, and the stream keeps the record.
      break;
    }
    readable += 1;
  }
  const first = batch[0];
  const last = batch[readable - 1];
  if (first && last) {
    const folder = hourFolder(first.arrivedAt);
    const name = `${first.shard}-${first.sequenceNumber}-${last.sequenceNumber}.parquet`;
    await Promise.all(
      [...rows].map(([table, cells]) => deps.put(`${table.prefix}${folder}${name}`, deps.parquet(table, cells))),
    );
  }
  return batch[readable]?.sequenceNumber;
}

/** An event has its row in the lake where it is anonymous or its purposes open the lake; everything else has. */
function mayLand(record: StreamRecord): boolean {
  if (record.kind !== 'event' || record.basis === 'anonymous') return true;
  // A browser event names its device and a server event never does.
  return opens(record.purposes, record.device_id === undefined ? 'server' : 'browser').lake;
}

/** `dt=2026-11-24/hour=09/`, UTC. */
function hourFolder(time: number): string {
  const iso = new Date(time).toISOString();
  const [dt, hour] = LANDING_PARTITIONS.map(({ name }) => name);
  return `${dt}=${iso.slice(0, 10)}/${hour}=${iso.slice(11, 13)}/`;
}

function rowOf(record: StreamRecord, columns: readonly Column[], delivered: Delivered): Cell[] {
  const fields: Record<string, unknown> = {
    ...(record.kind === 'event' ? withBrandColumns(record, columns) : record),
    shard: delivered.shard,
    sequence_number: delivered.sequenceNumber,
  };
  return columns.map(({ name, type }) => {
    const value = fields[name];
    return value === undefined || value === null ? null : CELL_OF[type](value);
  });
}

/** Takes the fields that have a column of their own out of the event's properties. */
function withBrandColumns(record: EventRecord, columns: readonly Column[]): Record<string, unknown> {
  if (!record.properties) return record;
  const names = new Set(columns.map(({ name }) => name));
  const entries = Object.entries(record.properties);
  const rest = entries.filter(([name]) => !names.has(name));
  return {
    ...record,
    ...Object.fromEntries(entries.filter(([name]) => names.has(name))),
    properties: rest.length > 0 ? Object.fromEntries(rest) : undefined,
  };
}

const CELL_OF: Readonly<Record<Column['type'], (value: unknown) => Cell>> = {
  text: asText,
  integer: asInteger,
  bigint: (value) => BigInt(asInteger(value)),
  boolean: (value) => {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw new Error('not a boolean');
  },
  decimal: (value) => unscaled(asText(value)),
  timestamp: (value) => new Date(asInteger(value)),
  date: (value) => new Date(asInteger(value)),
  double: (value) => Number(value),
  texts: (value) => (value as unknown[]).map(asText),
  text_map: (value) =>
    Object.entries(value as Record<string, unknown>).map(([key, entry]) => ({ key, value: asText(entry) })),
};

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new Error('not a text');
  return value;
}

function asInteger(value: unknown): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (!Number.isSafeInteger(number)) throw new Error('not a whole number');
  return number as number;
}

/** A decimal text as a count of its smallest unit, exact: `-12.5` is -125000 at four places. */
function unscaled(text: string): bigint {
  const [, sign, whole, places = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined || places.length > DECIMAL.scale || whole.length > DECIMAL.precision - DECIMAL.scale)
    throw new Error('not a decimal of the lake');
  return BigInt(`${sign}${whole}${places.padEnd(DECIMAL.scale, '0')}`);
}
