import { SignJWT } from 'jose';
import type { PaulaConfig } from '../../domain/config.ts';
import type { Keys } from '../../domain/keys.ts';
import { PURPOSES, type Purpose } from '../../domain/purposes.ts';

/** A browser that the platform knows: the Cookie header that its answers have led to. */
export type KnownBrowser = { cookie: string };

/** What valid requests are made of. `users` are customers with an identity token each. */
export type Senders = {
  config: PaulaConfig;
  keys: Keys;
  /** A browser site that collects every event, and one of its origins. */
  site: string;
  origin: string;
  browsers: readonly KnownBrowser[];
  users: readonly { id: string; token: string }[];
};

/** Choices of the browsers: everything, nothing, and what lies between. */
const CHOICES: readonly (readonly Purpose[])[] = [
  PURPOSES,
  PURPOSES,
  [],
  ['storage'],
  ['storage', 'measurement'],
  ['storage', 'profile'],
  ['storage', 'measurement', 'profile', 'personalisation'],
  ['storage', 'measurement', 'profile', 'identity_merge'],
  ['measurement', 'profile'],
];

/** Enough that profiles are shared by some requests and not by all. */
const BROWSERS = 45;
const USERS = 20;

/** Longer than any run; the door itself takes tokens for ten minutes only, so late ones are refused, which is a case too. */
const TOKEN_TIME = '2h';

/** Lets browsers choose at a running platform and signs tokens for users, as the brand's server does. */
export async function makeSenders(url: string, config: PaulaConfig, keys: Keys): Promise<Senders> {
  const source = Object.values(config.sources).find(({ kind, events }) => kind === 'browser' && !events);
  const site = source?.site ?? '';
  const origin = config.sites[site]?.origins[0];
  const key = keys.identity[site]?.[0];
  if (origin === undefined || key === undefined) throw new Error('no browser source collects every event');

  const browsers: KnownBrowser[] = [];
  for (let i = 0; i < BROWSERS; i++) {
    const granted = CHOICES[i % CHOICES.length] ?? PURPOSES;
    const answer = await fetch(`${url}/v1/consent`, {
      method: 'PUT',
      headers: { origin },
      body: JSON.stringify({ purposes: Object.fromEntries(granted.map((purpose) => [purpose, true])) }),
    });
    if (answer.status !== 200) throw new Error(`a browser could not choose: ${answer.status}`);
    browsers.push({
      cookie: answer.headers
        .getSetCookie()
        .map((line) => line.split(';', 1)[0])
        .join('; '),
    });
  }
  const users = [];
  for (let i = 0; i < USERS; i++) {
    const id = `user-${i}`;
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'HS256', kid: key.id })
      .setSubject(id)
      .setAudience(site)
      .setIssuedAt()
      .setExpirationTime(TOKEN_TIME)
      .sign(Buffer.from(key.key, 'base64url'));
    users.push({ id, token });
  }
  return { config, keys, site, origin, browsers, users };
}
