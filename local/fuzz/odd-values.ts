import type { Chance } from './chance.ts';

/** The size that the largest values have. */
const MEGABYTE = 1024 * 1024;

/** Texts that have broken readers of texts: empty, too long by one, other scripts and their forms, other languages' syntax. */
const TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  '\u0000\u0001\u001f',
  '\u202eright to left',
  '\ufeff',
  '\ufffe\uffff',
  '\ud800',
  'x\udc00y',
  '\u{1f9f4}\u{1f469}\u200d\u{1f52c}',
  '\ufdfa'.repeat(100),
  `a@b.de${'\ufdfa'.repeat(90)}`,
  '\u0301'.repeat(100),
  '１２３',
  'İıſK',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an ad server's macro
  '${CAMPAIGN}',
  '%%CACHEBUSTER%%',
  '[timestamp]',
  '{{name}}',
  "'; DROP TABLE events; --",
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  '\r\nSet-Cookie: paula_id=x',
  '%00%0d%0a',
  '%c3%28',
  '%',
  '%zz',
  'paula@private.example',
  'DE89 3704 0044 0532 0130 00',
  '+49 (0)30 1234567',
  '4111 1111 1111 1111',
  'a'.repeat(100),
  'a'.repeat(101),
  'ä'.repeat(255),
  'b'.repeat(256),
  'a@'.repeat(500),
  `${'a.'.repeat(300)}@`,
  '0 '.repeat(500),
  'DE00 '.repeat(200),
  '1-'.repeat(2000),
  '%25'.repeat(500),
  '"'.repeat(99),
  '\\'.repeat(99),
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'true',
  'https://www.lindenblatt.example@evil.example/',
  'https://www.lindenblatt.example:8443/',
  'javascript:alert(1)',
  '//evil.example',
  'https://[::1]/',
  'http://www.lindenblatt.example/',
  `https://www.lindenblatt.example/${'p'.repeat(1990)}`,
  '2026-02-31T00:00:00Z',
  '0000-00-00',
  '+275760-09-13T00:00:00.001Z',
  '2026-11-24T12:00:00.123456789+14:00',
  '2026-11-24T25:61:61Z',
  '1764000000000',
  '0',
  '-0',
  '-1',
  '1e308',
  '1e-400',
  '0x10',
  'NaN',
  'Infinity',
  '9'.repeat(14),
  '99999999999999.9999',
  '9'.repeat(30),
  '0.00001',
  '1.005',
  '1,5',
  '2147483648',
  'EUR',
  'eur',
  'XXX',
  'ẞẞẞ',
];

/** JSON values by their text, since some cannot be written otherwise. */
const JSON_TEXTS: readonly string[] = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1e400',
  '1e-400',
  '123456789012345678901234567890',
  '0.1',
  '29.9',
  '2147483648',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"":{}}',
  '{"__proto__":{"product_id":"x","quantity":"y"}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"toString":1,"valueOf":1,"toJSON":"x","length":-1}',
  '{"categoryPreferences":{"storage":"true","measurement":1,"profile":{}}}',
  '[{"product_id":"x"},{"product_id":null},{"quantity":1e9},"line",7,null,[]]',
  '[{"product_id":"x","quantity":2147483647,"price":"99999999999999.9999"}]',
];

/** A text that a careful sender would not send; one of a megabyte now and then. */
export function oddText(chance: Chance): string {
  if (chance.yes(0.004)) return chance.pick(['x', 'ä', '%41', '0', '"']).repeat(MEGABYTE).slice(0, MEGABYTE);
  if (chance.yes(0.1)) return chance.bytes(chance.below(60)).toString('latin1');
  return chance.pick(TEXTS);
}

/** A JSON value that stands where another belongs. */
export function oddJson(chance: Chance): unknown {
  if (chance.yes(0.5)) return oddText(chance);
  if (chance.yes(0.03)) return Array.from({ length: 2001 }, () => chance.pick([0, null, {}]));
  return JSON.parse(chance.pick(JSON_TEXTS));
}

/** Levels of nesting that a recursive reader or writer of JSON does not survive. */
const DEPTH = 120_000;

/** A body that is no message: no JSON, no UTF-8, too deep, too many, too long. `json` is the text of a good one. */
export function oddBody(json: string, chance: Chance): Buffer {
  const text = Buffer.from(json);
  switch (chance.below(12)) {
    case 0:
      return text.subarray(0, chance.below(text.length + 1));
    case 1: {
      const changed = Buffer.from(text);
      for (let i = 0; i < 3 && changed.length > 0; i++) changed[chance.below(changed.length)] = chance.below(256);
      return changed;
    }
    case 2:
      return chance.bytes(chance.below(200));
    case 3:
      return Buffer.concat([Buffer.from('\ufeff'), text]);
    case 4:
      return Buffer.from(json, 'utf16le');
    case 5:
      return Buffer.from(`${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`);
    case 6:
      return Buffer.from(`{"batch":[${'{"a":'.repeat(DEPTH / 2)}1${'}'.repeat(DEPTH / 2)}]}`);
    case 7:
      return Buffer.from(json.replace(/\{/, `{"__proto__":{"writeKey":"x"},"batch":[{}],"type":"track",`));
    case 8:
      return Buffer.from(`{"batch":[${'0,'.repeat(chance.below(30_000))}0]}`);
    case 9:
      return Buffer.from(json.repeat(2));
    case 10:
      return Buffer.concat([text, Buffer.alloc(chance.pick([4096, 32 * 1024, 256 * 1024, 500 * 1024]), ' ')]);
    default:
      return chance.yes(0.1) ? Buffer.alloc(chance.pick([MEGABYTE, 5 * MEGABYTE]), 'x') : Buffer.from('null');
  }
}
