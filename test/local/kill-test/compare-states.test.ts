import { describe, expect, it } from '@jest/globals';
import { compareStates, MASKS } from '../../../local/kill-test/compare-states.ts';
import type { Row } from '../../../local/kill-test/item-rows.ts';
import type { StateRows } from '../../../local/kill-test/state-rows.ts';

const RUN: Readonly<Record<string, readonly Row[]>> = {
  'lake events': [
    { event_id: 'a', value: '1.5000', received_at: '2026-11-24 10:00:00', received_day: '2026-11-24', shard: 's0' },
    { event_id: 'b', value: '2.0000', received_at: '2026-11-24 10:00:01', received_day: '2026-11-24', shard: 's1' },
  ],
  'lake consents': [{ subject: 'p.1', receipt_id: 'x', given_at: '2026-11-24 10:00:00', granted: ['profile'] }],
  'paula-consents': [{ pk: 'p.1', sk: '1700000000000#x', receipt_id: 'x', given_at: '1700000000000' }],
  'paula-profiles/profile': [
    { pk: 'p.1', v: '3', ttl: '9', applied: null, spilled: false, purchases: [[7, { net: 1 }]] },
  ],
};

/** The same run with some tables replaced. */
const run = (changes: Readonly<Record<string, readonly Row[]>> = {}): StateRows =>
  new Map(Object.entries({ ...RUN, ...changes }));
const rows = (table: string): readonly Row[] => RUN[table] ?? [];
const only = (table: string): Row => rows(table)[0] ?? {};

describe('a comparison of two runs', () => {
  it('finds a row that is lost, doubled or changed, and says where', () => {
    const [a = {}, b = {}] = rows('lake events');
    const lost = compareStates(run(), run({ 'lake events': [a] }));
    expect([lost.different, lost.first]).toEqual([
      1,
      [{ table: 'lake events', key: '["b"]', what: '1 in the first, 0 in the second' }],
    ]);
    expect(lost.counts.get('lake events')).toEqual([2, 1]);
    expect(compareStates(run(), run({ 'lake events': [a, b, a] })).first).toEqual([
      { table: 'lake events', key: '["a"]', what: '1 in the first, 2 in the second' },
    ]);
    expect(compareStates(run(), run({ 'lake events': [a, { ...b, value: '2.0001' }] })).first).toEqual([
      { table: 'lake events', key: '["b"]', what: 'value: "2.0000" is not "2.0001"' },
    ]);
  });

  it('passes over the masked fields and over no other', () => {
    for (const [table, [row = {}]] of Object.entries(RUN))
      for (const field of Object.keys(row)) {
        if (table === 'paula-consents' || ['spilled', 'receipt_id'].includes(field)) continue;
        const masked = MASKS.some((mask) => mask.table === table && mask.field === field);
        const changed = { ...row, [field]: field === 'purchases' ? [[7, { net: 2 }]] : 'changed' };
        const { different } = compareStates(run(), run({ [table]: [changed, ...rows(table).slice(1)] }));
        expect([table, field, different === 0]).toEqual([table, field, masked]);
      }
    const masks = MASKS.filter(({ field }) => field !== 'shard');
    const [a = {}, b = {}] = rows('lake events');
    expect(compareStates(run(), run({ 'lake events': [{ ...a, shard: 's9' }, b] }), masks).different).toBe(1);
  });

  it('takes a receipt for the same under another random id and time, and misses one that the lake has not', () => {
    const other = run({
      'lake consents': [{ ...only('lake consents'), receipt_id: 'y', given_at: 'later' }],
      'paula-consents': [
        { ...only('paula-consents'), sk: '1700000000009#y', receipt_id: 'y', given_at: '1700000000009' },
      ],
    });
    expect(compareStates(run(), other).different).toBe(0);
    expect(compareStates(other, run({ 'lake consents': [] })).different).toBe(1);
    // A receipt in the lake under an id that no item has is not that receipt.
    const stray = run({ 'lake consents': [{ ...only('lake consents'), receipt_id: 'z' }] });
    expect(compareStates(run(), stray).different).toBe(2);
    const second = { ...only('paula-consents'), sk: '1700000000005#w', receipt_id: 'w' };
    expect(compareStates(run(), run({ 'paula-consents': [...rows('paula-consents'), second] })).different).toBe(1);
  });

  it('reads the purchases of both items as one list, the profile item’s where both have one', () => {
    const profile = only('paula-profiles/profile');
    const divided = (resident: unknown, overflow: unknown) =>
      run({
        'paula-profiles/profile': [{ ...profile, spilled: true, purchases: resident }],
        'paula-profiles/bought': [{ pk: 'p.1', sk: 'bought', v: '1', ttl: '9', purchases: overflow }],
      });
    expect(compareStates(run(), divided([], [[7, { net: 1 }]])).different).toBe(0);
    expect(compareStates(run(), divided([[7, { net: 1 }]], [[7, { net: 5 }]])).different).toBe(0);
    expect(compareStates(run(), divided([], [[7, { net: 2 }]])).different).toBe(1);
    expect(compareStates(run(), divided([], [[8, { net: 1 }]])).different).toBe(1);
  });
});
