import { parseArgs } from 'node:util';
import config from '../paula.config.ts';
import { startPreferences } from './preferences-server.ts';

const USAGE = `npm run preferences -- [options]
  --port 3000                             must make an origin that paula.config.ts names for a site
  --collector http://localhost:8080       where the platform answers`;

try {
  await run();
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  console.error(code === 'EADDRINUSE' ? 'the port is occupied: stop what listens there' : message);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3000' },
      collector: { type: 'string', default: 'http://localhost:8080' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const origin = `http://localhost:${values.port}`;
  if (!Object.values(config.sites).some(({ origins }) => origins.includes(origin)))
    throw new Error(`${origin} is no origin of a site in paula.config.ts: the collector would refuse its calls`);
  const page = await startPreferences(config, Number(values.port), new URL(values.collector).origin);
  console.log(`The preference page is at ${page.endpoint}/ and ${page.endpoint}/?lang=en. Ctrl-C stops it.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, async () => {
      await page.stop();
      process.exit(0);
    });
}
