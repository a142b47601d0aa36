import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { ACCEPTED, type Acceptance } from '../../conformance/iam/accepted.ts';
import { type IamOptions, proveIam } from '../../conformance/iam/iam.ts';
import { localCalls } from '../../conformance/iam/local-calls.ts';
import type { RecordedCall } from '../../conformance/iam/recorded-call.ts';
import { report } from '../../conformance/report.ts';
import { synthesiseUnbundled } from '../../conformance/unbundled-assembly.ts';

// A story on a platform in a process of its own, on a machine that may be busy.
jest.setTimeout(240_000);

const ASSEMBLIES = [
  { stage: 'dev', region: 'eu-central-1' },
  { stage: 'prod', region: 'eusc-de-east-1' },
] as const;

const folder = mkdtempSync(join(tmpdir(), 'paula-iam-'));
const templates = ASSEMBLIES.map(({ stage, region }) => join(folder, `${stage}-${region}`));
const [template = ''] = templates;
let calls: IamOptions['calls'];

beforeAll(async () => {
  for (const [i, given] of ASSEMBLIES.entries()) await synthesiseUnbundled(templates[i] as string, given);
  calls = await localCalls(folder, template);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Template = { Resources: Record<string, { Type: string; Properties: Record<string, unknown> }> };

function lineOf(assembly: string): { file: string; template: Template } {
  const name = readdirSync(assembly).find((each) => /Line.*\.template\.json$/.test(each)) ?? '';
  const file = join(assembly, name);
  return { file, template: JSON.parse(readFileSync(file, 'utf8')) as Template };
}

/** A copy of the assembly with a text of the line's template replaced, which must be there. */
function changed(name: string, from: string | RegExp, to: string): string {
  const copy = join(folder, name);
  mkdirSync(copy);
  cpSync(template, copy, { recursive: true });
  const { file } = lineOf(copy);
  const before = readFileSync(file, 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
  return copy;
}

/** The lines that a proof says failed, and how many checks held. */
async function proven(options: Partial<IamOptions> = {}): Promise<{ failed: string[]; ok: number }> {
  const said: string[] = [];
  const proof = report((line) => said.push(line));
  await proveIam(proof, { templates: [template], calls, ...options });
  const failed = said.filter((line) => line.startsWith('FAILED'));
  expect(failed).toHaveLength(proof.counts.failed);
  return { failed, ok: proof.counts.ok };
}

it('finds every call of the story allowed, in both partitions, and no grant unused', async () => {
  const { failed, ok } = await proven({ templates });
  expect(failed).toEqual([]);
  expect(ok).toBeGreaterThanOrEqual(templates.length * 8);
});

it.each<[string, string | RegExp, string, RegExp]>([
  [
    'a grant that is missing',
    '"dynamodb:GetItem"',
    '"dynamodb:Scan"',
    /Line\/Door\/Collect\/Role may not dynamodb:GetItem on dynamodb:table\/ProfilesTable \(GetItem\): implicitDeny\n.*DoorCollectRole\w+ of paula-dev in aws \(Line\/Door\/Collect\/Role\), lib\/door\.ts/,
  ],
  ['a grant on something else', '/landing/*"', '/lending/*"', /may not s3:PutObject on s3:LakeBucket\/landing\/dt=/],
  [
    'a condition that no call meets',
    '"unload/*"',
    '"other/*"',
    /may not s3:ListBucket on s3:LakeBucket \(ListObjectsV2\)/,
  ],
  ['a Deny over a grant', '"Effect": "Allow"', '"Effect": "Deny"', /explicitDeny by \w+/],
  [
    'a grant that nothing calls',
    '"kinesis:PutRecords"',
    '["kinesis:PutRecords", "kinesis:PutRecord"]',
    /may kinesis:PutRecord on kinesis:stream\/EventStream, and nothing calls it/,
  ],
  [
    'a resource left open',
    /"Resource": \[\s*\{\s*"Fn::GetAtt": \[\s*"PlanPublishFunction\w+",\s*"Arn"\s*\]\s*\}/,
    '"Resource": ["*"',
    /may lambda:InvokeFunction on \*: it is left open/,
  ],
  ['an action left open', '"states:StartExecution"', '"states:*"', /may states:\* on .*: it is left open/],
  [
    'a policy from elsewhere',
    '"AssumeRolePolicyDocument"',
    '"ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"], "AssumeRolePolicyDocument"',
    /AWSLambdaBasicExecutionRole, a policy that is not in the templates/,
  ],
  [
    'a service that may not take on the role',
    '"lambda.amazonaws.com"',
    '"edgelambda.amazonaws.com"',
    /lambda\.amazonaws\.com may not sts:AssumeRole/,
  ],
  [
    'a route that may not call its function',
    '"apigateway.amazonaws.com"',
    '"events.amazonaws.com"',
    /apigateway\.amazonaws\.com may not lambda:InvokeFunction .* \(GET \/p\.gif\)/,
  ],
  [
    'a region that is not this one',
    '"aws:RequestedRegion": "eu-central-1"',
    '"aws:RequestedRegion": "eu-west-1"',
    /explicitDeny by \w+ \(DenyOtherRegions\)/,
  ],
])('points at %s', async (name, from, to, message) => {
  const said: string[] = [];
  await proveIam(
    report((line) => said.push(line)),
    { templates: [changed(name.replaceAll(' ', '-'), from, to)], calls },
  );
  expect(said.filter((line) => line.startsWith('FAILED')).join('\n')).toMatch(message);
});

const more = (call: Partial<RecordedCall>): IamOptions['calls'] => ({
  ...calls,
  recorded: [
    ...calls.recorded,
    { ...(calls.recorded.find((one) => one.service === 'dynamodb') as RecordedCall), ...call },
  ],
});

it.each<[string, Partial<RecordedCall>, string]>([
  [
    'of a kind that it does not know',
    { operation: 'TransactWriteItems' },
    'does not know the call "dynamodb TransactWriteItems"',
  ],
  ['to what no template has', { resources: ['elsewhere'] }, 'is called elsewhere'],
  ['that names nothing', { resources: [] }, 'names no resource'],
  ['of a function that no template has', { function: 'stranger' }, 'no function that is called stranger'],
  ['into another region', { region: 'us-east-1' }, 'explicitDeny by'],
])('refuses a call %s', async (_, call, message) => {
  const before = await proven();
  const { failed } = await proven({ calls: more(call) });
  expect(failed.filter((line) => !before.failed.includes(line)).join('\n')).toContain(message);
});

it('fails for an accepted grant that is no finding any more, and for a finding that is not accepted', async () => {
  const before = await proven();
  const idle: Acceptance = { ...(ACCEPTED[0] as Acceptance), actions: ['logs:Gone'] };
  expect((await proven({ accepted: [...ACCEPTED, idle] })).failed).toEqual([
    ...before.failed,
    expect.stringContaining('logs:Gone on *'),
  ]);
  const { failed } = await proven({ accepted: ACCEPTED.slice(1) });
  expect(failed.length - before.failed.length).toBe(ACCEPTED[0]?.actions.length);
});

it('has a reason for whatever it accepts', () => {
  for (const { reason } of ACCEPTED) expect(reason.length).toBeGreaterThan(40);
});
