import bowser from 'bowser';
import { isbotMatch } from 'isbot';
import isbotPackage from 'isbot/package.json' with { type: 'json' };
import type { UserAgent } from '../../domain/admit.ts';

/** Distinct user agents kept; parsing costs more than all the rest of admission, and few agents make most of the traffic. */
export const USER_AGENT_CACHE_SIZE = 400;

/** Longer texts are not parsed: the longest real ones have about 400 characters. */
const MAX_LENGTH = 512;

const BOT_LIST = `isbot/${isbotPackage.version}`;

/** Returns a reader with a bounded cache of its own, the least recently used agent out first. */
export function userAgentReader(onMiss?: () => void): (userAgent: string | undefined) => UserAgent {
  const cache = new Map<string, UserAgent>();
  return (userAgent) => {
    if (userAgent === undefined || userAgent === '') return NO_AGENT;
    const known = cache.get(userAgent);
    if (known) {
      cache.delete(userAgent);
      cache.set(userAgent, known);
      return known;
    }
    onMiss?.();
    const parsed = parseUserAgent(userAgent.slice(0, MAX_LENGTH));
    if (cache.size >= USER_AGENT_CACHE_SIZE) cache.delete(cache.keys().next().value as string);
    cache.set(userAgent, parsed);
    return parsed;
  };
}

/** Servers send none, and that is no sign of a bot. */
const NO_AGENT: UserAgent = { deviceClass: 'unknown', isBot: false };

function parseUserAgent(userAgent: string): UserAgent {
  const match = isbotMatch(userAgent);
  const { browser, os, platform } = bowser.parse(userAgent);
  return {
    deviceClass: platform.type ?? 'unknown',
    ...(browser.name && { browser: withMajor(browser.name, browser.version) }),
    ...(os.name && { os: withMajor(os.name, os.versionName ?? os.version) }),
    isBot: match !== null,
    ...(match !== null && { botReason: `${BOT_LIST} ${match.toLowerCase().replace(/[^a-z0-9._/-]/g, '').slice(0, 40)}` }),
  };
}

const withMajor = (name: string, version: string | undefined): string => (version ? `${name} ${version.split('.', 1)[0]}` : name);
