import { parseArgs } from 'node:util';
import * as z from 'zod';
import { CONTROL_HEADER, readControl } from './secrets.ts';

const USAGE = `npm run failed -- list [--state DIR]           the batches that a consumer gave up
npm run failed -- replay KEY [--state DIR]     sends one into the consumer that failed, and no other`;

const Listed = z.array(z.object({ key: z.string(), at: z.string(), bytes: z.number() }));
const Replayed = z.object({ consumer: z.string(), records: z.number(), failedAgain: z.number() });

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { state: { type: 'string', default: '.paula' } },
});

try {
  const [command, key] = positionals;
  if (command === 'list') await list();
  else if (command === 'replay' && key) await replay(key);
  else {
    console.error(USAGE);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function list(): Promise<void> {
  const failed = Listed.parse(await ask('GET', '/local/failed'));
  for (const { key, at, bytes } of failed) console.log(`${at}  ${String(bytes).padStart(9)}  ${key}`);
  if (failed.length === 0) console.log('no failed batches');
}

async function replay(key: string): Promise<void> {
  const { consumer, records, failedAgain } = Replayed.parse(await ask('POST', '/local/failed/replay', { key }));
  console.log(`${consumer}: ${records} records sent, ${failedAgain} failed again and are kept as new failed batches`);
  if (failedAgain > 0) process.exitCode = 1;
}

async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  const { url, token } = readControl(values.state);
  const request = {
    method,
    headers: { [CONTROL_HEADER]: token },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  const response = await fetch(`${url}${path}`, request).catch(() => {
    throw new Error(`no platform answers at ${url}: is it running on ${values.state}?`);
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error((answer as { message?: string }).message ?? `status ${response.status}`);
  return answer;
}
