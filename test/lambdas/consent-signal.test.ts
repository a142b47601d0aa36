import { describe, expect, it } from '@jest/globals';
import { BARE, type WrittenString, writeTcString, writeVendorSegment } from '../../conformance/tcf/written-strings.ts';
import { defineConfig } from '../../domain/config.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import demo from '../../paula.config.ts';
import { Browser, doorUnderTest, ORIGIN, type Sent } from './door-under-test.ts';

const VENDOR = 61;
const DAY_MS = 86_400_000;
const config = defineConfig({
  ...demo,
  tcf: { vendorId: VENDOR, registration: { purposes: [1, 3, 4, 7], legIntPurposes: [], flexiblePurposes: [] } },
});

const door = doorUnderTest(config);

/** A string in which the person says yes to these purposes of the framework, last changed so many days ago. */
function tcString(purposeConsents: readonly number[], daysAgo = 0, changes: Partial<WrittenString> = {}): string {
  const vendors = { maxId: VENDOR, ids: [VENDOR] };
  const changed = (NOW - daysAgo * DAY_MS) / 100;
  return writeTcString({
    ...BARE,
    created: changed,
    lastUpdated: changed,
    purposeConsents,
    vendorConsents: vendors,
    segments: [writeVendorSegment(1, vendors)],
    ...changes,
  });
}

const NOW = Date.now() - (Date.now() % DAY_MS);
const ALL = [1, 3, 4, 7];
const ALL_PURPOSES: Purpose[] = ['storage', 'measurement', 'profile', 'personalisation', 'activation'];

/** A browser whose clock the test holds. */
class Jar extends Browser {
  at = NOW + 1000;

  constructor(at = NOW + 1000) {
    super(door);
    this.at = at;
  }

  override send(method: string, path: string, options: Sent = {}) {
    return super.send(method, path, { at: this.at++, ...options });
  }

  sees(gdpr_consent: string, options: { site?: string; headers?: Record<string, string>; e?: string } = {}) {
    const { site = 'portal', headers = {}, e = 'impression' } = options;
    return this.send('GET', '/p.gif', { query: `${new URLSearchParams({ e, site, c: 'x', gdpr_consent })}`, headers });
  }

  chooses(...granted: Purpose[]) {
    const purposes = Object.fromEntries(granted.map((purpose) => [purpose, true]));
    return this.send('PUT', '/v1/consent', { headers: { origin: ORIGIN }, body: { purposes } });
  }
}

