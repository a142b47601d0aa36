import type { PaulaConfig } from '../../domain/config.ts';
import { PURPOSES } from '../../domain/purposes.ts';
import type { CollectDeps } from '../../lambdas/collect/deps.ts';
import { collect } from '../../lambdas/collect.ts';
import type { Request } from '../../lambdas/http.ts';
import { hostileTexts, worstTexts } from './hostile-texts.ts';
import type { Target } from './target.ts';

const NOW = Date.UTC(2026, 10, 24, 12);

/** What a call left behind. */
type Left = { counted: number; told: number; receipts: number };

/**
 * Bodies of `PUT /v1/consent`: what is no choice is refused with 400 or 413, counted, and leaves no cookie, no receipt and
 * no record. `door` gives the use case's dependencies, which count into `left`.
 */
export function consentBodiesTarget(
  config: PaulaConfig,
  random: () => number,
  door: (left: Left) => CollectDeps,
): Target {
  const left: Left = { counted: 0, told: 0, receipts: 0 };
  const deps = door(left);
  const texts = hostileTexts(random);
  const text = () => texts.next().value as string;
  const whole = (below: number) => Math.floor(random() * below);
  const pick = <T>(values: readonly T[]): T => values[whole(values.length)] as T;
  const value = () => pick([true, false, null, 1, 'true', [], {}, text(), -0, [true]]);
  const choices = (of: () => unknown) =>
    Object.fromEntries(Array.from({ length: whole(5) }, () => [pick(PURPOSES), of()]));
  const makers: (() => string)[] = [
    text,
    () => JSON.stringify(text()),
    () => JSON.stringify(value()),
    () => JSON.stringify({ purposes: value() }),
    () => JSON.stringify({ purposes: choices(value) }),
    () => JSON.stringify({ purposes: { ...choices(() => true), [text()]: true } }),
    () => JSON.stringify({ purposes: choices(() => true), [text()]: value() }),
    () => JSON.stringify({ purposes: choices(() => random() < 0.5) }),
    () => JSON.stringify({ purposes: choices(() => true), notice: value() }),
    () => JSON.stringify({ purposes: choices(() => true), notice: { version: value(), language: value() } }),
    () => `{"purposes":${'['.repeat(whole(3000))}`,
    () => `{"purposes":{"storage":true},"purposes":${JSON.stringify(value())}}`,
    () => `{"__proto__":{"purposes":{"storage":true}}}`,
    () => JSON.stringify({ purposes: { storage: true } }).slice(0, whole(30)),
    () => JSON.stringify({ purposes: { storage: true }, padding: 'x'.repeat(whole(9000)) }),
  ];
  const put = (body: string) => collect(putOf(body, config), deps);
  return {
    name: 'consent bodies',
    feed: async () => {
      const body = pick(makers)();
      const before = { ...left };
      const { statusCode, cookies } = await put(body);
      if (isChoice(body, config)) {
        if (statusCode !== 200) throw new Error(`${statusCode} to the choice ${body}`);
        return 'taken';
      }
      if (statusCode !== 400 && statusCode !== 413) throw new Error(`${statusCode} to ${JSON.stringify(body)}`);
      if (cookies?.length || left.told > before.told || left.receipts > before.receipts)
        throw new Error(`something stays of ${JSON.stringify(body)}`);
      if (left.counted !== before.counted + 1) throw new Error(`not counted: ${JSON.stringify(body)}`);
      return `refused with ${statusCode}`;
    },
    worst: (length) => {
      const nested = (open: string) => `{"purposes":${open.repeat(Math.floor((length - 12) / open.length))}`;
      return new Map([
        ...[...worstTexts(length)].flatMap(([name, worst]) => [
          [`body: ${name}`, () => put(worst)] as const,
          [`purpose: ${name}`, () => put(JSON.stringify({ purposes: { [worst]: true } }))] as const,
        ]),
        ['nested lists', () => put(nested('['))] as const,
        ['nested objects', () => put(nested('{"a":'))] as const,
        ['many keys', () => put(manyKeys(length))] as const,
      ]);
    },
  };
}

function manyKeys(length: number): string {
  const keys: Record<string, boolean> = {};
  for (let size = 20, i = 0; size < length; i++, size += 7 + String(i).length) keys[`k${i}`] = true;
  return JSON.stringify({ purposes: keys });
}

/** The rule for a choice, written apart from the schema that the door uses: it says which answer is right. */
function isChoice(body: string, config: PaulaConfig): boolean {
  if (Buffer.byteLength(body) > 4096) return false;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return false;
  }
  if (!isObject(parsed)) return false;
  const { purposes, notice, ...rest } = parsed;
  if (Object.keys(rest).length > 0 || !isObject(purposes)) return false;
  // A key `__proto__` is no purpose and no error: the schema reads past it.
  const names: readonly string[] = [...PURPOSES, '__proto__'];
  if (!Object.entries(purposes).every(([name, is]) => names.includes(name) && typeof is === 'boolean')) return false;
  if (notice === undefined) return true;
  if (!isObject(notice)) return false;
  const { version, language, ...others } = notice;
  return (
    Object.keys(others).length === 0 &&
    version === config.purposes.storage.notice.version &&
    (language === 'de' || language === 'en')
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const putOf = (body: string, config: PaulaConfig): Request => ({
  method: 'PUT',
  path: '/v1/consent',
  query: '',
  headers: { origin: Object.values(config.sites)[0]?.origins[0], 'content-type': 'application/json' },
  cookies: [],
  body,
  sourceIp: '203.0.113.9',
  userAgent: undefined,
  requestId: 'bad-input',
  receivedAt: NOW,
});
