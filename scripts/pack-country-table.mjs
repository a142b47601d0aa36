// Packs the CC0 country table of @ip-location-db/geo-whois-asn-country into the binary form that
// lambdas/adapters/country-table.ts reads. Usage: node scripts/pack-country-table.mjs OUT_FILE
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const out = process.argv[2];
if (!out) {
  console.error('usage: node scripts/pack-country-table.mjs OUT_FILE');
  process.exit(2);
}
const require = createRequire(import.meta.url);
const countries = [];
const v4 = pack('ipv4', (text) => BigInt(text), 0xffffffffn);
const v6 = pack('ipv6', (text) => BigInt(text) >> 64n, 0xffffffffffffffffn);

/** Turns `start,end,country` rows into starts, with an entry 0 where a gap begins; neighbours of one country are one. */
function pack(family, keyOf, last) {
  const file = require.resolve(`@ip-location-db/geo-whois-asn-country/geo-whois-asn-country-${family}-num.csv`);
  const starts = [];
  const indices = [];
  let next = 0n;
  const add = (start, index) => {
    if (indices.at(-1) === index) return;
    if (starts.at(-1) === start) {
      indices[indices.length - 1] = index;
      return;
    }
    starts.push(start);
    indices.push(index);
  };
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const [from, to, country] = line.trim().split(',');
    if (!country) continue;
    let index = countries.indexOf(country) + 1;
    if (index === 0) index = countries.push(country);
    const start = keyOf(from);
    if (start > next) add(next, 0);
    add(start, index);
    next = keyOf(to) + 1n;
  }
  if (next <= last) add(next, 0);
  return { starts, indices };
}

if (countries.length > 255) throw new Error('more countries than a byte can number');
const header = new Uint32Array([countries.length, v4.starts.length, v6.starts.length, 0]);
const parts = [
  header,
  new BigUint64Array(v6.starts),
  new Uint32Array(v4.starts.map(Number)),
  new Uint8Array(v4.indices),
  new Uint8Array(v6.indices),
  Buffer.from(countries.join(''), 'latin1'),
];
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))));
