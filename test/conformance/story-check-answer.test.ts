import { describe, expect, it } from '@jest/globals';
import { faultsOf } from '../../conformance/story/check-answer.ts';
import type { Exchange } from '../../conformance/story/exchange.ts';
import type { Answer } from '../../conformance/story/step.ts';

const ATTRIBUTES = 'Max-Age=34128000; Path=/; Secure; HttpOnly; SameSite=None';
const ID = `paula_id=AAAAAAAAAAAAAAAAAAAAAA; ${ATTRIBUTES}`;
const GONE = 'paula_id=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=None';

const seen = (answer: Partial<Exchange> = {}): Exchange => ({
  status: 200,
  headers: { 'cache-control': 'no-store', 'content-type': 'application/json' },
  setCookies: [],
  body: Buffer.from('{"success":true}'),
  sentAt: 0,
  answeredAt: 0,
  ...answer,
});

describe('faultsOf', () => {
  it.each<[string, Partial<Exchange>, Answer]>([
    ['JSON as a whole', {}, { status: 200, body: { success: true } }],
    ['a pattern for a text', { body: Buffer.from('{"a":["long"]}') }, { status: 200, body: { a: [/^lo/] } }],
    ['an absent header', {}, { status: 200, headers: { location: null } }],
    ['a cookie', { setCookies: [ID] }, { status: 200, cookies: ['id cookie'] }],
    ['a cookie that goes', { setCookies: [GONE] }, { status: 200, cookies: ['id cookie removed'] }],
    ['no body', { body: Buffer.alloc(0) }, { status: 200, body: 'empty' }],
  ])('takes %s', (_, answer, wanted) => {
    expect(faultsOf(seen(answer), wanted)).toEqual([]);
  });

  it.each<[string, Partial<Exchange>, Answer, RegExp]>([
    ['another status', { status: 503 }, { status: 200 }, /^status 503 instead of 200$/],
    ['an answer that a cache may keep', { headers: {} }, { status: 200 }, /^header cache-control: none/],
    ['another header', {}, { status: 200, headers: { 'content-type': 'image/gif' } }, /^header content-type/],
    ['a header that must not be there', {}, { status: 200, headers: { 'content-type': null } }, /^header content-type/],
    ['a cookie that nobody asked for', { setCookies: [ID] }, { status: 200 }, /^sets paula_id instead of/],
    ['no cookie', {}, { status: 200, cookies: ['id cookie'] }, /^sets no cookie/],
    [
      'a cookie that scripts may read',
      { setCookies: [ID.replace(' HttpOnly;', '')] },
      { status: 200, cookies: ['id cookie'] },
      /^paula_id is not set as/,
    ],
    ['another value', {}, { status: 200, body: { success: false } }, /^body/],
    ['a field too many', {}, { status: 200, body: {} }, /^body/],
    ['a field too few', {}, { status: 200, body: { success: true, rejected: [] } }, /^body/],
    ['a list for an object', { body: Buffer.from('[]') }, { status: 200, body: {} }, /^body/],
    ['a text that does not fit', { body: Buffer.from('{"a":"x"}') }, { status: 200, body: { a: /y/ } }, /^body/],
    ['a body where there is none', {}, { status: 200, body: 'empty' }, /bytes of body instead of none$/],
    ['something else than the pixel', {}, { status: 200, body: 'gif' }, /instead of the pixel$/],
    ['a body that is no JSON', { body: Buffer.from('<html>') }, { status: 200, body: {} }, /no JSON$/],
  ])('names %s', (_, answer, wanted, fault) => {
    expect(faultsOf(seen(answer), wanted)).toEqual([expect.stringMatching(fault)]);
  });

  it('does not tell the value of a cookie', () => {
    const faults = faultsOf(seen({ setCookies: [ID] }), { status: 200, cookies: ['consent cookie'] });
    expect(faults.join()).not.toContain('AAAA');
  });
});
