import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clamp, parseTimestamp } from '../../domain/occurred-at.ts';

describe('parseTimestamp', () => {
  it.each([
    ['2026-11-24T10:00:00.123Z', Date.UTC(2026, 10, 24, 10, 0, 0, 123)],
    ['2026-11-24T10:00:00', Date.UTC(2026, 10, 24, 10)],
    ['2026-11-24 10:00', Date.UTC(2026, 10, 24, 10)],
    ['2026-11-24', Date.UTC(2026, 10, 24)],
    ['2026-11-24T10:00:00+01:00', Date.UTC(2026, 10, 24, 9)],
    ['2026-11-24T10:00:00-0530', Date.UTC(2026, 10, 24, 15, 30)],
    ['2026-11-24T10:00:00.1234567Z', Date.UTC(2026, 10, 24, 10, 0, 0, 123)],
  ])('reads %s', (text, expected) => expect(parseTimestamp(text)).toBe(expected));

  it.each([
    '',
    'yesterday',
    '24.11.2026',
    '2026-02-30',
    '2026-13-01',
    '1999-12-31',
    '2026-11-24T24:00:00',
    '1764000000000',
  ])('refuses "%s"', (text) => expect(parseTimestamp(text)).toBeUndefined());

  it('reads back what toISOString writes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2099, 11, 31) }),
        (time) => parseTimestamp(new Date(time).toISOString()) === time,
      ),
    );
  });
});

describe('clamp', () => {
  const now = Date.UTC(2026, 10, 24);
  const day = 86_400_000;

  it('holds a browser to seven days back and five minutes ahead', () => {
    expect(clamp(now - 8 * day, now, 'browser')).toEqual({ at: now - 7 * day, clamped: true });
    expect(clamp(now + day, now, 'browser')).toEqual({ at: now + 300_000, clamped: true });
    expect(clamp(now - day, now, 'browser')).toEqual({ at: now - day, clamped: false });
  });

  it('believes a server', () =>
    expect(clamp(now - 5000 * day, now, 'server')).toEqual({ at: now - 5000 * day, clamped: false }));
});
