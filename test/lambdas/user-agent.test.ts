import { describe, expect, it } from '@jest/globals';
import { userAgentReader } from '../../lambdas/adapters/user-agent.ts';

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1';

describe('userAgentReader', () => {
  const read = userAgentReader();

  it.each([
    [IPHONE, { deviceClass: 'mobile', browser: 'Safari 17', os: 'iOS 17', isBot: false }],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.6723.92 Safari/537.36',
      { deviceClass: 'desktop', browser: 'Chrome 130', os: 'Windows 10', isBot: false },
    ],
    [
      'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
      { deviceClass: 'desktop', browser: 'Firefox 132', os: 'Linux', isBot: false },
    ],
  ])('cuts %s down to classes and majors', (userAgent, expected) => expect(read(userAgent)).toEqual(expected));

  it.each([
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'curl/8.5.0',
    'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15 (Applebot/0.1)',
  ])('flags %s with the list and its version', (userAgent) =>
    expect(read(userAgent)).toMatchObject({
      isBot: true,
      botReason: expect.stringMatching(/^isbot\/\d+\.\d+\.\d+ \d+$/),
    }),
  );

  it.each([
    'paula.muster@example.com/12 (x)',
    'paula.muster/12 app',
    'Paula.Muster',
    'shop 01711234567/1.0',
    '203.0.113.117',
    'app/203.0.113.117',
    'DE89370400440532013000',
    'Mozilla/5.0 (paula.muster@example.com) bot',
    'Firefox/01711234567.0 (x)',
  ])('keeps nothing of what %s says in its own words', (userAgent) =>
    expect(JSON.stringify(read(userAgent))).not.toMatch(/paula|muster|1711234567|113\.117|3704004405/i),
  );

  it('keeps no more agents than its bound and reads each of them once', () => {
    let misses = 0;
    const bounded = userAgentReader(2, () => {
      misses++;
    });
    for (const name of ['a', 'b', 'a', 'b']) bounded(name);
    expect(misses).toBe(2);
    for (const name of ['c', 'a']) bounded(name);
    expect(misses).toBe(4);
  });

  it('survives what is no user agent', () => {
    expect(read(undefined)).toEqual({ deviceClass: 'unknown', isBot: false });
    expect(read('x'.repeat(100_000))).toMatchObject({ deviceClass: expect.any(String) });
  });
});
