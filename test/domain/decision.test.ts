import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide, type Known, type Placement, personOf, type Reason } from '../../domain/decision.ts';
import { decisionRules } from '../../domain/decision-rules.ts';
import { fold } from '../../domain/fold.ts';
import { MAX_CAP_COUNT, MAX_CAP_WINDOW_HOURS } from '../../domain/impressions.ts';
import type { LinkItem } from '../../domain/items.ts';
import { EMPTY_PROFILE } from '../../domain/profile.ts';
import { packProfile, unpackProfile } from '../../domain/profile-codec.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { shortHash } from '../../domain/short-hash.ts';
import type { EventRecord, OrderLine } from '../../domain/stream-record.ts';
import { event, orderOf, START, streamed } from './sample-events.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const PROFILING: readonly Purpose[] = ['storage', 'profile'];
const PERSONALISED: readonly Purpose[] = [...PROFILING, 'personalisation'];

const DEFAULTS = { suppressProductDays: 180, suppressCategoryDays: 14, coolDownHours: 0 };

const after = (...records: EventRecord[]): Known => ({ profile: fold(EMPTY_PROFILE, streamed(records)) });
const orders = (n: number, ...lines: OrderLine[]): Known => after(orderOf(n, lines));
const bought = (quantity: number, n = 1): Known => orders(n, { product_id: 'SKU-1', category: 'face', quantity });
const returned: Known = after(
  orderOf(9, [{ product_id: 'SKU-1', quantity: -1 }], { event: 'Order Refunded', value: '-1' }),
);
const shownAt = (...times: number[]): Known =>
  after(
    ...times.map((at, n) =>
      event(n, { event: 'Ad Impression', campaign: 'autumn', occurred_at: at, received_at: at + 40 }),
    ),
  );
const link = (over: Partial<LinkItem> = {}): LinkItem => ({ pk: 'd.x', sk: 'link', ttl: 0, ...over });

type Asked = {
  granted?: readonly Purpose[];
  device?: Known;
  person?: Known;
  siblings?: readonly Known[];
  isCurrent?: (audience: string) => boolean;
  now?: number;
  rules?: Partial<typeof DEFAULTS>;
  campaigns?: Parameters<typeof decisionRules>[0]['campaigns'];
};

const all = (placements: readonly Placement[], asked: Asked) =>
  decide({
    granted: asked.granted ?? PROFILING,
    channel: 'browser',
    subjects: [asked.device ?? {}, ...(asked.person ? [asked.person] : [])],
    siblings: asked.siblings ?? [],
    placements,
    rules: decisionRules({ decisions: { ...DEFAULTS, ...asked.rules }, campaigns: asked.campaigns ?? {} }),
    isCurrent: asked.isCurrent ?? (() => true),
    now: asked.now ?? START,
  });

function on(asked: Asked & Placement) {
  const { product = 'SKU-1', category, campaign } = asked;
  const { decisions, ...rest } = all([{ product, category, campaign }], asked);
  return { ...(decisions[0] as { show: boolean; reason: Reason }), ...rest };
}

