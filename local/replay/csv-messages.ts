import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { parseTimestamp } from '../../domain/occurred-at.ts';
import type { Mapping } from './mapping.ts';
import type { ReplayMessage } from './message.ts';

type Row = Record<string, string>;

/** A group of rows that may still grow. */
type OpenGroup = { rows: Row[]; lastRow: number };

/** Streams a CSV (gzipped where its name says so) as messages; memory holds the open groups and the persons seen. */
export async function* csvMessages(file: string, mapping: Mapping): AsyncGenerator<ReplayMessage> {
  const consented = new Set<string>();
  for await (const rows of groups(rowsOf(file), mapping)) {
    const [first] = rows;
    if (!first) continue;
    const event = eventOf(rows, first, mapping);
    if (!consented.has(event.person)) {
      consented.add(event.person);
      yield consentOf(event, mapping);
    }
    yield event;
  }
}

function rowsOf(file: string): AsyncIterable<Row> {
  const bytes = createReadStream(file);
  return (file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes).pipe(
    parse({ columns: true, bom: true, skip_empty_lines: true }),
  );
}

/** Groups in the order of their first rows; a group is closed when no row of it came within the look-ahead. */
async function* groups(rows: AsyncIterable<Row>, mapping: Mapping): AsyncGenerator<Row[]> {
  const open = new Map<string, OpenGroup>();
  let number = 0;
  for await (const row of rows) {
    number++;
    const key = mapping.groupBy.map((column) => row[column]).join('\n');
    const group = open.get(key);
    if (group) {
      group.rows.push(row);
      group.lastRow = number;
    } else open.set(key, { rows: [row], lastRow: number });
    for (const [oldest, candidate] of open) {
      if (number - candidate.lastRow <= mapping.lookAheadRows) break;
      open.delete(oldest);
      yield candidate.rows;
    }
  }
  for (const { rows: rest } of open.values()) yield rest;
}

function eventOf(rows: readonly Row[], first: Row, mapping: Mapping): ReplayMessage {
  const kind = first[mapping.eventColumn] ?? '';
  const mapped = mapping.events[kind];
  if (!mapped) throw new Error(`the mapping has no event for "${mapping.eventColumn}" = "${kind}"`);
  const timestamp = first[mapping.timestamp] ?? '';
  return {
    type: 'track',
    person: first[mapping.person] ?? '',
    rows: rows.length,
    at: parseTimestamp(timestamp) ?? 0,
    body: {
      event: mapped.event,
      messageId: filled(mapping.messageId, first),
      userId: first[mapping.person],
      timestamp,
      properties: {
        ...Object.fromEntries(Object.entries(mapped.properties).map(([name, text]) => [name, filled(text, first)])),
        products: rows.map((row) => ({
          product_id: row[mapping.lines.product_id],
          quantity: Number(row[mapping.lines.quantity]),
          price: row[mapping.lines.price],
        })),
      },
      context: { consent: consentContext(mapping) },
    },
  };
}

const filled = (template: string, row: Row): string =>
  template.replace(/\{(\w+)\}/g, (_, column: string) => row[column] ?? '');

const consentContext = (mapping: Mapping) => ({
  categoryPreferences: Object.fromEntries(mapping.consent.map((purpose) => [purpose, true])),
});

function consentOf(event: ReplayMessage, mapping: Mapping): ReplayMessage {
  const { userId, timestamp } = event.body;
  return {
    type: 'identify',
    person: event.person,
    rows: 0,
    at: event.at,
    body: {
      userId,
      timestamp,
      messageId: `consent of ${String(userId)}`,
      context: { consent: consentContext(mapping) },
    },
  };
}
