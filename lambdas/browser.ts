import { objectsAutomatically, underAutomatedObjection } from '../domain/automated-objection.ts';
import {
  type Choices,
  CONSENT_COOKIE,
  type Hmac,
  ID_COOKIE,
  isCookieId,
  readConsentCookie,
} from '../domain/consent-cookie.ts';
import type { Keys } from '../domain/keys.ts';
import type { Purpose } from '../domain/purposes.ts';
import type { Request } from './http.ts';

/** Hashes that the door needs; both return base64url. */
export type Hashes = { hmac: Hmac; sha256: (text: string) => string };

/** Who sends a browser's request: its device where storage is granted, its choices where they were signed for it. */
export type Browser = {
  deviceId?: string;
  granted: readonly Purpose[];
  choices?: Choices;
  /** There is a consent cookie, and it is forged, out of date or another device's. */
  isRefused?: true;
};

const NOBODY: Browser = { granted: [] };
const REFUSED: Browser = { granted: [], isRefused: true };

/** The device of an id cookie that is well formed, whether or not a choice goes with it: holding the cookie proves it. */
export function presentedDevice(cookies: readonly string[], hashes: Hashes): string | undefined {
  const id = cookieValue(cookies, ID_COOKIE);
  return id !== undefined && isCookieId(id) ? deviceIdOf(id, hashes) : undefined;
}

/** The device id of an id cookie: its hash, so that who reads the lake cannot become that browser. */
export const deviceIdOf = (cookieId: string, hashes: Hashes): string => `d.${hashes.sha256(cookieId)}`;

/**
 * Reads both cookies. Without a valid signature over this very device nothing is granted and the id cookie is not even
 * looked at further.
 */
export function readBrowser(cookies: readonly string[], keys: Keys, hashes: Hashes, now: number): Browser {
  const consent = cookieValue(cookies, CONSENT_COOKIE);
  if (consent === undefined) return NOBODY;
  const deviceId = presentedDevice(cookies, hashes) ?? '';
  const choices = readConsentCookie(consent, deviceId, keys.cookie, hashes.hmac, now);
  if (!choices) return REFUSED;
  if (deviceId === '' || !choices.granted.includes('storage')) return { granted: [], choices };
  return { deviceId, granted: choices.granted, choices };
}

/**
 * The choices of a consent cookie that was signed for no device, since storage was refused. Where an id cookie has come
 * since, by a TC string, `readBrowser` no longer finds them.
 */
export function readRefusal(cookies: readonly string[], keys: Keys, hashes: Hashes, now: number): Choices | undefined {
  const consent = cookieValue(cookies, CONSENT_COOKIE);
  return consent === undefined ? undefined : readConsentCookie(consent, '', keys.cookie, hashes.hmac, now);
}

/** The browser as its own request leaves it: where it objects automatically, nothing is handed on to others. */
export const underItsObjection = (browser: Browser, { headers }: Pick<Request, 'headers'>): Browser =>
  objectsAutomatically(headers) ? { ...browser, granted: underAutomatedObjection(browser.granted) } : browser;

function cookieValue(cookies: readonly string[], name: string): string | undefined {
  const prefix = `${name}=`;
  for (const cookie of cookies) if (cookie.startsWith(prefix)) return cookie.slice(prefix.length);
  return undefined;
}
