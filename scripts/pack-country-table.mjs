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

/** Addresses that belong to no country (RFC 6890), though the source names one for some of them. */
const NOWHERE = {
  ipv4: [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ].map(([address, bits]) =>
    block(
      address.split('.').reduce((value, octet) => value * 256n + BigInt(octet), 0n),
      32 - bits,
    ),
  ),
  // Upper halves: fc00::/7 and fe80::/10; ::1 lies in no range of the source.
  ipv6: [block(0xfc00n << 48n, 57), block(0xfe80n << 48n, 54)],
};

function block(start, freeBits) {
  return { start, end: start + (1n << BigInt(freeBits)) - 1n, index: 0 };
}

const v4 = pack(rangesOf('ipv4', 0n).concat(NOWHERE.ipv4));
const v6 = pack(rangesOf('ipv6', 64n).concat(NOWHERE.ipv6));

/** The source's ranges in steps of 2^shift addresses; what fills no whole step is left out. */
function rangesOf(family, shift) {
  const file = require.resolve(`@ip-location-db/geo-whois-asn-country/geo-whois-asn-country-${family}-num.csv`);
  const step = (1n << shift) - 1n;
  const ranges = [];
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const [from, to, country] = line.trim().split(',');
    if (!country) continue;
    const start = (BigInt(from) + step) >> shift;
    const end = ((BigInt(to) + 1n) >> shift) - 1n;
    if (end < start) continue;
    let index = countries.indexOf(country) + 1;
    if (index === 0) index = countries.push(country);
    ranges.push({ start, end, index });
  }
  return ranges;
}

/** Turns ranges, which may lie within each other, into starts with the country of the narrowest range from there on. */
function pack(ranges) {
  ranges.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.end > b.end ? -1 : a.end < b.end ? 1 : 0));
  const starts = [];
  const indices = [];
  const open = [];
  const add = (start, index) => {
    if (starts.at(-1) === start) {
      starts.pop();
      indices.pop();
    }
    if ((indices.at(-1) ?? 0) === index) return;
    starts.push(start);
    indices.push(index);
  };
  /** Ends what ends before `limit`; behind it the narrowest of the others goes on. */
  const close = (limit) => {
    for (;;) {
      const first = open.reduce(
        (least, range) => (least === undefined || range.end < least.end ? range : least),
        undefined,
      );
      if (first === undefined || first.end >= limit) return;
      open.splice(open.indexOf(first), 1);
      add(first.end + 1n, narrowest(open)?.index ?? 0);
    }
  };
  for (const range of ranges) {
    close(range.start);
    open.push(range);
    add(range.start, narrowest(open).index);
  }
  close(ranges.reduce((last, { end }) => (end > last ? end : last), 0n) + 1n);
  return { starts, indices };
}

/** Of equally narrow ones, the last in the order of the source. */
function narrowest(open) {
  return open.reduce(
    (best, range) => (best === undefined || range.end - range.start <= best.end - best.start ? range : best),
    undefined,
  );
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
