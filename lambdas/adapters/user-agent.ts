import bowser from 'bowser';
import { isbotMatch } from 'isbot';
import isbotPackage from 'isbot/package.json' with { type: 'json' };
import type { UserAgent } from '../../domain/admit.ts';

/** Distinct user agents kept: parsing one costs about as much as half of admission, and a few thousand make most traffic. */
const CACHE_SIZE = 4000;

/** Longer texts are not parsed: the longest real ones have about 400 characters. */
const MAX_LENGTH = 512;

const BOT_LIST = `isbot/${isbotPackage.version}`;

/** Returns a reader with a cache of its own, bounded to `size` agents, the oldest out first. */
export function userAgentReader(size = CACHE_SIZE, onMiss?: () => void): (userAgent: string | undefined) => UserAgent {
  const cache = new Map<string, UserAgent>();
  return (userAgent) => {
    if (userAgent === undefined || userAgent === '') return NO_AGENT;
    const known = cache.get(userAgent);
    if (known) return known;
    onMiss?.();
    const parsed = parseUserAgent(userAgent.slice(0, MAX_LENGTH));
    if (cache.size >= size) cache.delete(cache.keys().next().value as string);
    cache.set(userAgent, parsed);
    return parsed;
  };
}

/** Servers send none, and that is no sign of a bot. */
const NO_AGENT: UserAgent = { deviceClass: 'unknown', isBot: false };

function parseUserAgent(userAgent: string): UserAgent {
  const match = isbotMatch(userAgent);
  // Lazy: the rendering engine is not asked for.
  const parser = bowser.getParser(userAgent, true);
  const [browser, os] = [parser.getBrowser(), parser.getOS()];
  return {
    deviceClass: parser.getPlatformType() || 'unknown',
    ...(browser.name && { browser: withMajor(browser.name, browser.version) }),
    ...(os.name && { os: withMajor(os.name, os.versionName ?? os.version) }),
    isBot: match !== null,
    ...(match !== null && {
      botReason: `${BOT_LIST} ${match
        .toLowerCase()
        .replace(/[^a-z0-9._/-]/g, '')
        .slice(0, 40)}`,
    }),
  };
}

const withMajor = (name: string, version: string | undefined): string =>
  version ? `${name} ${version.split('.', 1)[0]}` : name;
