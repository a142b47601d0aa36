import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { stageOf } from '../domain/config.ts';
import config from '../paula.config.ts';
import { compactStores } from './rights/compact-stores.ts';
import { readLedger, replayLedger } from './rights/replay-ledger.ts';
import { signedHeaders } from './rights/signature-v4.ts';
import { readSigningKey } from './rights/signing-key.ts';
import { CONTROL_HEADER, readControl } from './secrets.ts';

const USAGE = `npm run rights -- export|objection|erasure CUSTOMER [--state DIR]   asks for a customer, as the brand's server would
npm run rights -- status REQUEST [--state DIR]                      how far a request has come, and its deadline
npm run rights -- run [--as-of TIME] [--state DIR]                  runs the rights job now
npm run rights -- compact [--state DIR]                             writes the embedded stores anew; no platform may run
npm run rights -- replay-ledger FILE --profiles TABLE --consents TABLE --stage STAGE [--region REGION]
                                                                    after a restore; docs/runbook.md says when`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    state: { type: 'string', default: '.paula' },
    'as-of': { type: 'string' },
    profiles: { type: 'string' },
    consents: { type: 'string' },
    stage: { type: 'string' },
    region: { type: 'string' },
  },
});

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const [command, name] = positionals;
  if (command === 'compact') return compactStores(values.state, Date.now());
  if (command === 'run') return say(await runJob());
  if (command === 'status' && name) return say(await ask('GET', `/v1/requests/${name}`));
  if ((command === 'export' || command === 'objection' || command === 'erasure') && name)
    return say(await ask('POST', `/v1/persons/${encodeURIComponent(name)}/${command}`));
  if (command === 'replay-ledger' && name) return replay(name);
  console.error(USAGE);
  process.exitCode = 1;
}

function say(answer: unknown): void {
  console.log(JSON.stringify(answer, null, 2));
}

async function ask(method: string, path: string): Promise<unknown> {
  const url = `${readControl(values.state).url}${path}`;
  const { region } = stageOf(config, 'local');
  const headers = await signedHeaders({ method, url }, readSigningKey(values.state), region, Date.now());
  return answerOf(await fetch(url, { method, headers }));
}

async function runJob(): Promise<unknown> {
  const { url, token } = readControl(values.state);
  const query = values['as-of'] === undefined ? '' : `?${new URLSearchParams({ as_of: values['as-of'] })}`;
  return answerOf(await fetch(`${url}/local/rights${query}`, { method: 'POST', headers: { [CONTROL_HEADER]: token } }));
}

async function answerOf(response: Response): Promise<unknown> {
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`status ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}

async function replay(file: string): Promise<void> {
  const { profiles, consents, stage, region } = values;
  if (profiles === undefined || consents === undefined || stage === undefined) throw new Error(USAGE);
  const client = new DynamoDBClient({ region: stageOf(config, stage, region).region });
  const { entries, erased, objected } = await replayLedger(await readLedger(file), client, { profiles, consents });
  console.log(`${entries} entries; ${erased} subjects were erased again, ${objected} have objected again`);
}
