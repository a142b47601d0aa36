import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { rotateKey } from '../../domain/key-rotation.ts';
import { completeKeys, KEY_LEAD_MS, KEYS_CACHE_MS, type Keys } from '../../domain/keys.ts';
import { keysLoader } from '../../lambdas/adapters/keys.ts';
import { randomKey } from '../../lambdas/adapters/keys-document.ts';
import config from '../../paula.config.ts';

const NOW = Date.UTC(2026, 10, 24, 12);

let folder: string;
let load: () => Promise<Keys>;
let now = NOW;

const store = (document: unknown) => writeFileSync(join(folder, 'secrets.json'), JSON.stringify(document));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paula-keys-'));
  load = keysLoader(pathToFileURL(join(folder, 'secrets.json')).href);
  now = NOW;
  jest.spyOn(Date, 'now').mockImplementation(() => now);
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

it('hands out the same keys until the document is due, and the new ones then', async () => {
  const before = completeKeys({}, config, randomKey);
  store(before);
  const first = await load();
  const { keys: after } = rotateKey(before, 'writeKeys.web', now, randomKey);
  store(after);
  now += KEYS_CACHE_MS;
  expect(await load()).toBe(first);
  now += 1;
  const second = await load();
  expect(second.writeKeys.web).toEqual(after.writeKeys.web);
  expect(await load()).toBe(second);
});

it('changes to the new signing key at its time, also between two reads of the document', async () => {
  const rotated = rotateKey(completeKeys({}, config, randomKey), 'cookie', now, randomKey);
  store(rotated.keys);
  now = NOW + KEY_LEAD_MS - 1;
  const before = await load();
  expect(before.cookie.map(({ id }) => id)).toEqual(['k1', 'k2']);
  store('nothing that could be read');
  now += 1;
  const after = await load();
  expect(after.cookie.map(({ id }) => id)).toEqual(['k2', 'k1']);
  expect(await load()).toBe(after);
});

it('keeps what it knows while a refresh fails, and says so without a word of the document', async () => {
  const said = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  store(completeKeys({}, config, randomKey));
  const known = await load();
  store({ cookie: 'top-secret' });
  now += KEYS_CACHE_MS + 1;
  expect(await load()).toEqual(known);
  expect(said.mock.calls.flat()).toEqual(['the keys could not be refreshed: ZodError']);
  const repaired = completeKeys({}, config, randomKey);
  store(repaired);
  now += KEYS_CACHE_MS + 1;
  expect(await load()).toEqual(repaired);
});

it('throws where there is nothing to begin with', async () => {
  await expect(load()).rejects.toThrow('ENOENT');
});
