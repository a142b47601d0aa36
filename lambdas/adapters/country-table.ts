import { readFileSync } from 'node:fs';

/**
 * The packed table: a header of three 32-bit counts (countries, IPv4 starts, IPv6 starts), the countries as two letters
 * each, then per family the starts of ranges, ascending, and a country index per start (0: none). An IPv6 start is the
 * upper 64 bits: registries hand out nothing smaller. `scripts/pack-country-table.mjs` writes it.
 */
export type CountryTable = {
  countries: string[];
  v4: Uint32Array;
  v4Country: Uint8Array;
  v6: BigUint64Array;
  v6Country: Uint8Array;
};

/** Reads the packed table from its file. */
export function loadCountryTable(file: string): CountryTable {
  const bytes = readFileSync(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const [countryCount = 0, v4Count = 0, v6Count = 0] = new Uint32Array(buffer, 0, 3);
  let offset = 16;
  const v6 = new BigUint64Array(buffer, offset, v6Count);
  offset += v6Count * 8;
  const v4 = new Uint32Array(buffer, offset, v4Count);
  offset += v4Count * 4;
  const v4Country = new Uint8Array(buffer, offset, v4Count);
  offset += v4Count;
  const v6Country = new Uint8Array(buffer, offset, v6Count);
  offset += v6Count;
  const names = new TextDecoder().decode(new Uint8Array(buffer, offset, countryCount * 2));
  const countries = Array.from({ length: countryCount }, (_, i) => names.slice(i * 2, i * 2 + 2));
  return { countries, v4, v4Country, v6, v6Country };
}

/** The country of an address, ISO 3166-1 alpha-2; `undefined` where the table has none. The address goes no further. */
export function countryOf(address: string, table: CountryTable): string | undefined {
  const mapped = address.startsWith('::ffff:') ? address.slice(7) : address;
  const index = !mapped.includes(':')
    ? lookUp(table.v4, table.v4Country, v4Number(mapped))
    : lookUp(table.v6, table.v6Country, v6Upper(mapped));
  return index === 0 ? undefined : table.countries[index - 1];
}

function lookUp<T extends number | bigint>(starts: ArrayLike<T>, countries: Uint8Array, key: T | undefined): number {
  if (key === undefined) return 0;
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as T) <= key) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : (countries[low - 1] as number);
}

function v4Number(address: string): number | undefined {
  let value = 0;
  let octet = 0;
  let dots = 0;
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === 46) {
      value = value * 256 + octet;
      octet = 0;
      dots++;
    } else if (code >= 48 && code <= 57) octet = octet * 10 + (code - 48);
    else return undefined;
  }
  return dots === 3 ? value * 256 + octet : undefined;
}

function v6Upper(address: string): bigint | undefined {
  const [left = '', right] = address.split('::', 2);
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const groups =
    right === undefined ? head : [...head, ...Array(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  if (groups.length < 4) return undefined;
  let value = 0n;
  for (const group of groups.slice(0, 4)) {
    const bits = Number.parseInt(group, 16);
    if (Number.isNaN(bits)) return undefined;
    value = (value << 16n) | BigInt(bits);
  }
  return value;
}