describe('decide', () => {
  it('is eligible where nothing speaks against it', () => {
    expect(on({})).toEqual({ show: true, reason: 'eligible', audiences: [] });
    expect(on({ device: bought(1), product: 'SKU-2' }).reason).toBe('eligible');
    expect(all([{}], { device: bought(1) }).decisions).toEqual([{ show: true, reason: 'eligible' }]);
  });

  it('suppresses what was bought on the device, by its person, on another device or in an overflow', () => {
    const suppressed = { show: false, reason: 'bought', audiences: [] };
    expect(on({ device: bought(1) })).toEqual(suppressed);
    expect(on({ person: bought(1) })).toEqual(suppressed);
    expect(on({ person: {}, siblings: [{}, bought(1)] })).toEqual(suppressed);
    const overflow = new Map([[shortHash('SKU-1'), { day: START / DAY, net: 1, category: undefined }]]);
    expect(on({ device: { profile: EMPTY_PROFILE, bought: overflow } })).toEqual(suppressed);
  });

  it('ends a suppression when the net of all is zero', () => {
    expect(on({ device: bought(1), person: returned }).reason).toBe('eligible');
    expect(on({ device: bought(2), person: returned }).reason).toBe('bought');
    expect(on({ device: returned }).reason).toBe('eligible');
  });

  it('ends a suppression after the days of the configuration', () => {
    const device = bought(1);
    const reasonAfter = (days: number, suppressProductDays?: number) =>
      on({ device, now: START + days * DAY, rules: suppressProductDays === undefined ? {} : { suppressProductDays } })
        .reason;
    expect([reasonAfter(180), reasonAfter(181)]).toEqual(['bought', 'eligible']);
    expect([reasonAfter(5, 5), reasonAfter(6, 5), reasonAfter(0, 0)]).toEqual(['bought', 'eligible', 'eligible']);
  });

  it('suppresses the category of what was bought, for its own days, and names the product first', () => {
    const device = bought(1);
    const other = { product: 'SKU-2', category: 'face' };
    expect(on({ device, ...other })).toMatchObject({ show: false, reason: 'bought_category' });
    expect(on({ device, category: 'face' }).reason).toBe('bought');
    expect(on({ device, ...other, category: 'lips' }).reason).toBe('eligible');
    expect(on({ device, ...other, now: START + 14 * DAY }).reason).toBe('bought_category');
    expect(on({ device, ...other, now: START + 15 * DAY }).reason).toBe('eligible');
    expect(on({ device, ...other, rules: { suppressCategoryDays: 0 } }).reason).toBe('eligible');
    expect(on({ device, category: 'face', now: START + 15 * DAY }).reason).toBe('bought');
  });

  it('takes a category back with the product, though the return names none, and with nothing else', () => {
    const other = { product: 'SKU-2', category: 'face' };
    expect(on({ device: bought(1), person: returned, ...other }).reason).toBe('eligible');
    expect(on({ device: bought(2), person: returned, ...other }).reason).toBe('bought_category');
    const another = orders(2, { product_id: 'SKU-3', category: 'face', quantity: 1 });
    expect(on({ device: bought(1), person: returned, siblings: [another], ...other }).reason).toBe('bought_category');
  });

  it('answers each of several placements, in their order', () => {
    const device = { profile: fold(bought(1).profile ?? EMPTY_PROFILE, streamed([impression(2)], 2)) };
    const placements = [
      { product: 'SKU-1' },
      { product: 'SKU-2', category: 'face' },
      { product: 'SKU-2', campaign: 'autumn' },
      {},
    ];
    const campaigns = { autumn: { caps: [{ count: 1, windowHours: 1 }] } };
    expect(all(placements, { device, campaigns })).toEqual({
      decisions: [
        { show: false, reason: 'bought' },
        { show: false, reason: 'bought_category' },
        { show: false, reason: 'capped' },
        { show: true, reason: 'eligible' },
      ],
      audiences: [],
    });
  });

  it('knows nothing without storage and profile, as given or after a withdrawal', () => {
    const nobody = { show: true, reason: 'unknown' };
    expect(on({ device: bought(1), granted: ['storage', 'measurement', 'personalisation'] })).toEqual(nobody);
    expect(on({ device: bought(1), granted: ['profile'] })).toEqual(nobody);
    const withdrawn = link({ withdrawn: { profile: START } });
    expect(on({ device: { ...bought(1), link: withdrawn } })).toEqual(nobody);
    expect(on({ device: bought(1), person: { link: withdrawn } })).toEqual(nobody);
  });

  it('takes a purpose as granted again after a later receipt', () => {
    const again = link({ withdrawn: { profile: START }, regranted: { profile: START + 1 } });
    expect(on({ device: { ...bought(1), link: again } }).reason).toBe('bought');
  });

  it('leaves out another device that has withdrawn or objected', () => {
    const sibling = (over: Partial<LinkItem>): Known => ({ ...bought(1), link: link(over) });
    expect(on({ person: {}, siblings: [sibling({ withdrawn: { profile: 1 } })] }).reason).toBe('eligible');
    expect(on({ person: {}, siblings: [sibling({ withdrawn: { storage: 1 } })] }).reason).toBe('eligible');
    expect(on({ person: {}, siblings: [sibling({ objected: 1 })] }).reason).toBe('eligible');
    expect(on({ person: {}, siblings: [sibling({})] }).reason).toBe('bought');
  });

  it('shows the banner without a profile from an objection on', () => {
    const objected = { show: true, reason: 'objected', audiences: [] };
    const audiences = ['buyers_30d'];
    expect(on({ device: { ...bought(1), audiences, link: link({ objected: START }) }, granted: PERSONALISED })).toEqual(
      objected,
    );
    expect(on({ device: bought(1), person: { link: link({ objected: START }) } })).toEqual(objected);
    expect(on({ device: { ...bought(1), link: link({ objected: START + 1 }) } }).reason).toBe('bought');
  });

  it('tells current audiences of device and person, with personalisation only', () => {
    const device: Known = { audiences: ['b', 'a'] };
    const person: Known = { audiences: ['c', 'a'] };
    const isCurrent = (audience: string) => audience !== 'c';
    expect(on({ device, person, isCurrent, granted: PERSONALISED }).audiences).toEqual(['a', 'b']);
    expect(on({ device, person, isCurrent }).audiences).toEqual([]);
    const withdrawn = link({ withdrawn: { personalisation: START } });
    expect(on({ device: { ...device, link: withdrawn }, granted: PERSONALISED }).audiences).toEqual([]);
  });
});

