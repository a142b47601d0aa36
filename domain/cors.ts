/** A pre-flight answer holds for a day at most in Firefox and two hours in Chromium; longer values have no effect. */
const PREFLIGHT_SECONDS = 7200;

/** CORS headers for a configured origin, credentials included; none for any other (Fetch standard, section 3.2). */
export function corsHeaders(origin: string | undefined, sites: ReadonlyMap<string, string>): Record<string, string> {
  if (origin === undefined || !sites.has(origin)) return {};
  return { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', vary: 'Origin' };
}

/** What a pre-flight is answered in addition. */
export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, POST, PUT',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-max-age': String(PREFLIGHT_SECONDS),
};
