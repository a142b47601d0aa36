import { CONSENT_COOKIE, ID_COOKIE, writeConsentCookie } from '../../domain/consent-cookie.ts';
import type { Keys } from '../../domain/keys.ts';
import type { Purpose } from '../../domain/purposes.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import { deviceIdOf, readBrowser } from '../../lambdas/browser.ts';
import { hostileTexts, worstTexts } from './hostile-texts.ts';
import type { Target } from './target.ts';

const GRANTED: readonly Purpose[] = ['storage', 'measurement', 'profile'];
const NOW = Date.UTC(2026, 10, 24, 12);
/** Every so many inputs is a sound pair of cookies, which has to grant what it says. */
const SOUND_EVERY = 50;

/** Both cookies as a browser presents them: what was not signed for this device, or was changed since, grants nothing. */
export function cookiesTarget(keys: Keys, random: () => number): Target {
  const texts = hostileTexts(random);
  const text = () => texts.next().value as string;
  const [key] = keys.cookie;
  if (!key) throw new Error('no key signs the consent cookie');
  const id = randomId();
  const sound = writeConsentCookie({ granted: GRANTED, givenAt: NOW - 1 }, deviceIdOf(id, hashes), key, hashes.hmac);
  const read = (consent: string, deviceCookie: string) =>
    readBrowser([`${ID_COOKIE}=${deviceCookie}`, `${CONSENT_COOKIE}=${consent}`], keys, hashes, NOW);
  const makers: (() => [consent: string, id: string])[] = [
    () => [text(), id],
    () => [sound, text()],
    () => [changed(sound, random), id],
    () => [sound, changed(id, random)],
    () => [sound.slice(0, Math.floor(random() * sound.length)), id],
    () => [sound + text().slice(0, 9), id],
    () => [`v1.${text()}`, text()],
  ];
  return {
    name: 'cookies',
    feed: (round) => {
      if (round % SOUND_EVERY === 0) {
        if (read(sound, id).granted.length !== GRANTED.length) throw new Error('a sound pair of cookies is refused');
        return 'granted';
      }
      const make = makers[Math.floor(random() * makers.length)] as (typeof makers)[number];
      const [consent, deviceCookie] = make();
      if (consent === sound && deviceCookie === id) return 'granted';
      const { granted, deviceId, isRefused } = read(consent, deviceCookie);
      if (granted.length > 0 || deviceId !== undefined || !isRefused)
        throw new Error(`granted ${granted}, refused ${isRefused} to ${JSON.stringify([consent, deviceCookie])}`);
      return 'denied';
    },
    worst: (length) =>
      new Map(
        [...worstTexts(length)].flatMap(([name, worst]) => [
          [`consent: ${name}`, () => read(worst, id).granted.length] as const,
          [`consent, dots: ${name}`, () => read(`v1.${worst}.`, id).granted.length] as const,
          [`id: ${name}`, () => read(sound, worst).granted.length] as const,
        ]),
      ),
  };
}

/** The text with one character replaced by another one. */
function changed(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const other = 'A1_.z'.charAt(Math.floor(random() * 5));
  return text.slice(0, at) + (text.charAt(at) === other ? '~' : other) + text.slice(at + 1);
}
