import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Keys } from '../../domain/keys.ts';
import { ensureSecrets, isToken, readControl, readSecrets, writeControl } from '../../local/secrets.ts';
import config from '../../paula.config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paula-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const mode = (name: string): number => statSync(join(folder, name)).mode & 0o777;

it('makes every key that the configuration needs, for the owner alone, and no two alike', () => {
  const keys = ensureSecrets(folder, config);
  expect(Object.keys(keys.writeKeys)).toEqual(Object.keys(config.sources));
  expect(Object.keys(keys.identity)).toEqual(Object.keys(config.sites));
  expect(mode('secrets.json')).toBe(0o600);
  const all = [...Object.values(keys.writeKeys).flat(), keys.cookie[0]?.key, keys.person[0]?.key, keys.event[0]?.key];
  expect(new Set(all).size).toBe(all.length);
  expect(readSecrets(folder)).toEqual(keys);
});

it('keeps what is there and adds what is missing', () => {
  const keys = ensureSecrets(folder, config);
  const { web: _web, ...others } = keys.writeKeys;
  writeFileSync(join(folder, 'secrets.json'), JSON.stringify({ ...keys, writeKeys: others }));
  const again = ensureSecrets(folder, config);
  expect(again).toEqual({ ...keys, writeKeys: { ...others, web: again.writeKeys.web } });
  expect(again.writeKeys.web).not.toEqual(keys.writeKeys.web);
  expect(() => Keys.parse(JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')))).not.toThrow();
});

it('refuses a document that is none instead of replacing it', () => {
  writeFileSync(join(folder, 'secrets.json'), '{"cookie":"mine"}');
  expect(() => ensureSecrets(folder, config)).toThrow();
  expect(readFileSync(join(folder, 'secrets.json'), 'utf8')).toBe('{"cookie":"mine"}');
});

it('says where to begin when there is no platform yet', () => {
  expect(() => readSecrets(folder)).toThrow('npm start');
  expect(() => readControl(folder)).toThrow('npm start');
});

it('leaves a control token for the owner, another at every start', () => {
  const control = writeControl(folder, 'http://localhost:8080');
  expect(readControl(folder)).toEqual(control);
  expect(mode('control.json')).toBe(0o600);
  expect(isToken(control.token, control)).toBe(true);
  for (const wrong of [undefined, '', control.token.slice(1), `${control.token}x`, 'x'.repeat(control.token.length)])
    expect(isToken(wrong, control)).toBe(false);
  expect(writeControl(folder, 'http://localhost:8080').token).not.toBe(control.token);
});