const impression = (n: number): EventRecord =>
  event(n, { event: 'Ad Impression', campaign: 'autumn', occurred_at: START - n, received_at: START });

describe('frequency caps', () => {
  const campaign = 'autumn';
  const capped = (caps: { count: number; windowHours: number }[], coolDownHours?: number) => ({
    campaigns: { autumn: { caps, ...(coolDownHours !== undefined && { coolDownHours }) } },
    campaign,
  });
  const reason = (asked: Asked & Placement) => on(asked).reason;

  it('counts the impressions of a campaign within the window, and no other campaign', () => {
    const device = shownAt(START - 2 * HOUR, START - HOUR);
    expect(reason({ device, ...capped([{ count: 2, windowHours: 3 }]) })).toBe('capped');
    expect(reason({ device, ...capped([{ count: 3, windowHours: 3 }]) })).toBe('eligible');
    expect(reason({ device, ...capped([{ count: 2, windowHours: 2 }]) })).toBe('eligible');
    expect(reason({ device, ...capped([{ count: 1, windowHours: 3 }]), campaign: 'spring' })).toBe('eligible');
  });

  it('wants every cap to hold, and the cool-down beside them', () => {
    const device = shownAt(START - 50 * HOUR, START - 40 * HOUR, START - 2 * HOUR);
    const caps = [
      { count: 2, windowHours: 24 },
      { count: 4, windowHours: 72 },
    ];
    expect(reason({ device, ...capped(caps) })).toBe('eligible');
    expect(reason({ device, ...capped(caps, 2) })).toBe('eligible');
    expect(reason({ device, ...capped(caps, 2.5) })).toBe('cooling_down');
    expect(reason({ device, ...capped([...caps, { count: 3, windowHours: 72 }], 2.5) })).toBe('capped');
  });

  it('cools every campaign down where the configuration sets it for all, and one by its own', () => {
    const device = shownAt(START - 2 * HOUR);
    const rules = { coolDownHours: 3 };
    expect(reason({ device, campaign, rules })).toBe('cooling_down');
    expect(reason({ device, ...capped([], 1), rules })).toBe('eligible');
  });

  it('adds up the device, its person and the other devices that may be used', () => {
    const seen = shownAt(START - HOUR);
    const asked = { device: seen, person: seen, ...capped([{ count: 3, windowHours: 2 }]) };
    expect(reason(asked)).toBe('eligible');
    expect(reason({ ...asked, siblings: [seen] })).toBe('capped');
    expect(reason({ ...asked, siblings: [{ ...seen, link: link({ withdrawn: { profile: 1 } }) }] })).toBe('eligible');
  });

  it('is not told of a campaign whose banner must not be shown for another reason, nor after an objection', () => {
    const device = { profile: fold(bought(1).profile ?? EMPTY_PROFILE, streamed([impression(2)], 2)) };
    const rules = capped([{ count: 1, windowHours: 2 }]);
    expect(reason({ device, ...rules })).toBe('bought');
    expect(reason({ device: { ...device, link: link({ objected: 1 }) }, ...rules })).toBe('objected');
  });

  it('decides as a plain list of all impressions does, over any number of devices and in any order of arrival', () => {
    const anyCap = fc.record({
      count: fc.integer({ min: 1, max: MAX_CAP_COUNT }),
      windowHours: fc.oneof(
        fc.integer({ min: 1, max: MAX_CAP_WINDOW_HOURS }),
        fc.double({ min: 0.01, max: 48, noNaN: true }),
      ),
    });
    const campaigns = ['autumn', 'winter', 'spring'] as const;
    const anyImpression = fc.record({
      campaign: fc.constantFrom(...campaigns),
      // Most within a day or two, so that caps are met; some before every window.
      ago: fc.oneof(fc.integer({ min: 0, max: 2 * DAY }), fc.integer({ min: 0, max: 60 * DAY })),
      device: fc.integer({ min: 0, max: 2 }),
    });
    const asked = fc.record({
      impressions: fc.array(anyImpression, { maxLength: 120 }),
      caps: fc.array(anyCap, { maxLength: 2 }),
      coolDownHours: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: MAX_CAP_WINDOW_HOURS })),
      pieces: fc.integer({ min: 1, max: 9 }),
    });
    const seen = { capped: 0, cooling_down: 0, eligible: 0 };
    fc.assert(
      fc.property(asked, ({ impressions, caps, coolDownHours, pieces }) => {
        const devices = [0, 1, 2].map((device) => {
          const records = impressions.flatMap((one, n) =>
            one.device === device
              ? [
                  event(n, {
                    event: 'Ad Impression',
                    campaign: one.campaign,
                    occurred_at: START - one.ago,
                    received_at: START - Math.floor(one.ago / 2),
                  }),
                ]
              : [],
          );
          let profile = EMPTY_PROFILE;
          for (let at = 0; at < records.length; at += pieces) {
            profile = fold(profile, streamed(records.slice(at, at + pieces), at));
            profile = unpackProfile(packProfile(profile, profile.purchases));
          }
          return { profile };
        });
        const rules = { caps, coolDownHours };
        const { decisions } = all(
          campaigns.map((campaign) => ({ campaign })),
          { person: {}, siblings: devices, campaigns: { autumn: rules, winter: rules, spring: rules } },
        );
        const expected = campaigns.map((campaign) => {
          const list = impressions.flatMap((one) =>
            one.campaign === campaign ? [Math.floor((START - one.ago) / 1000) * 1000] : [],
          );
          const within = (hours: number) => list.filter((at) => at > START - hours * HOUR).length;
          if (caps.some(({ count, windowHours }) => within(windowHours) >= count)) return 'capped';
          return within(coolDownHours) > 0 ? 'cooling_down' : 'eligible';
        });
        for (const one of expected) seen[one]++;
        expect(decisions.map(({ reason }) => reason)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
    // Each answer was the expected one often enough for the comparison to mean something.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
  });
});

describe('personOf', () => {
  it('is the linked person while the merge is not withdrawn', () => {
    expect(personOf(undefined)).toBeUndefined();
    expect(personOf(link({ person: 'p.k1.x' }))).toBe('p.k1.x');
    expect(personOf(link({ person: 'p.k1.x', withdrawn: { identity_merge: 1 } }))).toBeUndefined();
  });
});