describe('a TC string that grants', () => {
  it('begins a device under a receipt that names the string by its digest; the event carries it', async () => {
    const jar = new Jar();
    const text = tcString(ALL, 3);
    const response = await jar.sees(text);
    expect(response.cookies).toEqual([expect.stringMatching(/^paula_id=[\w-]{22}; Max-Age=34128000; Path=\/; Secure/)]);
    const records = await door.streamed();
    expect(records).toMatchObject([
      {
        kind: 'consent',
        subject: jar.device,
        site: 'portal',
        method: 'tcf',
        granted: ALL_PURPOSES,
        withdrawn: [],
        signal_kind: 'tcf',
        signal_digest: Buffer.from(hashes.sha256(text), 'base64url').toString('hex'),
        signal_updated_at: NOW - 3 * DAY_MS,
        expires_at: NOW + (395 - 3) * DAY_MS,
      },
      { kind: 'event', device_id: jar.device, purposes: ALL_PURPOSES, basis: 'consent' },
    ]);
    expect(JSON.stringify(records)).not.toContain(text);
    expect(await door.deps.receipts.recent(jar.device)).toMatchObject([{ method: 'tcf', granted: ALL_PURPOSES }]);
  });

  it('is judged at each impression and recorded once', async () => {
    const jar = new Jar();
    await jar.sees(tcString(ALL));
    await door.streamed();
    for (let i = 0; i < 3; i++) expect((await jar.sees(tcString(ALL))).cookies).toBeUndefined();
    expect(door.linkReads).toBe(1);
    expect((await door.streamed()).map(({ kind }) => kind)).toEqual(['event', 'event', 'event']);
    await jar.send('GET', '/p.gif', { query: 'e=impression&site=portal' });
    expect(door.linkReads).toBe(0);
    expect(await door.streamed()).toMatchObject([{ basis: 'anonymous' }]);
  });

  it('goes with the click, too', async () => {
    const jar = new Jar();
    const to = encodeURIComponent('https://www.lindenblatt.example/serum');
    const query = `site=portal&c=x&to=${to}&gdpr_consent=${tcString(ALL)}`;
    const response = await jar.send('GET', '/click', { query });
    expect(response).toMatchObject({ statusCode: 302, cookies: [expect.stringContaining('paula_id=')] });
    expect(response.headers?.location).toBe('https://www.lindenblatt.example/serum');
    expect(await door.streamed()).toMatchObject([{ kind: 'consent' }, { event: 'Ad Clicked', device_id: jar.device }]);
  });

  it('begins no device for an event that needs none, is refused or is a minor’s', async () => {
    expect((await new Jar().sees(tcString([1]))).cookies).toBeUndefined();
    expect(await door.streamed()).toMatchObject([{ basis: 'anonymous' }]);
    expect((await new Jar().sees(tcString(ALL), { e: 'nothing' })).cookies).toBeUndefined();
    expect(await door.streamed()).toMatchObject([{ kind: 'rejected' }]);
    const minor = await new Jar().send('GET', '/p.gif', {
      query: `e=impression&site=portal&age=12&gdpr_consent=${tcString(ALL)}`,
    });
    expect(minor.cookies).toBeUndefined();
    expect(await door.streamed()).toEqual([]);
  });

  it('begins a device of its own where the presented id is none that the door has begun', async () => {
    const jar = new Jar();
    const foreign = randomId();
    jar.cookies.set('paula_id', foreign);
    expect((await jar.sees(tcString(ALL))).cookies).toHaveLength(1);
    expect(jar.cookies.get('paula_id')).not.toBe(foreign);
    expect(JSON.stringify(await door.streamed())).not.toContain(hashes.sha256(foreign));
  });

  it('adds to an own choice what that does not give, under a receipt of its own', async () => {
    const jar = new Jar(NOW - 5 * DAY_MS);
    await jar.chooses('storage', 'measurement', 'identity_merge');
    jar.at = NOW;
    const { device } = jar;
    await door.streamed();
    await jar.sees(tcString([1, 7], 1));
    expect(await door.streamed()).toMatchObject([
      { kind: 'event', device_id: device, purposes: ['storage', 'measurement', 'identity_merge'] },
    ]);
    await jar.sees(tcString([1, 3, 7], 1));
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', method: 'tcf', granted: ['storage', 'measurement', 'profile'], withdrawn: [] },
      { kind: 'event', purposes: ['storage', 'measurement', 'profile', 'identity_merge'] },
    ]);
    await jar.chooses('storage', 'measurement', 'identity_merge');
    expect(await door.streamed()).toMatchObject([{ kind: 'consent', method: 'browser', withdrawn: ['profile'] }]);
    await jar.sees(tcString([1, 3, 7], 1));
    expect(await door.streamed()).toMatchObject([
      { kind: 'event', purposes: ['storage', 'measurement', 'identity_merge'] },
    ]);
  });

  it('leaves a device to a later own choice, which takes back what it does not name', async () => {
    const jar = new Jar();
    await jar.sees(tcString(ALL));
    const { device } = jar;
    await door.streamed();
    expect((await jar.chooses('storage', 'measurement')).cookies).toHaveLength(1);
    expect(jar.device).toBe(device);
    expect(await door.streamed()).toMatchObject([
      { subject: device, method: 'browser', withdrawn: ['profile', 'personalisation', 'activation'] },
    ]);
    await jar.sees(tcString(ALL));
    expect(await door.streamed()).toMatchObject([{ kind: 'event', purposes: ['storage', 'measurement'] }]);
  });

  it('does not come to a browser that refused storage later, also where an id has come since', async () => {
    const jar = new Jar();
    await jar.chooses('measurement');
    expect((await jar.sees(tcString(ALL, 1))).cookies).toBeUndefined();
    expect(door.counted).toEqual(['ConsentSignal own_choice']);
    jar.at = NOW + 3 * DAY_MS;
    await jar.sees(tcString(ALL, -2));
    expect(jar.cookies.has('paula_id')).toBe(true);
    await door.streamed();
    await jar.sees(tcString(ALL, 1));
    expect(await door.streamed()).toMatchObject([{ basis: 'anonymous' }]);
  });
});

