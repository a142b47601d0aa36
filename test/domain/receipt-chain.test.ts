import { describe, expect, it } from '@jest/globals';
import type { Purpose } from '../../domain/purposes.ts';
import { ownReceipt, saidPurposes, signalReceipts, standingPurposes } from '../../domain/receipt-chain.ts';

type Method = Parameters<typeof ownReceipt>[0][number]['method'];
const receipt = (method: Method, site: string, granted: Purpose[], withdrawn: Purpose[] = [], expires_at = 100) => ({
  method,
  site,
  granted,
  withdrawn,
  expires_at,
});

const before = receipt('tcf', 'portal', ['storage', 'personalisation']);
const own = receipt('browser', 'shop', ['storage', 'identity_merge'], ['personalisation']);
const older = receipt('tcf', 'portal', ['storage', 'profile']);
const portal = receipt('tcf', 'portal', ['storage'], ['profile']);
const shop = receipt('tcf', 'shop', ['storage', 'measurement'], [], 50);
const chain = [shop, portal, older, own, before];

describe('a subject’s receipts', () => {
  it('hold the last own choice, whatever strings have come since', () => {
    expect(ownReceipt(chain)).toBe(own);
    expect(ownReceipt([before])).toBeUndefined();
  });

  it('hold the last string of each site since then', () => {
    expect([...signalReceipts(chain)]).toEqual([
      ['shop', shop],
      ['portal', portal],
    ]);
    expect(signalReceipts([own, before]).size).toBe(0);
    expect([...signalReceipts([before])]).toEqual([['portal', before]]);
  });

  it('say of every purpose that was given or taken back since then that an own choice has to name it', () => {
    expect([...saidPurposes(chain)].sort()).toEqual([
      'identity_merge',
      'measurement',
      'personalisation',
      'profile',
      'storage',
    ]);
    expect([...saidPurposes([before])]).toEqual(before.granted);
    expect(saidPurposes([]).size).toBe(0);
  });

  it('grant together what stands and has not expired', () => {
    expect([...standingPurposes(chain, 49)].sort()).toEqual(['identity_merge', 'measurement', 'storage']);
    expect([...standingPurposes(chain, 50)].sort()).toEqual(['identity_merge', 'storage']);
    expect(standingPurposes([], 0).size).toBe(0);
  });
});
