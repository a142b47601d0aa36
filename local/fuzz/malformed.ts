import type { Chance } from './chance.ts';

/** What is no HTTP/1.1 message in itself: a gateway has to refuse it, and no function sees it. */
const MESSAGES: readonly string[] = [
  'GET\r\n\r\n',
  'get /p.gif HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /p.gif HTTP/9.9\r\nHost: localhost\r\n\r\n',
  'GET p.gif HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /p.gif?e=a b HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /p.gif?e=\xe4 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /p.gif HTTP/1.1\r\n\r\n',
  'GET /p.gif HTTP/1.1\r\nHost: localhost\r\nX-\0: 1\r\n\r\n',
  'GET /p.gif HTTP/1.1\r\nHost: localhost\r\nReferer: a\x01b\r\n\r\n',
  'GET /p.gif HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n',
  'POST /v1/track HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
  'POST /v1/track HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
  'POST /v1/track HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /v1/track HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
];

/** The bytes of such a message. */
export const malformed = (chance: Chance): Buffer => Buffer.from(chance.pick(MESSAGES), 'latin1');