describe('a TC string that no longer grants', () => {
  it('is a withdrawal of what it granted before: storage ends the device', async () => {
    const jar = new Jar();
    await jar.sees(tcString(ALL, 1));
    const { device } = jar;
    await door.streamed();
    const response = await jar.sees(tcString([3, 4, 7]));
    expect(response.cookies).toEqual([expect.stringMatching(/^paula_id=; Max-Age=0/)]);
    expect(door.counted).toContain('ConsentSignal purpose_refused');
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', subject: device, method: 'tcf', granted: [], withdrawn: ALL_PURPOSES },
      { kind: 'event', basis: 'anonymous' },
    ]);
    const link = (await door.deps.links.read([device])).get(device);
    expect(Object.keys(link?.withdrawn ?? {}).sort()).toEqual([...ALL_PURPOSES].sort());
  });

  it('takes back a single purpose, and the device stays; a string that is newer still gives it again', async () => {
    const jar = new Jar();
    await jar.sees(tcString(ALL, 2));
    const { device } = jar;
    await door.streamed();
    await jar.sees(tcString([1, 7], 1));
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', subject: device, withdrawn: ['profile', 'personalisation', 'activation'] },
      { kind: 'event', device_id: device, purposes: ['storage', 'measurement'] },
    ]);
    await jar.sees(tcString(ALL, 2));
    expect(await door.streamed()).toMatchObject([{ kind: 'event', purposes: ['storage', 'measurement'] }]);
    jar.at += 2 * DAY_MS;
    await jar.sees(tcString(ALL, -1));
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', granted: ALL_PURPOSES },
      { kind: 'event', purposes: ALL_PURPOSES },
    ]);
    expect((await door.deps.links.read([device])).get(device)?.regranted).toMatchObject({
      profile: expect.any(Number),
    });
  });

  it('counts as newer where it is another one of the same day', async () => {
    const jar = new Jar();
    await jar.sees(tcString(ALL));
    await jar.sees(tcString([7]));
    expect(jar.cookies.has('paula_id')).toBe(false);
  });

  it.each([
    ['an older string', () => tcString([], 2)],
    ['a string that is stale', () => tcString([], 400)],
    ['a string from the future', () => tcString([], -3)],
    ['a string in which the vendor was not disclosed', () => tcString([], 0, { segments: [] })],
    [
      'a restriction of the publisher',
      () =>
        tcString(ALL, 0, { restrictions: ALL.map((purpose) => ({ purpose, type: 0, entries: [[VENDOR, VENDOR]] })) }),
    ],
    ['no string', () => ''],
  ])('is no withdrawal where it is %s: nothing is granted, nothing recorded', async (_, text) => {
    const jar = new Jar();
    await jar.sees(tcString(ALL, 1));
    await door.streamed();
    expect((await jar.sees(text())).cookies).toBeUndefined();
    expect(await door.streamed()).toMatchObject([{ kind: 'event', basis: 'anonymous' }]);
    expect(jar.cookies.has('paula_id')).toBe(true);
  });

  it('speaks for its own site: what another site’s string or an own choice gives stands', async () => {
    const jar = new Jar();
    await jar.sees(tcString(ALL, 1));
    await jar.sees(tcString([1, 4, 7], 1), { site: 'shop', e: 'view' });
    await door.streamed();
    expect((await jar.sees(tcString([]), { site: 'shop', e: 'view' })).cookies).toBeUndefined();
    expect(await door.streamed()).toMatchObject([
      { kind: 'consent', granted: [], withdrawn: [] },
      { basis: 'anonymous' },
    ]);
    await jar.sees(tcString([]), { site: 'shop', e: 'view' });
    expect(await door.streamed()).toMatchObject([{ kind: 'event', basis: 'anonymous' }]);
    await jar.sees(tcString(ALL, 1));
    expect(await door.streamed()).toMatchObject([{ kind: 'event', purposes: ALL_PURPOSES }]);
    await jar.sees(tcString([]));
    expect(jar.cookies.has('paula_id')).toBe(false);
  });

  it('is recorded by the next impression where the stream did not take it', async () => {
    const jar = new Jar();
    await jar.sees(tcString(ALL, 1));
    await door.streamed();
    const whole = door.deps;
    door.deps = { ...door.deps, put: async (records) => records.map((_, i) => i) };
    expect((await jar.sees(tcString([]))).cookies).toBeUndefined();
    expect(door.counted).toContain('StreamFailed pixel');
    door.deps = whole;
    await jar.sees(tcString([]));
    expect(await door.streamed()).toMatchObject([{ kind: 'consent', withdrawn: ALL_PURPOSES }, { kind: 'event' }]);
    expect(jar.cookies.has('paula_id')).toBe(false);
  });

  it('leaves an ended device ended: a newer string that grants begins another', async () => {
    const jar = new Jar();
    await jar.sees(tcString(ALL, 1));
    const id = jar.cookies.get('paula_id') ?? '';
    const { device } = jar;
    await jar.sees(tcString([]));
    jar.cookies.set('paula_id', id);
    await door.streamed();
    expect((await jar.sees(tcString(ALL))).cookies).toBeUndefined();
    expect(door.counted).toEqual(['ConsentSignal withdrawn']);
    jar.at += 2 * DAY_MS;
    await jar.sees(tcString(ALL, -1));
    expect(jar.device).not.toBe(device);
    expect(await door.streamed()).toMatchObject([
      { basis: 'anonymous' },
      { subject: jar.device },
      { device_id: jar.device },
    ]);
  });
});

