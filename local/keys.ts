import { parseArgs } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SignJWT } from 'jose';
import { stageOf } from '../domain/config.ts';
import { type Rotated, retireKey, rotateKey } from '../domain/key-rotation.ts';
import { KEYS_CACHE_MS, Keys, keysInForce } from '../domain/keys.ts';
import { keysDocument, randomKey } from '../lambdas/adapters/keys-document.ts';
import config from '../paula.config.ts';
import { writePrivateJson } from './private-file.ts';
import { readSecrets, secretsPath } from './secrets.ts';
import { secretOfStage } from './stage-secret.ts';

/** How long an identity token holds: the door takes no longer ones. */
const TOKEN_MINUTES = 10;

const USAGE = `npm run keys -- show [--state DIR]              the write key of each source
npm run keys -- token USER SITE [--state DIR]   an identity token, as the brand's server would sign it
npm run keys -- rotate NAME [WHERE]             adds a new key to those of a name; the older one stays live
npm run keys -- retire NAME [WHERE] [--early]   drops the oldest key of a name

NAME   cookie, event, person, identity.SITE or writeKeys.SOURCE
WHERE  --state DIR (a state folder, .paula by default), or --stage STAGE [--region REGION] (the secret of a deployed
       stage, with the credentials of the AWS SDK)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    state: { type: 'string', default: '.paula' },
    stage: { type: 'string' },
    region: { type: 'string' },
    early: { type: 'boolean', default: false },
  },
});

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const [command, name, site] = positionals;
  if (command === 'show' && !values.stage) return show();
  if (command === 'token' && name && site && !values.stage) return console.log(await identityToken(name, site));
  if (command === 'rotate' && name) return rotate(name);
  if (command === 'retire' && name) return retire(name);
  console.error(USAGE);
  process.exitCode = 1;
}

function show(): void {
  for (const [source, [newest]] of Object.entries(readSecrets(values.state).writeKeys))
    console.log(`${source} ${newest}`);
}

/** A compact JWS, HS256: sub = user id, aud = site, key id in the header. */
async function identityToken(user: string, site: string): Promise<string> {
  const ring = keysInForce(readSecrets(values.state), Date.now()).keys.identity[site];
  const key = ring?.[0];
  if (!key) throw new Error(`"${site}" has no identity key; is it a configured site?`);
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256', kid: key.id })
    .setSubject(user)
    .setAudience(site)
    .setIssuedAt()
    .setExpirationTime(`${TOKEN_MINUTES}m`)
    .sign(Buffer.from(key.key, 'base64url'));
}

async function rotate(name: string): Promise<void> {
  const { read, write } = await document();
  const rotated = rotateKey(await read(), name, Date.now(), randomKey);
  await write(rotated.keys);
  announce(name, rotated);
}

/** Keys that somebody else needs are shown this once, on standard output; all others never. */
function announce(name: string, rotated: Rotated): void {
  const [kind = ''] = name.split('.');
  if (kind === 'writeKeys') console.log(rotated.key);
  if (kind === 'identity') console.log(`${rotated.id} ${rotated.key}`);
  console.error(afterRotation(kind, rotated).join('\n'));
}

/** What the operator has to know and to do next, by kind of key. */
function afterRotation(kind: string, { id, signsFrom = 0 }: Rotated): string[] {
  const known = timeOf(Date.now() + KEYS_CACHE_MS);
  const signs = timeOf(signsFrom);
  switch (kind) {
    case 'writeKeys':
      return [
        `The door knows the new write key by ${known}; let the sender change to it then.`,
        'It is not shown again. The old one stays live until you retire it.',
      ];
    case 'identity':
      return [
        `Above are key id and key. The door knows them by ${known}; let the brand's server sign with them then.`,
        'They are not shown again. The old key stays live until you retire it.',
      ];
    case 'cookie':
      return [
        `${id} signs cookies from ${signs} on. Those under the old key stay valid; retire it when the last has ended.`,
      ];
    case 'event':
      return [
        `${id} makes event ids from ${signs} on. A message that was sent before and is sent again later counts twice.`,
        'The old key can be retired then.',
      ];
    default:
      return [
        `${id} makes the ids of new persons from ${signs} on. A person who is known keeps the old id, so the old key stays.`,
      ];
  }
}

async function retire(name: string): Promise<void> {
  const { read, write } = await document();
  await write(retireKey(await read(), name, Date.now(), { early: values.early }));
  console.error(
    `${name}: the oldest key is gone; every function has forgotten it by ${timeOf(Date.now() + KEYS_CACHE_MS)}`,
  );
}

/** The keys document of the state folder, or of the stage's secret. */
async function document(): Promise<{ read: () => Promise<Keys>; write: (keys: Keys) => Promise<void> }> {
  const { state, stage } = values;
  if (stage === undefined) {
    if (values.region !== undefined) throw new Error('--region goes with --stage');
    return {
      read: async () => readSecrets(state),
      write: async (keys) => writePrivateJson(secretsPath(state), Keys.parse(keys)),
    };
  }
  const client = new SecretsManagerClient({ region: stageOf(config, stage, values.region).region });
  const stored = keysDocument(client, await secretOfStage(client, stage));
  return {
    read: async () => {
      const text = await stored.read();
      if (text === undefined) throw new Error(`the secret of stage "${stage}" is empty: deploy the stage first`);
      return Keys.parse(JSON.parse(text));
    },
    write: (keys) => stored.write(JSON.stringify(Keys.parse(keys))),
  };
}

function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
