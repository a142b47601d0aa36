import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IN_IDS, redact } from '../../domain/redact.ts';

describe('redact', () => {
  it.each([
    ['paula@example.com', 'email'],
    ['mail to paula.muster+shop@mail.example.co.uk now', 'email'],
    ['paula%40example.com', 'email'],
    ['paula%2540example.com', 'email'],
    ['paula＠example.com', 'email'],
    ['paula (at) example.com', 'email'],
    ['päula@exämple.de', 'email'],
    ['+49 171 1234567', 'phone'],
    ['0049 30 901820', 'phone'],
    ['01711234567', 'phone'],
    ['030 / 90 18 20', 'phone'],
    ['DE89370400440532013000', 'iban'],
    ['de89 3704 0044 0532 0130 00', 'iban'],
    ['GB82 WEST 1234 5698 7654 32', 'iban'],
    ['4111 1111 1111 1111', 'card'],
    ['5500005555555559', 'card'],
    ['378282246310005', 'card'],
  ])('takes %s for what it is', (text, kind) => {
    const result = redact(text);
    expect(result.found).toEqual([kind]);
    expect(result.text).toContain(`[redacted:${kind}]`);
  });

  it.each([
    'SKU-01234',
    '4005808312345',
    '4006381333931',
    'summer_sale_2026',
    'Lippenstift „Rosé“ 4,5 g',
    'DE89370400440532013001',
    '4111 1111 1111 1112',
    '536365',
    '2026-11-24T10:00:00.000Z',
    '100% Pflege',
    '/produkte/creme-50-ml',
  ])('leaves %s as it is', (text) => {
    expect(redact(text)).toEqual({ text, found: [] });
  });

  it.each(['0080001234', '0012345678', '001-2345678', '20261124103015', '4111111111111111'])(
    'leaves the id %s as it is',
    (id) => expect(redact(id, IN_IDS)).toEqual({ text: id, found: [] }),
  );

  it.each([
    ['paula%40example.com', 'email'],
    ['DE89370400440532013000', 'iban'],
  ])('takes %s out of an id', (id, kind) => expect(redact(id, IN_IDS).found).toEqual([kind]));

  it('never throws and never grows a clean text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => typeof redact(text).text === 'string'),
    );
  });

  it('finds an address wherever it stands', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ a-z/?=&]{0,30}$/), fc.stringMatching(/^[ /?=&]{0,10}$/), (before, after) => {
        const result = redact(`${before} paula.muster@example.com${after}`);
        expect(result.text).not.toContain('paula.muster@example.com');
        expect(result.found).toEqual(['email']);
      }),
    );
  });
});

describe('the short cut for plain texts', () => {
  it('passes over nothing that a text with the same find elsewhere would show', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          'paula@example.com',
          '+491711234567',
          '01711234567',
          'DE89370400440532013000',
          '4111111111111111',
          'MT84MALT011000012345MTLCAST001S',
        ),
        fc.stringMatching(/^[a-z ]{0,12}$/),
        (secret, before) => expect(redact(`${before} ${secret}`).found).toHaveLength(1),
      ),
    );
  });
});
