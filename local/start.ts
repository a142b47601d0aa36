import { join } from 'node:path';
import { parseArgs } from 'node:util';
import paulaConfig from '../paula.config.ts';
import { curlLines } from './curl-lines.ts';
import { type Platform, startPlatform } from './platform.ts';

const USAGE = `npm start -- [options]
  --port 8080        the door's port; 0 picks a free one
  --state .paula     the folder that everything is kept in
  --stage local      a stage of paula.config.ts
  --plan-every N     seconds between two runs of the plan, or "off"; else the stage's`;

/** How long the parts may take to end; after that the process ends without them, which the next start can bear. */
const STOP_MS = 4_000;

const fail = (message: string): never => {
  console.error(message);
  process.exit(1);
};

const { values } = (() => {
  try {
    return parseArgs({
      options: {
        port: { type: 'string', default: '8080' },
        state: { type: 'string', default: '.paula' },
        stage: { type: 'string', default: 'local' },
        'plan-every': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${USAGE}`);
  }
})();

if (values.help) {
  console.log(USAGE);
} else {
  const platform = await start();
  announce(platform);
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, async () => {
      if (stopping) return;
      stopping = true;
      setTimeout(() => process.exit(1), STOP_MS).unref();
      await platform.stop();
      process.exit(0);
    });
}

async function start(): Promise<Platform> {
  const port = wholeNumber('--port', values.port, 65_535);
  const every = values['plan-every'];
  const planEvery = every === undefined || every === 'off' ? every : wholeNumber('--plan-every', every, 86_400);
  const { state: stateDir, stage } = values;
  try {
    return await startPlatform({
      port,
      stateDir,
      stage,
      fault: process.env.PAULA_FAULT,
      ...(planEvery !== undefined && { planEvery }),
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      return fail(`port ${port} is occupied: stop what listens there, or choose another with --port`);
    return fail(message);
  }
}

function wholeNumber(option: string, text: string, most: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > most)
    return fail(`${option} must be a whole number up to ${most}, not "${text}"`);
  return number;
}

function announce({ url, engines, keys }: Platform): void {
  console.log(`Paula is up.
  door       ${url}   (status: ${url}/local/status)
  state      ${values.state}   (keys: ${join(values.state, 'secrets.json')})
  dynamodb   ${engines.dynamodb}
  kinesis    ${engines.kinesis}
  s3         ${engines.s3}
`);
  for (const { what, command } of curlLines(paulaConfig, keys, url, join(values.state, 'cookies.txt')))
    console.log(`# ${what}\n${command}`);
  console.log('\nCtrl-C stops it.');
}
