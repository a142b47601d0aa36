import { MAX_DEVICE_RETENTION_DAYS } from './config.ts';
import type { Key } from './keys.ts';
import { PURPOSES, type Purpose, purposeMask } from './purposes.ts';

/** Holds 128 random bits, base64url. Past the door only their hash is known. */
export const ID_COOKIE = 'paula_id';
/** Holds the choices, when they were made, and a signature; no id. */
export const CONSENT_COOKIE = 'paula_consent';

/** Thirteen months, the longest that a choice may be relied on (TCF policy) and a cookie be kept (CNIL). */
export const COOKIE_MAX_AGE_SECONDS = MAX_DEVICE_RETENTION_DAYS * 86_400;

/** `(text, key) -> base64url` HMAC-SHA-256. */
export type Hmac = (text: string, key: string) => string;

export type Choices = { granted: readonly Purpose[]; givenAt: number };

const COOKIE_ID = /^[A-Za-z0-9_-]{22}$/;

/** True for a text that can be 128 bits in base64url. */
export const isCookieId = (value: string): boolean => COOKIE_ID.test(value);

/** Which purposes a bit mask holds, lowest bit first in the fixed order of `PURPOSES`, for each of the 256 masks. */
const UNPACKED: readonly Purpose[][] = Array.from({ length: 1 << PURPOSES.length }, (_, mask) =>
  PURPOSES.filter((_purpose, bit) => mask & (1 << bit)),
);

/** The form of the cookie's value, its first part. */
const VERSION = 'v1.';

/**
 * The cookie's value: `v1.<given at, base 36>.<mask, base 36>.<signature>`. The signature also covers the device
 * id ('' where storage was refused), so that choices cannot be carried over to another browser.
 */
export function writeConsentCookie(choices: Choices, deviceId: string, key: Key, hmac: Hmac): string {
  const body = `${VERSION}${choices.givenAt.toString(36)}.${purposeMask(choices.granted).toString(36)}`;
  return `${body}.${hmac(`${body}|${deviceId}`, key.key)}`;
}

/**
 * Reads the cookie back for the device that presents it; `undefined` for any fault: another device, an unknown key, a
 * wrong signature, or a choice that is older than thirteen months or from the future.
 */
export function readConsentCookie(
  value: string,
  deviceId: string,
  keys: readonly Key[],
  hmac: Hmac,
  now: number,
): Choices | undefined {
  const end = value.lastIndexOf('.');
  const signed = `${value.slice(0, end)}|${deviceId}`;
  if (!keys.some((key) => endsWith(value, end + 1, hmac(signed, key.key)))) return undefined;
  const between = value.lastIndexOf('.', end - 1);
  const granted = UNPACKED[Number.parseInt(value.slice(between + 1, end), 36)];
  const givenAt = Number.parseInt(value.slice(VERSION.length, between), 36);
  if (!value.startsWith(VERSION) || !granted || givenAt > now || now - givenAt > COOKIE_MAX_AGE_SECONDS * 1000)
    return undefined;
  return { granted, givenAt };
}

/** Compares from `start` on without an early end, so that the time taken says nothing about the first difference. */
function endsWith(value: string, start: number, expected: string): boolean {
  if (value.length - start !== expected.length) return false;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference |= value.charCodeAt(start + i) ^ expected.charCodeAt(i);
  return difference === 0;
}

/** A Set-Cookie value that pages and scripts cannot read and that travels from the sites to the collector. */
export const setCookie = (name: string, value: string): string =>
  `${name}=${value}; Max-Age=${COOKIE_MAX_AGE_SECONDS}; Path=/; Secure; HttpOnly; SameSite=None`;

/** A Set-Cookie value that removes the cookie. */
export const expireCookie = (name: string): string => `${name}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=None`;
