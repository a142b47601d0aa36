import { describe, expect, test } from '@jest/globals';
import { readPageAddress, readReferrerHost } from '../../domain/page-address.ts';

describe('what is kept of a page address', () => {
  test.each([
    ['https://shop.example', { page_path: '/' }],
    ['https://shop.example?utm_source=a/b', { page_path: '/', utm_source: 'a/b' }],
    ['HTTPS://user:secret@shop.example:8443/p/1?x=1#top', { page_path: '/p/1' }],
    ['/p/1?gclid=G&utm_medium=mail', { page_path: '/p/1', click_id: 'G', utm_medium: 'mail' }],
    ['/p#?utm_source=no', { page_path: '/p' }],
    ['/p?utm_source=first&utm_source=second&&utm_campaign&utm_medium=', { page_path: '/p', utm_source: 'first' }],
    ['/p?utm_source=a%20b&utm_medium=c+d', { page_path: '/p', utm_source: 'a b', utm_medium: 'c d' }],
    ['/p?utm%5Fsource=a', { page_path: '/p', utm_source: 'a' }],
    ['//user:secret@shop.example/p/1?utm_source=a', { page_path: '/p/1', utm_source: 'a' }],
    ['//shop.example', { page_path: '/' }],
    ['javascript:alert(1)', {}],
    ['mailto:someone', {}],
    ['', {}],
    [undefined, {}],
  ])('%s', (address, kept) => {
    expect(readPageAddress(address)).toEqual(kept);
  });
});

describe('the host of a referrer', () => {
  test.each([
    ['https://www.Portal.example/a?b', 'www.portal.example'],
    ['https://user:secret@portal.example:8443', 'portal.example'],
    ['http://[2001:db8::1]/', '[2001:db8::1]'],
    ['https://portal.example and a text', undefined],
    ['/a/path', undefined],
    [undefined, undefined],
  ])('%s', (referrer, host) => {
    expect(readReferrerHost(referrer)).toBe(host);
  });
});
