import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { COOKIE_MAX_AGE_SECONDS } from '../../domain/consent-cookie.ts';
import { keyNames, retireKey, rotateKey } from '../../domain/key-rotation.ts';
import { completeKeys, KEY_LEAD_MS, KEYS_CACHE_MS, Keys, keysInForce } from '../../domain/keys.ts';
import config from '../../paula.config.ts';

const NOW = Date.UTC(2026, 10, 24, 12);
const DAY_MS = 86_400_000;

let made = 0;
const random = (): string => String(made++).padStart(43, 'x');
const fresh = (): Keys => completeKeys({}, config, random);

/** Keys of a name, newest first. */
function live(keys: Keys, name: string): readonly (string | { id: string; key: string })[] {
  if (name === 'cookie' || name === 'person' || name === 'event') return keys[name];
  const [kind, of = ''] = name.split('.');
  return (kind === 'identity' ? keys.identity : keys.writeKeys)[of] ?? [];
}

describe('every name', () => {
  it.each(keyNames(fresh()))('%s: rotates beside the old key, and nothing else changes', (name) => {
    const before = fresh();
    const { keys, key } = rotateKey(before, name, NOW, random);
    expect(Keys.parse(keys)).toEqual(keys);
    expect(live(keys, name).slice(1)).toEqual(live(before, name));
    expect(JSON.stringify(live(keys, name)[0])).toContain(key);
    for (const other of keyNames(before).filter((one) => one !== name))
      expect(live(keys, other)).toEqual(live(before, other));
    expect(completeKeys(keys, config, random)).toEqual(keys);
  });

  it.each(keyNames(fresh()).filter((name) => name !== 'person'))(
    '%s: holds two live keys, and retires the older',
    (name) => {
      const once = rotateKey(fresh(), name, NOW, random).keys;
      expect(() => rotateKey(once, name, NOW, random)).toThrow(
        `${name}: 2 keys are live already; retire the older one`,
      );
      const later = NOW + 2 * COOKIE_MAX_AGE_SECONDS * 1000;
      const retired = retireKey(once, name, later);
      expect(live(retired, name)).toEqual(live(once, name).slice(0, 1));
      expect(() => retireKey(retired, name, later)).toThrow(`${name}: only one key is live`);
    },
  );

  it.each(['persons', 'identity', 'identity.', 'identity.blog', 'writeKeys.blog', 'writeKeys.__proto__', 'toString'])(
    '"%s" is none, and the message lists those that are',
    (name) => {
      expect(() => rotateKey(fresh(), name, NOW, random)).toThrow(
        /there is no key.*cookie, person, event, identity\.shop/,
      );
      expect(() => retireKey(fresh(), name, NOW)).toThrow('there is no key');
    },
  );
});

it('gives every key an id that none of its name ever had', () => {
  let keys = fresh();
  let at = NOW;
  const ids = keys.cookie.map(({ id }) => id);
  for (let turn = 0; turn < 5; turn++) {
    const rotated = rotateKey(keys, 'cookie', at, random);
    ids.push(rotated.id ?? '');
    at += KEY_LEAD_MS;
    keys = retireKey(rotated.keys, 'cookie', at, { early: true });
  }
  expect(ids).toEqual(['k1', 'k2', 'k3', 'k4', 'k5', 'k6']);
});

describe('what may not be retired', () => {
  it('a key while the newest does not sign', () => {
    const { keys, signsFrom = 0 } = rotateKey(fresh(), 'event', NOW, random);
    expect(() => retireKey(keys, 'event', signsFrom - 1)).toThrow('the newest key signs from 2026-11-24 12:10 UTC on');
    expect(() => retireKey(keys, 'event', signsFrom)).not.toThrow();
  });

  it('a cookie key while cookies under it live, unless they are given up', () => {
    const { keys, signsFrom = 0 } = rotateKey(fresh(), 'cookie', NOW, random);
    const end = signsFrom + 395 * DAY_MS;
    expect(() => retireKey(keys, 'cookie', end - 1)).toThrow(/live until 2027-12-24 12:10 UTC.*--early/);
    expect(() => retireKey(keys, 'cookie', end)).not.toThrow();
    expect(() => retireKey(keys, 'cookie', signsFrom, { early: true })).not.toThrow();
    expect(() => retireKey(keys, 'cookie', signsFrom - 1, { early: true })).toThrow('signs from');
  });

  it('a cookie key of which nobody noted when its follower began', () => {
    const keys = fresh();
    const [old] = keys.cookie;
    const byHand = { ...keys, cookie: [{ id: 'k2', key: random() }, ...(old ? [old] : [])] };
    expect(() => retireKey(byHand, 'cookie', NOW)).toThrow('--early');
  });

  it('any person key: withdrawals stand under it', () => {
    let { keys } = rotateKey(fresh(), 'person', NOW, random);
    expect(() => retireKey(keys, 'person', NOW + 10_000 * DAY_MS, { early: true })).toThrow(
      /withdrawals would be out of reach/,
    );
    for (let turn = 0; turn < 2; turn++) keys = rotateKey(keys, 'person', NOW, random).keys;
    expect(keys.person.map(({ id }) => id)).toEqual(['k4', 'k3', 'k2', 'k1']);
    expect(() => rotateKey(keys, 'person', NOW, random)).toThrow(
      'person: 4 keys are live, and none of them can be retired',
    );
  });
});

describe('the keys in force', () => {
  const ids = (keys: Keys, at: number) => keysInForce(keys, at).keys.cookie.map(({ id }) => id);

  it('let a new key verify at once and sign when every function knows it', () => {
    const { keys, signsFrom = 0 } = rotateKey(fresh(), 'cookie', NOW, random);
    expect(signsFrom - NOW).toBeGreaterThanOrEqual(2 * KEYS_CACHE_MS);
    expect(ids(keys, NOW)).toEqual(['k1', 'k2']);
    expect(ids(keys, signsFrom - 1)).toEqual(['k1', 'k2']);
    expect(ids(keys, signsFrom)).toEqual(['k2', 'k1']);
    expect(keysInForce(keys, NOW).until).toBe(signsFrom);
    expect(keysInForce(keys, signsFrom).until).toBe(Number.POSITIVE_INFINITY);
  });

  it('are those of the document, whatever waits in it, and change at `until` only', () => {
    const starts = fc.array(fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(starts, fc.integer({ min: 0, max: 1000 }), (signsFrom, at) => {
        const keys = fresh();
        keys.person = signsFrom.map((from, i) => ({
          id: `k${signsFrom.length - i}`,
          key: random(),
          ...(from !== undefined && { signsFrom: from }),
        }));
        const { keys: now, until } = keysInForce(keys, at);
        expect([...now.person].sort((a, b) => (a.id < b.id ? 1 : -1))).toEqual(keys.person);
        const [signing] = now.person;
        const started = keys.person.filter(({ signsFrom: from = 0 }) => from <= at);
        expect(signing).toEqual(started[0] ?? keys.person.at(-1));
        if (until < Number.POSITIVE_INFINITY) {
          expect(until).toBeGreaterThan(at);
          expect(keysInForce(keys, until - 1).keys).toEqual(now);
        } else expect(keysInForce(keys, 1001).keys).toEqual(now);
      }),
    );
  });
});
