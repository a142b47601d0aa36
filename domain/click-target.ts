import type { PaulaConfig } from './config.ts';

/** Longer targets are refused: browsers and mail clients cut URLs beyond about 2,000 characters. */
const MAX_TARGET_LENGTH = 2000;

/**
 * The absolute https URL that a click may be sent to, or `undefined`: only a host that a configured site allows, no user
 * info and no port, so that the redirect cannot be borrowed for another place (CWE-601).
 */
export function clickTarget(to: string | undefined, config: PaulaConfig): string | undefined {
  if (to === undefined || to.length > MAX_TARGET_LENGTH || !URL.canParse(to)) return undefined;
  const url = new URL(to);
  const allowed = Object.values(config.sites).some((site) => site.clickHosts.includes(url.hostname));
  if (!allowed || url.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.port !== '')
    return undefined;
  return url.href;
}
