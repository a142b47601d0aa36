import { describe, expect, it } from '@jest/globals';
import { CONFIRM_WINDOW_DAYS, readEmailPermission } from '../../domain/email-permission.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');
const CONFIRMED = {
  method: 'double_opt_in',
  requestedAt: '2026-11-20T10:00:00+01:00',
  confirmedAt: '2026-11-20T10:05:00+01:00',
  textVersion: '2026-11',
};
const CUSTOMER = {
  method: 'existing_customer',
  addressFromSale: true,
  ownSimilarGoods: true,
  noObjection: true,
  optOutNotice: true,
};
const path = (field: string) => (field === '' ? 'context.emailPermission' : `context.emailPermission.${field}`);

describe('a permission for mail', () => {
  it('is a confirmed address, with both times and the text', () =>
    expect(readEmailPermission(CONFIRMED, NOW)).toEqual({
      grant: {
        permission: 'double_opt_in',
        requestedAt: Date.parse('2026-11-20T09:00:00Z'),
        confirmedAt: Date.parse('2026-11-20T09:05:00Z'),
        textVersion: '2026-11',
      },
    }));

  it('is an existing customer of whom all four conditions hold', () => {
    expect(readEmailPermission(CUSTOMER, NOW)).toEqual({ grant: { permission: 'existing_customer' } });
    for (const condition of ['addressFromSale', 'ownSimilarGoods', 'noObjection', 'optOutNotice'])
      for (const value of [false, undefined, 'true', 1])
        expect(readEmailPermission({ ...CUSTOMER, [condition]: value }, NOW)).toMatchObject({
          refused: { path: path(condition), rule: expect.stringMatching(/all four conditions/) },
        });
  });

  it('lasts: a confirmation from years ago is one, if it came within the window', () => {
    const old = { ...CONFIRMED, requestedAt: '2020-01-01T00:00:00Z', confirmedAt: '2020-01-31T00:00:00Z' };
    expect(CONFIRM_WINDOW_DAYS).toBe(30);
    expect(readEmailPermission(old, NOW)).toHaveProperty('grant');
    expect(readEmailPermission({ ...old, confirmedAt: '2020-01-31T00:00:01Z' }, NOW)).toMatchObject({
      refused: { path: path('requestedAt') },
    });
  });

  it.each([
    [undefined, ''],
    [null, ''],
    ['double_opt_in', ''],
    [{ method: 'single_opt_in' }, 'method'],
    [{ ...CONFIRMED, confirmedAt: undefined }, 'confirmedAt'],
    [{ ...CONFIRMED, requestedAt: 'yesterday' }, 'requestedAt'],
    [{ ...CONFIRMED, confirmedAt: CONFIRMED.requestedAt }, 'confirmedAt'],
    [{ ...CONFIRMED, confirmedAt: '2026-11-24T12:00:01Z' }, 'confirmedAt'],
    [{ ...CONFIRMED, requestedAt: '2026-11-25T00:00:00Z' }, 'requestedAt'],
    [{ ...CONFIRMED, textVersion: 'for paula@example.com' }, 'textVersion'],
    [{ ...CONFIRMED, ip: '192.0.2.7' }, ''],
    [{ ...CUSTOMER, confirmedAt: CONFIRMED.confirmedAt }, ''],
  ])('is not %j', (value, field) =>
    expect(readEmailPermission(value, NOW)).toMatchObject({ refused: { path: path(field) } }),
  );
});
