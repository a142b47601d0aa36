import { describe, expect, it } from '@jest/globals';
import { type ConsentService, mayAsk, serviceRefusal } from '../../domain/consent-service.ts';

/** What an adapter has to offer; the type check is part of the test. */
const service: ConsentService = {
  name: 'A Service',
  answerFor: async (site) => (site === 'shop' ? { granted: [], givenAt: 1, noticeVersion: '2026-11' } : undefined),
};

describe('a recognised consent service', () => {
  it('is refused by name until its adapter is built', () =>
    expect(serviceRefusal(service.name)).toBe(
      'no adapter for the consent service "A Service" has been built; domain/consent-service.ts has its interface',
    ));

  it('that has answered for the text in force is not asked over, not even after a refusal', async () => {
    const refusal = await service.answerFor('shop', '');
    expect(mayAsk(undefined, refusal, '2026-11')).toBe(false);
    expect(mayAsk(undefined, refusal, '2027-01')).toBe(true);
    expect(mayAsk(undefined, await service.answerFor('portal', ''), '2026-11')).toBe(true);
  });

  it('is not needed where the person has answered here since the text came into force', () => {
    expect(mayAsk({ givenAt: Date.UTC(2026, 10, 1) }, undefined, '2026-11')).toBe(false);
    expect(mayAsk({ givenAt: Date.UTC(2026, 9, 31) }, undefined, '2026-11')).toBe(true);
    expect(mayAsk({ givenAt: Date.UTC(2026, 10, 23) }, undefined, '2026-11-24')).toBe(true);
  });
});
