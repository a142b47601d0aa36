import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { parseTimestamp } from '../../domain/occurred-at.ts';
import type { ReplayMessage } from './message.ts';

const TYPES = new Set(['track', 'page', 'identify']);

/** Streams a file of Segment messages, one JSON object a line (gzipped where its name says so). */
export async function* ndjsonMessages(file: string): AsyncGenerator<ReplayMessage> {
  const bytes = createReadStream(file);
  const lines = createInterface({ input: file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes });
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() !== '') yield messageOf(line, `${file}:${number}`);
  }
}

function messageOf(line: string, place: string): ReplayMessage {
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(line) as Record<string, unknown>;
  } catch {
    throw new Error(`${place}: must be a JSON object`);
  }
  const { type, userId, anonymousId, timestamp } = body;
  if (typeof type !== 'string' || !TYPES.has(type)) throw new Error(`${place}: type must be track, page or identify`);
  return {
    type: type as ReplayMessage['type'],
    person: String(userId ?? anonymousId ?? place),
    rows: 1,
    at: typeof timestamp === 'string' ? (parseTimestamp(timestamp) ?? 0) : 0,
    body,
  };
}
