import { decodeProtectedHeader, jwtVerify } from 'jose';
import type { Keys } from '../../domain/keys.ts';

/** A token is made for one page view: ten minutes at most, as the design has it. */
const MAX_AGE_SECONDS = 600;

/**
 * Verifies a compact JWS (HS256, RFC 7515) that the brand's server signed: `aud` is the site, `sub` the customer id, `exp`
 * lies ahead and `iat` at most ten minutes back. Returns the subject, or `undefined` for any fault.
 */
export async function verifyIdentityToken(
  token: string,
  site: string,
  now: number,
  keys: Keys,
): Promise<string | undefined> {
  try {
    const { kid } = decodeProtectedHeader(token);
    const key = keys.identity[site]?.find((candidate) => candidate.id === kid);
    if (!key) return undefined;
    const { payload } = await jwtVerify(token, Buffer.from(key.key, 'base64url'), {
      algorithms: ['HS256'],
      audience: site,
      requiredClaims: ['sub', 'exp', 'iat'],
      maxTokenAge: MAX_AGE_SECONDS,
      currentDate: new Date(now),
    });
    return payload.sub || undefined;
  } catch {
    return undefined;
  }
}
