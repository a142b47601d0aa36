import { describe, expect, it } from '@jest/globals';
import { type DecisionInput, decide, type Known, personOf } from '../../domain/decision.ts';
import { fold } from '../../domain/fold.ts';
import type { LinkItem } from '../../domain/items.ts';
import { EMPTY_PROFILE } from '../../domain/profile.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { shortHash } from '../../domain/short-hash.ts';
import { orderOf, START, streamed } from './sample-events.ts';

const PROFILING: readonly Purpose[] = ['storage', 'profile'];
const PERSONALISED: readonly Purpose[] = [...PROFILING, 'personalisation'];

const bought = (quantity: number, n = 1): Known => ({
  profile: fold(EMPTY_PROFILE, streamed([orderOf(n, [{ product_id: 'SKU-1', quantity }])])),
});
const returned: Known = {
  profile: fold(
    EMPTY_PROFILE,
    streamed([orderOf(9, [{ product_id: 'SKU-1', quantity: -1 }], { event: 'Order Refunded', value: '-1' })]),
  ),
};
const link = (over: Partial<LinkItem> = {}): LinkItem => ({ pk: 'd.x', sk: 'link', ttl: 0, ...over });

const on = (over: Partial<DecisionInput>) =>
  decide({ granted: PROFILING, device: {}, product: 'SKU-1', isCurrent: () => true, now: START, ...over });

describe('decide', () => {
  it('is eligible where nothing speaks against it', () => {
    expect(on({})).toEqual({ show: true, reason: 'eligible', audiences: [] });
    expect(on({ device: bought(1), product: 'SKU-2' }).reason).toBe('eligible');
    expect(on({ device: bought(1), product: undefined }).reason).toBe('eligible');
  });

  it('suppresses what was bought on the device, by its person, on another device or in an overflow', () => {
    const suppressed = { show: false, reason: 'bought', audiences: [] };
    expect(on({ device: bought(1) })).toEqual(suppressed);
    expect(on({ person: bought(1) })).toEqual(suppressed);
    expect(on({ person: {}, siblings: [{}, bought(1)] })).toEqual(suppressed);
    const overflow = new Map([[shortHash('SKU-1'), { day: 1, net: 1 }]]);
    expect(on({ device: { profile: EMPTY_PROFILE, bought: overflow } })).toEqual(suppressed);
  });

  it('ends a suppression when the net of all is zero', () => {
    expect(on({ device: bought(1), person: returned }).reason).toBe('eligible');
    expect(on({ device: bought(2), person: returned }).reason).toBe('bought');
    expect(on({ device: returned }).reason).toBe('eligible');
  });

  it('knows nothing without storage and profile, as given or after a withdrawal', () => {
    const unknown = { show: true, reason: 'unknown' };
    expect(on({ device: bought(1), granted: ['storage', 'measurement', 'personalisation'] })).toEqual(unknown);
    expect(on({ device: bought(1), granted: ['profile'] })).toEqual(unknown);
    const withdrawn = link({ withdrawn: { profile: START } });
    expect(on({ device: { ...bought(1), link: withdrawn } })).toEqual(unknown);
    expect(on({ device: bought(1), person: { link: withdrawn } })).toEqual(unknown);
  });

  it('takes a purpose as granted again after a later receipt', () => {
    const again = link({ withdrawn: { profile: START }, regranted: { profile: START + 1 } });
    expect(on({ device: { ...bought(1), link: again } }).reason).toBe('bought');
  });

  it('leaves out another device that has withdrawn or objected', () => {
    const sibling = (over: Partial<LinkItem>): Known => ({ ...bought(1), link: link(over) });
    expect(on({ person: {}, siblings: [sibling({ withdrawn: { profile: 1 } })] }).reason).toBe('eligible');
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

describe('personOf', () => {
  it('is the linked person while the merge is not withdrawn', () => {
    expect(personOf(undefined)).toBeUndefined();
    expect(personOf(link({ person: 'p.k1.x' }))).toBe('p.k1.x');
    expect(personOf(link({ person: 'p.k1.x', withdrawn: { identity_merge: 1 } }))).toBeUndefined();
  });
});
