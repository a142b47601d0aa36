import type { PaulaConfig } from './config.ts';

/** A pre-flight answer holds for a day at most in Firefox and two hours in Chromium; longer values have no effect. */
const PREFLIGHT_SECONDS = 7200;

/** The site whose page sent the request, by its exact Origin; `undefined` where the header is absent or not configured. */
export function siteOfOrigin(origin: string | undefined, config: PaulaConfig): string | undefined {
  if (origin === undefined) return undefined;
  for (const [name, site] of Object.entries(config.sites)) if (site.origins.includes(origin)) return name;
  return undefined;
}

/** CORS headers for a configured origin, credentials included; none for any other (Fetch standard, section 3.2). */
export function corsHeaders(origin: string | undefined, config: PaulaConfig): Record<string, string> {
  if (origin === undefined || siteOfOrigin(origin, config) === undefined) return {};
  return { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', vary: 'Origin' };
}

/** What a pre-flight is answered in addition. */
export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, POST, PUT',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-max-age': String(PREFLIGHT_SECONDS),
};
