import { describe, expect, it } from '@jest/globals';
import { EMPTY_PROFILE } from '../../domain/profile.ts';
import type { RequestItem } from '../../domain/rights.ts';
import { bundleCsv, bundleOf } from '../../domain/rights-bundle.ts';
import config from '../../paula.config.ts';

const request: RequestItem = {
  id: 'a-request',
  right: 'access',
  channel: 'person',
  received_at: Date.parse('2026-11-24T12:00:00Z'),
  state: 'open',
  since: 0,
  hashes: ['a-hash'],
  subjects: ['p.k1.one', 'd.one'],
  ttl: 0,
};

const bundle = bundleOf(
  { ...config, destinations: { crm: { country: 'DE', transferMechanism: 'none_needed_eu' } } },
  {
    request,
    profiles: [{ ...EMPTY_PROFILE, counts: new Map([['Page Viewed', 3]]), products: new Map([['serum-30', 1.5]]) }],
    devices: 1,
    objected: Date.parse('2026-11-23T12:00:00Z'),
    receipts: [
      { pk: 'd.one', sk: '17#r1', ttl: 1, receipt_id: 'r1', granted: ['storage'], given_at: 0, expires_at: 1000 },
    ],
    events: [
      {
        request_id: 'a-request',
        event_id: 'e1',
        event: 'Page Viewed',
        occurred_at: '0',
        received_at: 0,
        campaign: null,
      },
    ],
    features: [{ request_id: 'a-request', family: 'category', feature: 'face' }],
    segments: [
      { segment_id: 'buyers_30d', entered_at: 0, left_at: null },
      { segment_id: 'gone', entered_at: 0, left_at: 1000 },
    ],
    segmentTexts: {
      buyers_30d: { name: { de: 'K', en: 'Buyers' }, description: { de: 'k', en: 'Ordered lately' } },
    },
    madeAt: Date.parse('2026-11-24T13:00:00Z'),
  },
);

describe('a bundle', () => {
  it('has everything that Art. 15(1) and 20 ask for', () => {
    expect(Object.keys(bundle).sort()).toEqual(
      [
        ...['request', 'controller', 'subject', 'objection_to_direct_marketing', 'profile', 'receipts', 'segments'],
        ...['features', 'events', 'sources', 'recipients', 'purposes', 'retention'],
      ].sort(),
    );
    expect(bundle).toMatchObject({
      controller: { contact: config.brand.contact },
      profile: [{ events: { 'Page Viewed': 3 }, interest_in_products: { 'serum-30': 1.5 } }],
      receipts: [{ receipt_id: 'r1', given_at: '1970-01-01T00:00:00.000Z' }],
      segments: [
        { segment: 'buyers_30d', reason: { description: { en: 'Ordered lately' } } },
        { segment: 'gone', reason: 'a segment that no longer exists', left_at: '1970-01-01T00:00:01.000Z' },
      ],
      events: [{ event: 'Page Viewed', occurred_at: '1970-01-01T00:00:00.000Z' }],
      recipients: [{ recipient: 'crm', country: 'DE', transfer: 'none_needed_eu' }],
    });
  });

  it('holds none of our ids', () => {
    expect(JSON.stringify(bundle)).not.toMatch(/d\.one|p\.k1\.one|a-hash|17#r1|"e1"/);
  });

  it('says the same as CSV, a line for each value', () => {
    const lines = bundleCsv(bundle).split('\r\n');
    expect(lines[0]).toBe('part,record,field,value');
    expect(lines).toEqual(
      expect.arrayContaining([
        'profile,1,events.Page Viewed,3',
        'receipts,1,granted.0,storage',
        'segments,1,reason.description.en,Ordered lately',
        'segments,2,reason,a segment that no longer exists',
        'events,1,event,Page Viewed',
        'objection_to_direct_marketing,1,,2026-11-23T12:00:00.000Z',
      ]),
    );
  });

  it('quotes what CSV needs, and defuses what a spreadsheet would run', () => {
    const csv = bundleCsv({ a: [{ text: 'x,"y"\nz' }, { text: '=1+1' }, { text: '-12.5' }, { text: '-cmd' }] });
    expect(csv).toBe(
      'part,record,field,value\r\na,1,text,"x,""y""\nz"\r\na,2,text,\'=1+1\r\na,3,text,-12.5\r\na,4,text,\'-cmd\r\n',
    );
  });
});
