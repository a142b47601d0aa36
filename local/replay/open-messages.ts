import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { csvMessages } from './csv-messages.ts';
import { readMapping } from './mapping.ts';
import type { ReplayMessage } from './message.ts';
import { ndjsonMessages } from './ndjson-messages.ts';

/** A file to replay: the source that its mapping names, and its messages, from the start each time. */
export type ReplayFile = { source?: string; messages(): AsyncIterable<ReplayMessage> };

/**
 * Opens a file of events: NDJSON, or CSV with a mapping file, by default the one under `mappings/` that is named as the
 * file is up to its first dot. Throws where a CSV has no mapping or the mapping is refused.
 */
export function openMessages(file: string, mappingFile?: string): ReplayFile {
  if (!/\.csv(\.gz)?$/.test(file)) return { messages: () => ndjsonMessages(file) };
  const path = mappingFile ?? join(import.meta.dirname, 'mappings', `${basename(file).split('.', 1)[0]}.json`);
  if (!existsSync(path)) throw new Error(`${file} is a CSV and needs --mapping FILE.json`);
  const mapping = readMapping(path);
  return { source: mapping.source, messages: () => csvMessages(file, mapping) };
}
