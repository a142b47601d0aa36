import { randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import type { PaulaConfig } from '../domain/config.ts';
import { completeKeys, Keys } from '../domain/keys.ts';
import { readJson, writePrivateJson } from './private-file.ts';

const KEY_BYTES = 32;
const randomKey = (): string => randomBytes(KEY_BYTES).toString('base64url');

/** Where a state folder keeps its keys: the same document that Secrets Manager holds on AWS. */
export const secretsPath = (stateDir: string): string => join(stateDir, 'secrets.json');

/** Reads the keys, makes what the configuration needs and they lack, and keeps them; what exists stays as it is. */
export function ensureSecrets(stateDir: string, config: PaulaConfig): Keys {
  const path = secretsPath(stateDir);
  const existing = Keys.partial().parse(readJson(path) ?? {});
  const keys = completeKeys(withoutAbsent(existing), config, randomKey);
  writePrivateJson(path, keys);
  return keys;
}

/** Reads the keys of a state folder; throws where a platform has never been started on it. */
export function readSecrets(stateDir: string): Keys {
  const document = readJson(secretsPath(stateDir));
  if (document === undefined) throw new Error(`no keys in ${stateDir}: start the platform on it first (npm start)`);
  return Keys.parse(document);
}

/** What the tools need to talk to a running platform. */
const Control = z.strictObject({ token: z.string().min(43), url: z.url() });
export type Control = z.infer<typeof Control>;

const controlPath = (stateDir: string): string => join(stateDir, 'control.json');

/** The header in which the tools send the control token. */
export const CONTROL_HEADER = 'x-paula-control';

/** Makes a control token for this run and leaves it, with the door's address, where only the owner can read it. */
export function writeControl(stateDir: string, url: string): Control {
  const control = { token: randomKey(), url };
  writePrivateJson(controlPath(stateDir), control);
  return control;
}

/** Reads how to reach the platform of a state folder; throws where none has been started on it. */
export function readControl(stateDir: string): Control {
  const document = readJson(controlPath(stateDir));
  if (document === undefined) throw new Error(`no platform has been started on ${stateDir} (npm start)`);
  return Control.parse(document);
}

/** Compares a sent token without telling by its time how much of it is right. */
export function isToken(sent: string | undefined, control: Control): boolean {
  const a = Buffer.from(sent ?? '');
  const b = Buffer.from(control.token);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** zod's partial() leaves `undefined` in the type; completeKeys takes absent keys only. */
function withoutAbsent(keys: z.infer<ReturnType<typeof Keys.partial>>): Partial<Keys> {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined)) as Partial<Keys>;
}
