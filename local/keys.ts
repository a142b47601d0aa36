import { parseArgs } from 'node:util';
import { SignJWT } from 'jose';
import { readSecrets } from './secrets.ts';

/** How long an identity token holds: the door takes no longer ones. */
const TOKEN_MINUTES = 10;

const USAGE = `npm run keys -- show [--state DIR]              the write key of each source
npm run keys -- token USER SITE [--state DIR]   an identity token, as the brand's server would sign it`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { state: { type: 'string', default: '.paula' } },
});

try {
  const [command, user, site] = positionals;
  if (command === 'show') show();
  else if (command === 'token' && user && site) console.log(await identityToken(user, site));
  else {
    console.error(USAGE);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function show(): void {
  for (const [source, [newest]] of Object.entries(readSecrets(values.state).writeKeys))
    console.log(`${source} ${newest}`);
}

/** A compact JWS, HS256: sub = user id, aud = site, key id in the header. */
async function identityToken(user: string, site: string): Promise<string> {
  const ring = readSecrets(values.state).identity[site];
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
