import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seeded } from '../../bench/random.ts';
import { type CountryTable, countryOf, loadCountryTable } from '../../lambdas/adapters/country-table.ts';

const folder = mkdtempSync(join(tmpdir(), 'paula-country-'));
let table: CountryTable;

beforeAll(() => {
  const file = join(folder, 'country.bin');
  execFileSync(process.execPath, [join(import.meta.dirname, '../../scripts/pack-country-table.mjs'), file]);
  table = loadCountryTable(file);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Row = { start: bigint; end: bigint; country: string };

function sourceRows(family: 'ipv4' | 'ipv6'): Row[] {
  const require = createRequire(import.meta.url);
  const file = require.resolve(`@ip-location-db/geo-whois-asn-country/geo-whois-asn-country-${family}-num.csv`);
  return readFileSync(file, 'latin1')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(',') as [string, string, string])
    .map(([start, end, country]) => ({ start: BigInt(start), end: BigInt(end), country }));
}

/** The countries of the narrowest rows that hold all addresses from `first` to `last`; more than one where the source says so. */
function expected(rows: readonly Row[], first: bigint, last: bigint): Set<string> {
  const holding = rows.filter(({ start, end }) => start <= first && last <= end);
  const width = holding.reduce((least, { start, end }) => (end - start < least ? end - start : least), 1n << 128n);
  return new Set(holding.filter(({ start, end }) => end - start === width).map(({ country }) => country));
}

const v4Text = (address: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.');
const v6Text = (address: bigint): string =>
  Array.from({ length: 8 }, (_, i) => ((address >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':');

/** A fixed random choice of rows. */
function sample(rows: readonly Row[], count: number): Row[] {
  const random = seeded(7);
  return Array.from({ length: count }, () => rows[Math.floor(random() * rows.length)] as Row);
}

const SAMPLES = 150;

describe('the country table', () => {
  it('agrees with the narrowest range of its source, IPv4', () => {
    const rows = sourceRows('ipv4');
    for (const { start, end } of sample(rows, SAMPLES))
      for (const address of [start, (start + end) / 2n, end])
        expect(expected(rows, address, address)).toContain(countryOf(v4Text(address), table));
  });

  it('agrees with the narrowest range that holds the whole /64, IPv6', () => {
    const rows = sourceRows('ipv6');
    const lower = (1n << 64n) - 1n;
    for (const { start } of sample(
      rows.filter(({ start, end }) => end - start >= lower),
      SAMPLES,
    )) {
      const first = start & ~lower;
      expect(expected(rows, first, first + lower)).toContain(countryOf(v6Text(start), table));
    }
  });

  it.each(['127.0.0.1', '10.0.0.1', '192.168.1.1', '::1', 'fe80::1', '', 'unknown', '1.2.3', ':::', '::ffff:10.0.0.1'])(
    'has no country for "%s"',
    (address) => expect(countryOf(address, table)).toBeUndefined(),
  );

  it('reads an IPv4 address that is written as IPv6', () =>
    expect(countryOf('::ffff:8.8.8.8', table)).toBe(countryOf('8.8.8.8', table)));
});
