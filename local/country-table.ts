import { execFile } from 'node:child_process';
import { existsSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCRIPT = new URL('../scripts/pack-country-table.mjs', import.meta.url);
const PACKAGE = new URL('../node_modules/@ip-location-db/geo-whois-asn-country/package.json', import.meta.url);

/** Packs the country table into a file where it is missing or older than the package that it is made of. */
export async function ensureCountryTable(path: string): Promise<void> {
  if (existsSync(path) && statSync(path).mtimeMs >= statSync(PACKAGE).mtimeMs) return;
  await promisify(execFile)(process.execPath, [fileURLToPath(SCRIPT), `${path}.new`]);
  renameSync(`${path}.new`, path);
}
