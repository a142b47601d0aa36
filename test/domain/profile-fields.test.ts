import { describe, expect, it } from '@jest/globals';
import type { PaulaConfig } from '../../domain/config.ts';
import { fold } from '../../domain/fold.ts';
import { EMPTY_PROFILE } from '../../domain/profile.ts';
import { packProfile } from '../../domain/profile-codec.ts';
import { FOLDED_FIELDS, withheldFields, withhold } from '../../domain/profile-fields.ts';
import type { PURPOSES } from '../../domain/purposes.ts';
import { STANDARD_FIELDS } from '../../domain/standard-fields.ts';
import type { EventRecord } from '../../domain/stream-record.ts';
import demo from '../../paula.config.ts';
import { event, orderOf, SHARD, sequenceOf } from './sample-events.ts';

const FIELDS = {
  campaign: 'the-campaign',
  placement: 'the-placement',
  utm_source: 'the-source',
  utm_medium: 'the-medium',
  utm_campaign: 'the-utm-campaign',
  referrer_host: 'the-referrer.example',
  product_id: 'the-product',
  category: 'the-category',
};
/** A look, an order with lines and one of a single product: together they have everything that the fold reads. */
const records = (): EventRecord[] => [
  event(1, FIELDS),
  orderOf(2, [{ product_id: 'line', quantity: 3 }], { order_id: 'o-1', value: '12.5', currency: 'SEK' }),
  event(3, {
    event: 'Order Completed',
    order_id: 'o-2',
    product_id: 'SKU-2',
    quantity: 7,
    value: '1',
    currency: 'SEK',
  }),
];

const folded = (events: readonly EventRecord[]): string => {
  const profile = fold(
    EMPTY_PROFILE,
    events.map((record, i) => ({ record, shard: SHARD, sequence: sequenceOf(i) })),
  );
  return Buffer.from(packProfile(profile, profile.purchases)).toString('latin1');
};

describe('what the fold reads of an event', () => {
  it('is the list of folded fields and what the platform itself writes', () => {
    const read = new Set<string>();
    const watched = (record: object): object =>
      new Proxy(record, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (name === 'properties') return watched(value ?? {});
          read.add(String(name));
          return value;
        },
      });
    folded(records().map((record) => watched(record) as EventRecord));
    const ofThePlan = [...read].filter((name) => Object.hasOwn(STANDARD_FIELDS, name)).sort();
    expect(ofThePlan).toEqual([...FOLDED_FIELDS].sort());
    const platform = ['event', 'event_id', 'occurred_at', 'received_at', 'site'];
    expect([...read].filter((name) => !Object.hasOwn(STANDARD_FIELDS, name)).sort()).toEqual(platform);
  });
});

describe('a field that is not collected for the profile', () => {
  const planWith = (name: string, purposes: readonly (typeof PURPOSES)[number][]): PaulaConfig => {
    const fields = Object.fromEntries(
      FOLDED_FIELDS.map((field) => [
        field,
        { ...demo.trackingPlan.fields[field], purposes: field === name ? [...purposes] : ['profile'] },
      ]),
    );
    return { ...demo, trackingPlan: { ...demo.trackingPlan, fields: fields as PaulaConfig['trackingPlan']['fields'] } };
  };

  it.each(FOLDED_FIELDS)('%s: its value makes no difference to the profile', (name) => {
    const without = withheldFields(planWith(name, ['measurement', 'personalisation']));
    expect(without).toEqual([name]);
    const bare = records().map((record) => {
      const { [name as 'campaign']: _, properties, ...rest } = record;
      return (name === 'products' || !properties ? rest : { ...rest, properties }) as EventRecord;
    });
    const taken = folded(records().map((record) => withhold(record, without)));
    expect(taken).toBe(folded(bare));
    expect(taken).not.toBe(folded(records()));
  });

  it('is none where the plan collects it for the profile, too', () => {
    for (const name of FOLDED_FIELDS) expect(withheldFields(planWith(name, ['measurement', 'profile']))).toEqual([]);
  });

  it('of the demo is the referrer: so only profile and storage hold what is folded', () => {
    expect(withheldFields(demo)).toEqual(['referrer_host']);
  });
});