describe('a browser that objects automatically', () => {
  it.each([{ 'sec-gpc': '1' }, { dnt: '1' }])(
    'with %j is none by its string, and is not asked for more',
    async (headers) => {
      const jar = new Jar();
      expect((await jar.sees(tcString(ALL), { headers })).cookies).toBeUndefined();
      expect(door.counted).toEqual(['ConsentSignal automated_objection']);
      expect(await door.streamed()).toMatchObject([{ basis: 'anonymous' }]);
      await jar.sees(tcString(ALL));
      await door.streamed();
      await jar.sees(tcString([]), { headers });
      expect(door.linkReads).toBe(0);
      expect(await door.streamed()).toMatchObject([{ basis: 'anonymous' }]);
      expect(jar.cookies.has('paula_id')).toBe(true);
    },
  );

  it('keeps its own opt-in without activation, on every route, for that request alone', async () => {
    const jar = new Jar();
    await jar.chooses('storage', 'measurement', 'activation');
    await door.streamed();
    const gpc = { 'sec-gpc': '1' };
    await jar.send('GET', '/p.gif', { query: 'e=view&site=shop', headers: gpc });
    const authorization = `Basic ${Buffer.from(`${door.keys.writeKeys.web?.[0]}:`).toString('base64')}`;
    await jar.send('POST', '/v1/page', { headers: { ...gpc, authorization, origin: ORIGIN }, body: '{}' });
    await jar.send('GET', '/p.gif', { query: 'e=view&site=shop' });
    expect(await door.streamed()).toMatchObject([
      { purposes: ['storage', 'measurement'] },
      { purposes: ['storage', 'measurement'] },
      { purposes: ['storage', 'measurement', 'activation'] },
    ]);
  });

  it('is told that its choice was taken without activation', async () => {
    const jar = new Jar();
    const body = JSON.stringify({ purposes: { storage: true, activation: true } });
    const response = await jar.send('PUT', '/v1/consent', { headers: { origin: ORIGIN, 'sec-gpc': '1' }, body });
    expect(JSON.parse(response.body ?? '')).toMatchObject({
      purposes: { storage: true, activation: false },
      ungranted: [{ path: 'purposes.activation', rule: expect.stringContaining('Sec-GPC') }],
    });
    expect(await door.streamed()).toMatchObject([{ granted: ['storage'] }]);
  });
});

describe('a signal that cannot be read', () => {
  it.each([
    ['unexpanded_macro', '$' + '{GDPR_CONSENT_61}'],
    ['unexpanded_macro', '%24%7BGDPR_CONSENT_61%7D'],
    ['absent', ''],
    ['version_1', 'BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA'],
    ['too_long', 'C'.repeat(5000)],
  ])('is counted as %s and leads to nothing', async (reason, text) => {
    const response = await new Jar().sees(text);
    expect(response).toMatchObject({ statusCode: 200, isBase64Encoded: true });
    expect(response.cookies).toBeUndefined();
    expect(door.counted).toContain(`ConsentSignal ${reason}`);
    expect(await door.streamed()).toMatchObject([{ basis: 'anonymous' }]);
  });

  it('is not read at all for a brand that is not on the vendor list', async () => {
    const whole = door.deps;
    door.deps = { ...door.deps, plan: compileTrackingPlan(demo) };
    expect((await new Jar().sees(tcString(ALL))).cookies).toBeUndefined();
    expect(door.counted).toEqual(['ConsentSignal vendor_not_listed']);
    door.deps = whole;
  });
});
