import { COOKIE_MAX_AGE_SECONDS } from './consent-cookie.ts';
import { KEY_LEAD_MS, type Key, type Keys, LIVE_KEYS, LIVE_PERSON_KEYS } from './keys.ts';

/** Where a key stands in the document, and which keys stand there now. */
type Place =
  | { kind: 'cookie' | 'person' | 'event'; live: readonly Key[] }
  | { kind: 'identity'; of: string; live: readonly Key[] }
  | { kind: 'writeKeys'; of: string; live: readonly string[] };

/** The key that a rotation made. `id` and `signsFrom` (milliseconds) are absent for a write key, which signs nothing. */
export type Rotated = { keys: Keys; key: string; id?: string; signsFrom?: number };

/** Every name under which keys rotate: `cookie`, `person`, `event`, `identity.SITE`, `writeKeys.SOURCE`. */
export const keyNames = (keys: Keys): string[] => [
  'cookie',
  'person',
  'event',
  ...Object.keys(keys.identity).map((site) => `identity.${site}`),
  ...Object.keys(keys.writeKeys).map((source) => `writeKeys.${source}`),
];

/**
 * Adds a new newest key to those of a name; the older ones stay live. It is read at once, and signs from `KEY_LEAD_MS` after
 * `now` (milliseconds) on, when every function knows it. `random` returns 32 random bytes as base64url. Throws where the
 * name is unknown or has no room.
 */
export function rotateKey(keys: Keys, name: string, now: number, random: () => string): Rotated {
  const place = placeOf(keys, name);
  if (place.kind === 'person' && place.live.length >= LIVE_PERSON_KEYS)
    throw new Error(`person: ${LIVE_PERSON_KEYS} keys are live, and none of them can be retired`);
  if (place.kind !== 'person' && place.live.length >= LIVE_KEYS)
    throw new Error(`${name}: ${LIVE_KEYS} keys are live already; retire the older one first`);
  const key = random();
  if (place.kind === 'writeKeys') return { keys: replaced(keys, { ...place, live: [key, ...place.live] }), key };
  const id = nextId(place.live);
  const signsFrom = now + KEY_LEAD_MS;
  return { keys: replaced(keys, { ...place, live: [{ id, key, signsFrom }, ...place.live] }), key, id, signsFrom };
}

/**
 * Drops the oldest key of a name. Throws where it is the only one, or still needed: a person key always is; any other as
 * long as the newest does not sign; a cookie key until the last cookie under it has ended, unless `early` gives those up.
 */
export function retireKey(keys: Keys, name: string, now: number, { early = false } = {}): Keys {
  const place = placeOf(keys, name);
  if (place.live.length < 2) throw new Error(`${name}: only one key is live; rotate it first`);
  if (place.kind === 'writeKeys') return replaced(keys, { ...place, live: place.live.slice(0, -1) });
  if (place.kind === 'person')
    throw new Error(
      'person: no key can be retired. Persons keep the ids that were made with it, and with the key gone their ' +
        'withdrawals would be out of reach and not be heeded any more',
    );
  const [newest] = place.live;
  const signsFrom = newest?.signsFrom ?? now;
  if (signsFrom > now) throw new Error(`${name}: the newest key signs from ${dayAndTime(signsFrom)} on, not before`);
  const cookiesEnd = signsFrom + COOKIE_MAX_AGE_SECONDS * 1000;
  if (place.kind === 'cookie' && now < cookiesEnd && !early)
    throw new Error(
      `cookie: cookies signed with the oldest key live until ${dayAndTime(cookiesEnd)}; without it their browsers are ` +
        'nobody until they are asked again. Give them up with --early',
    );
  return replaced(keys, { ...place, live: place.live.slice(0, -1) });
}

function placeOf(keys: Keys, name: string): Place {
  if (name === 'cookie' || name === 'person' || name === 'event') return { kind: name, live: keys[name] };
  const dot = name.indexOf('.');
  const [kind, of] = [name.slice(0, dot), name.slice(dot + 1)];
  const identity = Object.hasOwn(keys.identity, of) ? keys.identity[of] : undefined;
  if (kind === 'identity' && identity) return { kind, of, live: identity };
  const writeKeys = Object.hasOwn(keys.writeKeys, of) ? keys.writeKeys[of] : undefined;
  if (kind === 'writeKeys' && writeKeys) return { kind, of, live: writeKeys };
  throw new Error(`there is no key "${name}"; known: ${keyNames(keys).join(', ')}`);
}

function replaced(keys: Keys, place: Place): Keys {
  switch (place.kind) {
    case 'identity':
      return { ...keys, identity: { ...keys.identity, [place.of]: [...place.live] } };
    case 'writeKeys':
      return { ...keys, writeKeys: { ...keys.writeKeys, [place.of]: [...place.live] } };
    default:
      return { ...keys, [place.kind]: [...place.live] };
  }
}

/** One more than the highest number: the newest key never goes before an older one, so no id comes a second time. */
function nextId(live: readonly Key[]): string {
  const numbers = live.map(({ id }) => Number(/^k(\d+)$/.exec(id)?.[1] ?? 0));
  return `k${Math.max(...numbers) + 1}`;
}

const dayAndTime = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
