import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { readCheckpoint, writeCheckpoint } from './replay/checkpoint.ts';
import { type Answer, deliver } from './replay/deliver.ts';
import type { ReplayMessage } from './replay/message.ts';
import { openMessages, type ReplayFile } from './replay/open-messages.ts';

const USAGE =
  'usage: npm run replay -- FILE [--speed N|max] [--limit N] [--url http://localhost:8080] [--state .paula] [--source NAME] [--write-key KEY] [--mapping FILE.json] [--checkpoint FILE] [--repeat-last N]';

/** A 503 is sent again this often; the door says when. */
const RETRIES = 10;
/** The checkpoint is rewritten after this many more answers: often enough that a resumed replay repeats little. */
const CHECKPOINT_EVERY = 20;
/** How long to wait for the consumers to catch up after the last answer. */
const DRAIN_MS = 120_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    speed: { type: 'string', default: 'max' },
    limit: { type: 'string' },
    url: { type: 'string', default: 'http://localhost:8080' },
    state: { type: 'string', default: '.paula' },
    source: { type: 'string' },
    'write-key': { type: 'string' },
    mapping: { type: 'string' },
    checkpoint: { type: 'string' },
    'repeat-last': { type: 'string', default: '0' },
  },
});

await main();

/** Streams a file of events through the HTTP door of a running platform. */
async function main(): Promise<void> {
  const [file] = positionals;
  if (file === undefined || !existsSync(file)) return fail(file === undefined ? USAGE : `there is no file ${file}`);
  const replayFile = opened(file);
  const source = values.source ?? replayFile.source ?? 'history';
  const post = poster(values.url, values['write-key'] ?? writeKey(source));
  const open = replayFile.messages;
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit);
  if (!(limit > 0)) return fail('--limit must be a positive number');

  const done = values.checkpoint === undefined ? 0 : readCheckpoint(values.checkpoint).answered;
  const started = Date.now();
  const tally = { messages: 0, rows: 0, rejected: new Map<string, number>() };
  const bar = new SingleBar({
    format: 'replay [{bar}] {value}/{total} rows, {rate} events/s',
    noTTYOutput: true,
    notTTYSchedule: 5000,
  });
  const total = await countRows(open(), limit);
  bar.start(total.rows, 0, { rate: 0 });
  let written = done;

  const onAnswer = (message: ReplayMessage, answer: Answer): void => {
    tally.messages++;
    tally.rows += message.rows;
    for (const reason of answer.rejected) tally.rejected.set(reason, (tally.rejected.get(reason) ?? 0) + 1);
    bar.update(tally.rows, { rate: Math.round((tally.messages * 1000) / (Date.now() - started)) });
  };
  const onPrefix = (answered: number): void => {
    if (values.checkpoint === undefined || answered - written < CHECKPOINT_EVERY) return;
    writeCheckpoint(values.checkpoint, { answered });
    written = answered;
  };
  const delay = pacing(values.speed, started);

  try {
    await deliver(slice(open(), done, limit), done, { post, onAnswer, onPrefix, delay });
    if (values.checkpoint !== undefined) writeCheckpoint(values.checkpoint, { answered: total.messages });
    const repeat = Number(values['repeat-last']);
    if (repeat > 0)
      await deliver(slice(open(), Math.max(0, total.messages - repeat), limit), 0, {
        post,
        onAnswer,
        onPrefix: () => {},
        delay: () => 0,
      });
  } catch (error) {
    bar.stop();
    return fail(`the replay stopped: ${(error as Error).message}`);
  }
  bar.stop();
  const seconds = (Date.now() - started) / 1000;
  console.log(
    `${tally.messages} messages, ${tally.rows} rows in ${seconds.toFixed(1)} s: ${(tally.messages / seconds).toFixed(0)} events/s`,
  );
  console.log(
    tally.rejected.size === 0
      ? 'no event was rejected'
      : [...tally.rejected].map(([reason, count]) => `rejected ${count}: ${reason}`).join('\n'),
  );
  await reportLag(values.url);
}

function opened(file: string): ReplayFile {
  try {
    return openMessages(file, values.mapping);
  } catch (error) {
    return fail((error as Error).message);
  }
}

async function* slice(messages: AsyncIterable<ReplayMessage>, from: number, to: number): AsyncGenerator<ReplayMessage> {
  let index = 0;
  for await (const message of messages) {
    if (index >= to) return;
    if (index++ >= from) yield message;
  }
}

async function countRows(
  messages: AsyncIterable<ReplayMessage>,
  limit: number,
): Promise<{ rows: number; messages: number }> {
  const total = { rows: 0, messages: 0 };
  for await (const message of slice(messages, 0, limit)) {
    total.rows += message.rows;
    total.messages++;
  }
  return total;
}

/** Milliseconds to wait so that recorded time passes `speed` times as fast as it did. */
function pacing(speed: string, started: number): (message: ReplayMessage) => number {
  if (speed === 'max') return () => 0;
  const factor = Number(speed);
  if (!(factor > 0)) fail('--speed must be a positive number or max');
  let first: number | undefined;
  return (message) => {
    first ??= message.at;
    return started + (message.at - first) / factor - Date.now();
  };
}

function poster(url: string, key: string): (message: ReplayMessage) => Promise<Answer> {
  const headers = {
    'content-type': 'application/json',
    authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
  };
  return async (message) => {
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(`${url}/v1/${message.type}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(message.body),
      });
      const text = await response.text();
      if (response.status === 200) return { status: 200, rejected: [] };
      if (response.status === 503 && attempt < RETRIES) {
        await pause(Number(response.headers.get('retry-after') ?? 1) * 1000);
        continue;
      }
      if (response.status === 401 || response.status === 403 || response.status >= 500)
        throw new Error(`the door answered ${response.status}: ${text.slice(0, 200)}`);
      const { errors = [] } = JSON.parse(text) as { errors?: { path: string; rule: string }[] };
      return { status: response.status, rejected: errors.map((error) => `${error.path} ${error.rule}`) };
    }
  };
}

function writeKey(source: string): string {
  const file = join(values.state, 'secrets.json');
  if (!existsSync(file)) return fail(`${file} is not there: give --state of a running platform, or --write-key`);
  const { writeKeys } = JSON.parse(readFileSync(file, 'utf8')) as { writeKeys: Record<string, string[]> };
  return (
    writeKeys[source]?.[0] ?? fail(`source "${source}" has no write key; known: ${Object.keys(writeKeys).join(', ')}`)
  );
}

/** Time from the last answer until every consumer has taken all that is on the stream; only a local platform tells. */
async function reportLag(url: string): Promise<void> {
  const from = Date.now();
  while (Date.now() - from < DRAIN_MS) {
    const response = await fetch(`${url}/local/status`);
    if (!response.ok) return;
    const { consumers, rss } = (await response.json()) as { consumers: { behind: number }[]; rss: number };
    if (consumers.every((consumer) => consumer.behind === 0)) {
      console.log(
        `end-to-end lag: every consumer had caught up ${((Date.now() - from) / 1000).toFixed(1)} s after the last answer; ${Math.round(rss / 1e6)} MB resident`,
      );
      return;
    }
    await pause(100);
  }
  fail(`the consumers had not caught up after ${DRAIN_MS / 1000} s`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
