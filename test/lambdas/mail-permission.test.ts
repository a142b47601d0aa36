import { describe, expect, it } from '@jest/globals';
import config from '../../paula.config.ts';
import { basic, doorUnderTest, serverKey } from './door-under-test.ts';

const door = doorUnderTest(config);

describe('mail', () => {
  const CONFIRMED = {
    method: 'double_opt_in',
    requestedAt: '2026-01-05T10:00:00Z',
    confirmedAt: '2026-01-05T10:05:00Z',
    textVersion: '2026-01',
  };
  const CUSTOMER = {
    method: 'existing_customer',
    addressFromSale: true,
    ownSimilarGoods: true,
    noObjection: true,
    optOutNotice: true,
  };
  const send = async (
    userId: string,
    choices: Record<string, boolean>,
    emailPermission?: unknown,
    path = 'identify',
  ) => {
    const context = {
      consent: { categoryPreferences: choices },
      ...(emailPermission !== undefined && { emailPermission }),
    };
    const response = await door.browser().send('POST', `/v1/${path}`, {
      body: { userId, context, ...(path === 'track' && { event: 'Page Viewed' }) },
      headers: serverKey(door),
    });
    expect(response.statusCode).toBe(200);
    return JSON.parse(response.body ?? '');
  };
  const both = { measurement: true, email: true };

  it('is granted by a server that says how it is allowed; the receipt keeps that', async () => {
    expect(await send('mail-1', both, CONFIRMED)).toEqual({ success: true });
    expect(await send('mail-2', both, CUSTOMER)).toEqual({ success: true });
    const receipts = (await door.streamed()).filter(({ kind }) => kind === 'consent');
    expect(receipts).toMatchObject([
      {
        granted: ['measurement', 'email'],
        email_permission: 'double_opt_in',
        email_requested_at: Date.parse(CONFIRMED.requestedAt),
        email_confirmed_at: Date.parse(CONFIRMED.confirmedAt),
        email_text_version: '2026-01',
      },
      { granted: ['measurement', 'email'], email_permission: 'existing_customer' },
    ]);
    expect(receipts[1]).not.toHaveProperty('email_confirmed_at');
  });

  it('is not granted without that: the event and the rest of the choice stand, and the answer says why', async () => {
    const refusedAt = (path: string) => ({
      success: true,
      ungranted: [{ path: `context.emailPermission${path}`, rule: expect.anything() }],
    });
    expect(await send('mail-3', both)).toEqual(refusedAt(''));
    expect(door.counted).toContain('Refused email_permission');
    expect(await send('mail-3', both, { ...CUSTOMER, noObjection: false })).toEqual(refusedAt('.noObjection'));
    expect(await send('mail-3', both, undefined, 'track')).toEqual(refusedAt(''));
    for (const record of await door.streamed())
      expect(record).toMatchObject(
        record.kind === 'event' ? { purposes: ['measurement'] } : { granted: ['measurement'] },
      );
  });

  it('is told of for each message of a batch', async () => {
    const message = (userId: string, emailPermission?: unknown) => ({
      type: 'identify',
      userId,
      context: { consent: { categoryPreferences: both }, emailPermission },
    });
    const body = { batch: [message('mail-4', CUSTOMER), message('mail-5')] };
    const response = await door.browser().send('POST', '/v1/batch', { body, headers: serverKey(door) });
    expect(JSON.parse(response.body ?? '')).toEqual({
      success: true,
      ungranted: [{ index: 1, errors: [{ path: 'context.emailPermission', rule: expect.anything() }] }],
    });
    await door.streamed();
  });

  it('stays granted where a later message repeats it without the permission, and ends where it does not', async () => {
    await send('mail-6', both, CONFIRMED);
    await door.streamed();
    expect(await send('mail-6', { ...both, profile: true })).toEqual({ success: true });
    expect(await send('mail-6', both, undefined, 'track')).toEqual({ success: true });
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', granted: ['measurement', 'profile', 'email'], email_permission: 'double_opt_in' },
      { kind: 'event' },
      { kind: 'event', purposes: ['measurement', 'email'] },
    ]);
    await send('mail-6', { measurement: true });
    const [receipt] = await door.streamed();
    expect(receipt).toMatchObject({ withdrawn: ['profile', 'email'] });
    expect(receipt).not.toHaveProperty('email_permission');
    expect(await send('mail-6', both)).toMatchObject({ ungranted: [{ path: 'context.emailPermission' }] });
    await door.streamed();
  });

  it('says of an import that it is one', async () => {
    const body = { userId: 'mail-7', context: { consent: { categoryPreferences: both }, emailPermission: CUSTOMER } };
    await door.browser().send('POST', '/v1/identify', { body, headers: basic(door.keys.writeKeys.history?.[0]) });
    expect((await door.streamed())[0]).toMatchObject({
      kind: 'consent',
      method: 'import',
      email_permission: 'existing_customer',
    });
  });
});
