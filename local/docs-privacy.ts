import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import config from '../paula.config.ts';
import { DOCUMENTS_FOLDER, privacyDocuments } from './docs-privacy/documents.ts';
import { staleFiles } from './docs-privacy/stale.ts';

const USAGE = `npm run docs:privacy                writes the privacy documents from the configuration
npm run docs:privacy -- --check     names those that are stale, and fails`;

/** Writes the documents, or with `--check` compares them; sets exit code 1 where one is stale. */
function main(): void {
  const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
  const folder = join(import.meta.dirname, '..', DOCUMENTS_FOLDER);
  const documents = privacyDocuments(config);
  const stale = staleFiles(documents, folder);
  if (check) {
    for (const name of stale) console.error(`${DOCUMENTS_FOLDER}/${name} is stale: run npm run docs:privacy`);
    if (stale.length > 0) process.exitCode = 1;
    return;
  }
  mkdirSync(folder, { recursive: true });
  for (const name of stale) writeFileSync(join(folder, name), documents.get(name) ?? '');
  console.log(stale.length === 0 ? 'the privacy documents are up to date' : `written: ${stale.join(', ')}`);
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 1;
}
