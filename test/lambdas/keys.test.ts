import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import type { PaulaConfig } from '../../domain/config.ts';
import { completeKeys, Keys } from '../../domain/keys.ts';
import { answerDeploy } from '../../lambdas/adapters/deploy-answer.ts';
import { keys } from '../../lambdas/keys.ts';
import config from '../../paula.config.ts';

/** The place where CloudFormation waits: a pre-signed URL of S3, which refuses a Content-Type that it was not signed with. */
let bucket: Server;
let url: string;
let answers: { contentType: string | undefined; body: Record<string, unknown> }[];
let status = 200;

beforeAll(async () => {
  bucket = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    answers.push({
      contentType: request.headers['content-type'],
      body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
    });
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(bucket, 'listening');
  url = `http://127.0.0.1:${(bucket.address() as AddressInfo).port}/answer?signature=x`;
});

afterAll(async () => {
  bucket.close();
  await once(bucket, 'close');
});

beforeEach(() => {
  answers = [];
  status = 200;
});

const random = (): string => randomBytes(32).toString('base64url');

function event(RequestType: 'Create' | 'Update' | 'Delete'): CloudFormationCustomResourceEvent {
  return {
    RequestType,
    ServiceToken: 'token',
    ResponseURL: url,
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'Completed',
    ResourceType: 'Custom::PaulaKeys',
    ResourceProperties: { ServiceToken: 'token' },
    ...(RequestType !== 'Create' && { PhysicalResourceId: 'paula-keys' }),
    ...(RequestType === 'Update' && { OldResourceProperties: {} }),
  } as CloudFormationCustomResourceEvent;
}

/** Runs the function against a secret that holds `stored`; returns what it holds afterwards and how often it was written. */
async function deploy(type: 'Create' | 'Update' | 'Delete', stored?: string, wanted: PaulaConfig = config) {
  const secret = { value: stored, writes: 0 };
  await keys(event(type), {
    config: wanted,
    read: async () => secret.value,
    write: async (document) => {
      secret.value = document;
      secret.writes += 1;
    },
    random,
    answer: answerDeploy,
  });
  return secret;
}

const SUCCESS = {
  Status: 'SUCCESS',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'Completed',
  PhysicalResourceId: 'paula-keys',
};

describe('a deploy', () => {
  it('fills a secret that was just made, and says so without a word of what is in it', async () => {
    const { value = '' } = await deploy('Create');
    expect(Object.keys(Keys.parse(JSON.parse(value)).writeKeys).sort()).toEqual(Object.keys(config.sources).sort());
    expect(answers).toEqual([{ contentType: '', body: SUCCESS }]);
  });

  it('leaves a complete document alone', async () => {
    const { value } = await deploy('Create');
    expect(await deploy('Update', value)).toEqual({ value, writes: 0 });
    expect(answers.map(({ body }) => body)).toEqual([SUCCESS, SUCCESS]);
  });

  it('adds what a new site and source need and changes no key that exists', async () => {
    const before = completeKeys({}, config, random);
    const grown = {
      ...config,
      sites: { ...config.sites, outlet: config.sites.shop },
      sources: { ...config.sources, outlet: { kind: 'browser', site: 'outlet' } },
    } as PaulaConfig;
    const { value = '' } = await deploy('Update', JSON.stringify(before), grown);
    const after = Keys.parse(JSON.parse(value));
    expect(after).toMatchObject(before);
    expect(after.identity.outlet).toHaveLength(1);
    expect(after.writeKeys.outlet).toHaveLength(1);
  });

  it('does nothing when the resource goes: the secret outlives the stack', async () => {
    expect(await deploy('Delete', 'anything')).toEqual({ value: 'anything', writes: 0 });
    expect(answers.map(({ body }) => body)).toEqual([SUCCESS]);
  });
});

describe('a document that cannot be read', () => {
  it.each([
    ['is no JSON', '{"cookie": top-secret-key'],
    ['has another shape', '{"cookie":"top-secret-key"}'],
    ['has a key of its own', '{"top-secret-key":1}'],
  ])('%s: stays as it is, and the deploy fails without a word of it', async (_, stored) => {
    expect(await deploy('Update', stored)).toEqual({ value: stored, writes: 0 });
    expect(answers).toHaveLength(1);
    expect(answers[0]?.body).toMatchObject({ ...SUCCESS, Status: 'FAILED', Reason: expect.stringMatching(/Error$/) });
    expect(JSON.stringify(answers)).not.toContain('top-secret');
  });
});

it('throws where the answer is not taken, so that Lambda calls again', async () => {
  status = 503;
  await expect(deploy('Create')).rejects.toThrow('HTTP 503');
  expect(answers).toHaveLength(1);
});
