import { describe, expect, it } from '@jest/globals';
import { lakeTables, tableOf } from '../../domain/tables.ts';
import { toParquet } from '../../lambdas/adapters/parquet.ts';
import { rewriteParquet } from '../../lambdas/adapters/parquet-rewrite.ts';
import { land } from '../../lambdas/land.ts';
import config from '../../paula.config.ts';
import { consent, event, serverEvent } from '../sql/fixture-lake.ts';

const tables = lakeTables(config);
const EVENTS = tableOf(tables, 'landing_events');

/** What `land` writes for some records, by the table's prefix. */
async function landed(records: readonly object[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const batch = records.map((record, i) => {
    return { shard: 's', sequenceNumber: String(i), arrivedAt: 0, text: JSON.stringify(record) };
  });
  await land(batch, {
    tables,
    parquet: toParquet,
    put: async (key, body) => void files.set(`${key.split('/', 1)[0]}/`, body),
  });
  return files;
}

const records = [
  event({
    event_id: 'mine',
    value: '12345678901234.5678',
    quantity: -3,
    properties: { products: '[{"product_id":"ä"}]', coupon: 'C' },
  }),
  serverEvent({ event_id: 'other', person_id: 'p.k1.two', value: '-0.0001', category: 'Größe' }),
];

describe('a landing file', () => {
  it('comes out as land would have written it without the rows that go', async () => {
    const file = (await landed(records)).get(EVENTS.prefix) as Uint8Array;
    const [mine] = records;
    const rest = await rewriteParquet(EVENTS, file, ({ event_id }) => event_id === 'mine');
    const wanted = (await landed([mine as object])).get(EVENTS.prefix) as Uint8Array;
    expect(Buffer.from(rest as Uint8Array)).toEqual(Buffer.from(wanted));
  });

  it('stays as it is where nothing goes, and is empty where everything does', async () => {
    const file = (await landed(records)).get(EVENTS.prefix) as Uint8Array;
    expect(await rewriteParquet(EVENTS, file, () => true)).toBe('whole');
    expect(await rewriteParquet(EVENTS, file, () => false)).toBe('empty');
  });

  it('shows times as dates and ids as texts, so that a row can be judged', async () => {
    const consents = tableOf(tables, 'landing_consents');
    const file = (await landed([consent({ receipt_id: 'r1', granted: ['storage'] })])).get(
      consents.prefix,
    ) as Uint8Array;
    const seen: unknown[] = [];
    await rewriteParquet(
      consents,
      file,
      ({ subject, given_at, granted }) => seen.push({ subject, given_at, granted }) > 0,
    );
    expect(seen).toEqual([{ subject: 'd.one', given_at: new Date('2026-11-24T09:00:00Z'), granted: ['storage'] }]);
  });
});
