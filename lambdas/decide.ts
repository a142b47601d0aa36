import { corsHeaders } from '../domain/cors.ts';
import { type Decision, decide as decideOn, type Known, personOf, UNKNOWN } from '../domain/decision.ts';
import { isLive, SK } from '../domain/items.ts';
import { unpackBought, unpackProfile } from '../domain/profile-codec.ts';
import { opens } from '../domain/purposes.ts';
import { purposesInForce } from '../domain/withdrawals.ts';
import type { Browser } from './browser.ts';
import { json, type Request, type Response, refusal } from './http.ts';
import type { ItemKey, ReadItems, StoredItems } from './stored-items.ts';

export type DecideDeps = {
  /** The sites by exact origin. */
  siteOfOrigin: ReadonlyMap<string, string>;
  /** Reads and verifies the cookies; `now` in milliseconds since the epoch. */
  identify: (cookies: readonly string[], now: number) => Browser;
  read: ReadItems;
  /** When audiences go out of date, in seconds since the epoch. */
  audienceExpiries: (audiences: readonly string[], now: number) => Promise<ReadonlyMap<string, number>>;
};

/** The door keeps no text longer than this in `product_id` and `campaign`, so a longer one can match nothing. */
const MAX_PARAMETER_LENGTH = 100;

/** `campaign` is read by frequency rules; it is held to its form already, so that banners can carry it. */
const PARAMETERS = ['product', 'campaign'] as const;

/** `GET /v1/decision`: show this browser the banner for a product or not, and why. */
export async function decide(request: Request, deps: DecideDeps): Promise<Response> {
  const cors = corsHeaders(request.headers.origin, deps.siteOfOrigin);
  const query = new URLSearchParams(request.query);
  const errors = PARAMETERS.filter((name) => (query.get(name)?.length ?? 0) > MAX_PARAMETER_LENGTH).map((path) => ({
    path,
    rule: `must have at most ${MAX_PARAMETER_LENGTH} characters`,
  }));
  if (errors.length > 0) return refusal(400, errors, cors);
  return json(200, await decisionFor(request, query.get('product') || undefined, deps), cors);
}

/** The answer where nothing could be read: no one is known, so the banner is shown. */
export const undecided = (request: Request, siteOfOrigin: DecideDeps['siteOfOrigin']): Response =>
  json(200, UNKNOWN, corsHeaders(request.headers.origin, siteOfOrigin));

async function decisionFor(request: Request, product: string | undefined, deps: DecideDeps): Promise<Decision> {
  const now = request.receivedAt;
  const { deviceId, granted } = deps.identify(request.cookies, now);
  if (deviceId === undefined || !opens(granted, 'browser').fold) return UNKNOWN;

  const device = knownOf(await deps.read(keysOf(deviceId), 'eventual'), deviceId, now);
  if (!opens(purposesInForce(granted, device.link), 'browser').fold) return UNKNOWN;
  const related = await readRelated(deviceId, device, now, deps.read);
  const audiences = [...new Set([...(device.audiences ?? []), ...(related.person?.audiences ?? [])])];
  const expiries = await deps.audienceExpiries(audiences, now);
  const isCurrent = (audience: string) => (expiries.get(audience) ?? 0) > now / 1000;
  return decideOn({ granted, device, ...related, product, isCurrent, now });
}

/**
 * The linked person and that person's other devices, in one read: the device's link holds a copy of the person's devices.
 * The person's own list is the authority; a device that is no longer on it, or says otherwise itself, is left out.
 */
async function readRelated(
  deviceId: string,
  { link }: Known,
  now: number,
  read: ReadItems,
): Promise<{ person?: Known; siblings?: Known[] }> {
  const personId = personOf(link);
  if (personId === undefined) return {};
  const copied = (link?.siblings ?? []).filter((id) => id !== deviceId);
  const stored = await read([personId, ...copied].flatMap(keysOf), 'eventual');
  const person = knownOf(stored, personId, now);
  if (purposesInForce(['identity_merge'], person.link).length === 0) return {};
  const siblings = copied
    .filter((id) => person.link?.siblings?.includes(id))
    .map((id) => knownOf(stored, id, now))
    .filter((sibling) => personOf(sibling.link) === personId);
  return { person, siblings };
}

const keysOf = (pk: string): ItemKey[] => Object.values(SK).map((sk) => ({ pk, sk }));

/** What is stored of an id and has not expired. */
function knownOf(stored: ReadonlyMap<string, StoredItems>, id: string, now: number): Known {
  const { profile, link, audiences, bought } = stored.get(id) ?? {};
  const live = <T extends { ttl: number }>(item: T | undefined) =>
    item && isLive(item, Math.floor(now / 1000)) ? item : undefined;
  const packed = { profile: live(profile)?.b, bought: live(bought)?.b };
  return {
    profile: packed.profile && unpackProfile(packed.profile),
    bought: packed.bought && unpackBought(packed.bought),
    link: live(link),
    audiences: [...(audiences?.ids ?? [])],
  };
}
