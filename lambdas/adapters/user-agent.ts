import bowser from 'bowser';
import { isbot, isbotPattern, list } from 'isbot';
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
  // Lazy: the rendering engine is not asked for.
  const parser = bowser.getParser(userAgent, true);
  const [browser, os] = [parser.getBrowser(), parser.getOS()];
  return {
    deviceClass: parser.getPlatformType() || 'unknown',
    ...(browser.name && BROWSERS.has(browser.name) && { browser: withMajor(browser.name, browser.version) }),
    ...(os.name && { os: withMajor(os.name, os.version, os.versionName) }),
    ...(isbot(userAgent) ? { isBot: true, botReason: `${BOT_LIST} ${patternNumber(userAgent)}` } : { isBot: false }),
  };
}

/** The number of the list's pattern that matched. What it matched is the sender's own text, and may be anything. */
const patternNumber = (userAgent: string): number => list.indexOf(isbotPattern(userAgent) ?? '');

/** The parser's own names: of an agent that it does not know it returns what stands before the first slash. */
const BROWSERS: ReadonlySet<string> = new Set(Object.values(bowser.BROWSER_MAP));

/** Up to four digits; more of them, or a text, are no version. A version's name (Windows 8.1) is of the parser's own lists. */
const MAJOR = /^\d{1,4}(?=\.|$)/;

const withMajor = (name: string, version: string | undefined, versionName?: string): string => {
  const major = versionName?.split('.', 1)[0] ?? MAJOR.exec(version ?? '')?.[0];
  return major ? `${name} ${major}` : name;
};
