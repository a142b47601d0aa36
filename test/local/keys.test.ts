import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { completeKeys, KEYS_TAG, Keys } from '../../domain/keys.ts';
import { randomKey } from '../../lambdas/adapters/keys-document.ts';
import { close, LOOPBACK, listen } from '../../local/loopback.ts';
import { ensureSecrets, readSecrets } from '../../local/secrets.ts';
import config from '../../paula.config.ts';

/** Each call is a process that loads the SDK. */
jest.setTimeout(60_000);

const COMMAND = join(import.meta.dirname, '../../local/keys.ts');
const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}`;

/** The secrets of an account by ARN, behind the three calls of Secrets Manager that the command makes. */
let account: Record<string, { stage?: string; document?: string }>;
let server: Server;
let endpoint: string;
let folder: string;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const input = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const [, action = ''] = String(request.headers['x-amz-target']).split('.');
    response
      .writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
      .end(JSON.stringify(answer(action, input)));
  });
  endpoint = `http://${LOOPBACK}:${await listen(server, 0)}`;
  folder = mkdtempSync(join(tmpdir(), 'paula-keys-command-'));
});

afterAll(async () => {
  await close(server);
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  account = {};
});

/** Lists one secret a page, as the service may. */
function answer(action: string, input: { NextToken?: string; SecretId?: string; SecretString?: string }): object {
  const arns = Object.keys(account);
  if (action === 'ListSecrets') {
    const at = Number(input.NextToken ?? 0);
    const [ARN] = arns.slice(at);
    const Tags = ARN && account[ARN]?.stage ? [{ Key: KEYS_TAG, Value: account[ARN].stage }] : [];
    return { SecretList: ARN ? [{ ARN, Tags }] : [], ...(at + 1 < arns.length && { NextToken: String(at + 1) }) };
  }
  const secret = account[input.SecretId ?? ''];
  if (!secret) return { __type: 'ResourceNotFoundException' };
  if (action === 'PutSecretValue') secret.document = input.SecretString ?? '';
  return { ARN: input.SecretId, ...(action === 'GetSecretValue' && { SecretString: secret.document }) };
}

type Said = { code: number; out: string; error: string };

const run = (...args: string[]): Promise<Said> =>
  new Promise((resolve) => {
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    };
    execFile(process.execPath, [COMMAND, ...args], { env }, (failed, out, error) =>
      resolve({ code: failed ? Number(failed.code) : 0, out, error }),
    );
  });

describe('on a state folder', () => {
  it('rotates and retires a write key, and shows the new one on standard output alone', async () => {
    const [old] = ensureSecrets(folder, config).writeKeys.web ?? [];
    const rotated = await run('rotate', 'writeKeys.web', '--state', folder);
    const shown = rotated.out.trim();
    expect(rotated.code).toBe(0);
    expect(readSecrets(folder).writeKeys.web).toEqual([shown, old]);
    expect(rotated.error).not.toContain(shown);
    expect((await run('show', '--state', folder)).out).toContain(`web ${shown}`);
    expect(await run('retire', 'writeKeys.web', '--state', folder)).toMatchObject({ code: 0, out: '' });
    expect(readSecrets(folder).writeKeys.web).toEqual([shown]);
  });

  it('shows no key that nobody but the platform needs', async () => {
    ensureSecrets(folder, config);
    for (const name of ['cookie', 'event', 'person'] as const) {
      const { code, out, error } = await run('rotate', name, '--state', folder);
      expect([name, code, out]).toEqual([name, 0, '']);
      expect(readSecrets(folder)[name]).toHaveLength(2);
      for (const { key } of readSecrets(folder)[name]) expect(error).not.toContain(key);
    }
  });

  it('changes nothing where a rule forbids it', async () => {
    const before = ensureSecrets(folder, config);
    const refused = await run('retire', 'writeKeys.history', '--state', folder);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.error).toContain('writeKeys.history: only one key is live');
    expect(readSecrets(folder)).toEqual(before);
  });
});

describe('on a deployed stage', () => {
  it('rotates in the secret that has the tag of the stage, and in no other', async () => {
    const document = () => JSON.stringify(completeKeys({}, config, randomKey));
    account = {
      [arn('another')]: { document: document() },
      [arn('prod')]: { stage: 'prod', document: document() },
      [arn('dev')]: { stage: 'dev', document: document() },
    };
    const before = structuredClone(account);
    const { code, out } = await run('rotate', 'identity.shop', '--stage', 'prod');
    expect(code).toBe(0);
    const { [arn('prod')]: changed, ...others } = account;
    const [newest, old] = Keys.parse(JSON.parse(changed?.document ?? '')).identity.shop ?? [];
    expect(out).toBe(`${newest?.id} ${newest?.key}\n`);
    expect([old]).toEqual(Keys.parse(JSON.parse(before[arn('prod')]?.document ?? '')).identity.shop);
    expect(before).toMatchObject(others);
  });

  it.each([
    ['there is no secret', [], 'no secret has the tag paula:keys=prod'],
    ['there are two', ['one', 'two'], 'several secrets have the tag paula:keys=prod'],
  ])('says so where %s', async (_, names, message) => {
    account = Object.fromEntries(names.map((name) => [arn(name), { stage: 'prod', document: '{}' }]));
    const { code, error } = await run('rotate', 'cookie', '--stage', 'prod');
    expect(code).toBe(1);
    expect(error).toContain(message);
    for (const name of names) expect(error).toContain(arn(name));
  });

  it('is held to the regions of the EU, and to the stages that there are', async () => {
    expect((await run('rotate', 'cookie', '--stage', 'prod', '--region', 'us-east-1')).error).toContain(
      'stays in the EU',
    );
    expect((await run('rotate', 'cookie', '--stage', 'qa')).error).toContain('known: local, dev, prod');
    expect((await run('rotate', 'cookie', '--region', 'eu-west-1')).error).toContain('--region goes with --stage');
  });
});
