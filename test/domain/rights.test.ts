import { describe, expect, it } from '@jest/globals';
import { deadlineOf, needsWalk, type RequestItem, stateAfterRun, statusOf, waitsUntil } from '../../domain/rights.ts';

const at = (iso: string): number => Date.parse(iso);
const iso = (time: number): string => new Date(time).toISOString();

const request = (over: Partial<RequestItem> = {}): RequestItem => ({
  id: 'a-request',
  right: 'erasure',
  channel: 'device',
  received_at: at('2026-11-24T12:00:00Z'),
  state: 'open',
  since: at('2026-11-24T12:00:00Z'),
  hashes: ['h'],
  subjects: ['d.one'],
  ttl: 0,
  ...over,
});

describe('the deadline', () => {
  it.each([
    ['2026-11-24T12:00:00.000Z', '2026-12-24T12:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', '2027-01-31T23:59:59.999Z'],
    ['2027-01-31T10:00:00.000Z', '2027-02-28T10:00:00.000Z'],
    ['2028-01-30T10:00:00.000Z', '2028-02-29T10:00:00.000Z'],
    ['2026-10-31T10:00:00.000Z', '2026-11-30T10:00:00.000Z'],
  ])('%s: %s', (received, deadline) => expect(iso(deadlineOf(at(received)))).toBe(deadline));
});

describe('an erasure', () => {
  it('goes from open to erased, to swept after the stream, to done after the backups', () => {
    const hour = (n: number) => at('2026-11-24T12:00:00Z') + n * 3_600_000;
    const open = request();
    expect([needsWalk(open, hour(1)), stateAfterRun(open, hour(1))]).toEqual([true, 'erased']);
    const erased = request({ state: 'erased', since: hour(1) });
    expect(waitsUntil(erased)).toBe(hour(25));
    expect([needsWalk(erased, hour(24)), stateAfterRun(erased, hour(24))]).toEqual([false, 'erased']);
    expect([needsWalk(erased, hour(25)), stateAfterRun(erased, hour(25))]).toEqual([true, 'swept']);
    const swept = request({ state: 'swept', since: hour(26) });
    expect(waitsUntil(swept)).toBe(hour(26 + 7 * 24));
    expect(stateAfterRun(swept, hour(26 + 7 * 24 - 1))).toBe('swept');
    expect([needsWalk(swept, hour(1000)), stateAfterRun(swept, hour(26 + 7 * 24))]).toEqual([false, 'done']);
  });

  it('that is first worked on after the stream has forgotten needs one walk only', () => {
    expect(stateAfterRun(request(), at('2026-11-26T12:00:00Z'))).toBe('swept');
  });

  it('keeps the deadline: the last window ends within a month', () => {
    const swept = request({ state: 'swept', since: at('2026-11-25T14:00:00Z') });
    expect(waitsUntil(swept)).toBeLessThan(deadlineOf(swept.received_at));
  });

  it('tells its asker what it waits for, and names nobody', () => {
    const erased = request({ state: 'erased', since: at('2026-11-24T13:00:00Z') });
    expect(statusOf(erased)).toEqual({
      id: 'a-request',
      right: 'erasure',
      state: 'erased',
      received_at: '2026-11-24T12:00:00.000Z',
      deadline: '2026-12-24T12:00:00.000Z',
      since: '2026-11-24T13:00:00.000Z',
      waiting_for: 'the stream to forget',
      until: '2026-11-25T13:00:00.000Z',
    });
    expect(JSON.stringify(statusOf(erased))).not.toMatch(/d\.one|"h"/);
  });
});

it('an access request is ready after a run, and waits for nothing', () => {
  const access = request({ right: 'access' });
  expect([stateAfterRun(access, 0), waitsUntil(access), needsWalk(access, 0)]).toEqual(['ready', undefined, false]);
});
