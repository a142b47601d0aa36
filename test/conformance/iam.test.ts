import { describe, expect, it } from '@jest/globals';
import { evaluate, evaluateAccess } from '../../conformance/iam/evaluate.ts';
import type { Condition, Context, Decision, Policy, Principal, Statement } from '../../conformance/iam/policy.ts';

const TABLE = 'arn:aws:dynamodb:eu-central-1:111122223333:table/profiles';
const SOVEREIGN_TABLE = 'arn:aws-eusc:dynamodb:eusc-de-east-1:111122223333:table/profiles';
const OBJECT = 'arn:aws:s3:::lake/landing/dt=2026-11-24/a.parquet';
const LOG_STREAM = 'arn:aws:logs:eu-central-1:111122223333:log-group:collect:log-stream:2026/11/24';

const policy = (...statements: Statement[]): Policy => ({
  name: 'p',
  document: { Version: '2012-10-17', Statement: statements },
});
const allow = (rest: Omit<Statement, 'Effect'>): Statement => ({ Effect: 'Allow', ...rest });
const deny = (rest: Omit<Statement, 'Effect'>): Statement => ({ Effect: 'Deny', ...rest });
/** A policy variable, which looks like a placeholder of this language. */
const variable = (name: string): string => `\${${name}}`;
const get = allow({ Action: 'dynamodb:GetItem', Resource: TABLE });
const onCondition = (condition: Condition): Statement[] => [
  allow({ Action: '*', Resource: '*', Condition: condition }),
];
const otherRegions = deny({
  Action: '*',
  Resource: '*',
  Condition: { StringNotEquals: { 'aws:RequestedRegion': 'eu-central-1' } },
});

type Case = [
  what: string,
  statements: Statement[],
  action: string,
  resource: string,
  outcome: Decision['outcome'],
  context?: Context,
];

const HERE: Context = { 'aws:RequestedRegion': 'eu-central-1' };

describe('the policies of an identity', () => {
  const cases: Case[] = [
    ['no statement at all', [], 'dynamodb:GetItem', TABLE, 'implicitDeny'],
    ['an allowed action', [get], 'dynamodb:GetItem', TABLE, 'allowed'],
    ['another action', [get], 'dynamodb:PutItem', TABLE, 'implicitDeny'],
    ['an action that only begins alike', [get], 'dynamodb:GetItems', TABLE, 'implicitDeny'],
    ['an action in other letters', [get], 'DynamoDB:getitem', TABLE, 'allowed'],
    ['a resource in other letters', [get], 'dynamodb:GetItem', TABLE.replace('profiles', 'Profiles'), 'implicitDeny'],
    ['another resource', [get], 'dynamodb:GetItem', `${TABLE}2`, 'implicitDeny'],
    ['the same table in another partition', [get], 'dynamodb:GetItem', SOVEREIGN_TABLE, 'implicitDeny'],
    [
      'the sovereign partition by its own name',
      [allow({ Action: 'dynamodb:GetItem', Resource: SOVEREIGN_TABLE })],
      'dynamodb:GetItem',
      SOVEREIGN_TABLE,
      'allowed',
    ],
    [
      'a partition left open',
      [allow({ Action: 'dynamodb:GetItem', Resource: TABLE.replace('arn:aws:', 'arn:aws*:') })],
      'dynamodb:GetItem',
      SOVEREIGN_TABLE.replace('eusc-de-east-1', 'eu-central-1'),
      'allowed',
    ],
    [
      'a list of actions',
      [allow({ Action: ['a:B', 'dynamodb:GetItem'], Resource: TABLE })],
      'dynamodb:GetItem',
      TABLE,
      'allowed',
    ],
    [
      'a wildcard for actions',
      [allow({ Action: 'dynamodb:*Item', Resource: TABLE })],
      'dynamodb:PutItem',
      TABLE,
      'allowed',
    ],
    [
      'a wildcard that lacks the end',
      [allow({ Action: 'dynamodb:*Items', Resource: TABLE })],
      'dynamodb:PutItem',
      TABLE,
      'implicitDeny',
    ],
    [
      'one character of an action',
      [allow({ Action: 'dynamodb:?etItem', Resource: TABLE })],
      'dynamodb:GetItem',
      TABLE,
      'allowed',
    ],
    [
      'one character is not none',
      [allow({ Action: 'dynamodb:G?etItem', Resource: TABLE })],
      'dynamodb:GetItem',
      TABLE,
      'implicitDeny',
    ],
    [
      'Deny after Allow',
      [get, deny({ Action: 'dynamodb:*', Resource: '*' })],
      'dynamodb:GetItem',
      TABLE,
      'explicitDeny',
    ],
    [
      'Deny before Allow',
      [deny({ Action: 'dynamodb:*', Resource: '*' }), get],
      'dynamodb:GetItem',
      TABLE,
      'explicitDeny',
    ],
    [
      'Deny of something else',
      [get, deny({ Action: 'dynamodb:PutItem', Resource: '*' })],
      'dynamodb:GetItem',
      TABLE,
      'allowed',
    ],
    ['Deny of another region, here', [get, otherRegions], 'dynamodb:GetItem', TABLE, 'allowed', HERE],
    [
      'Deny of another region, there',
      [get, otherRegions],
      'dynamodb:GetItem',
      TABLE,
      'explicitDeny',
      { 'aws:RequestedRegion': 'us-east-1' },
    ],
    ['Deny of another region, nowhere known', [get, otherRegions], 'dynamodb:GetItem', TABLE, 'explicitDeny'],
    [
      'NotAction, an action that it names',
      [allow({ NotAction: 'dynamodb:*', Resource: '*' })],
      'dynamodb:GetItem',
      TABLE,
      'implicitDeny',
    ],
    ['NotAction, any other', [allow({ NotAction: 'dynamodb:*', Resource: '*' })], 's3:GetObject', OBJECT, 'allowed'],
    [
      'Deny by NotAction',
      [allow({ Action: '*', Resource: '*' }), deny({ NotAction: ['dynamodb:GetItem'], Resource: '*' })],
      's3:GetObject',
      OBJECT,
      'explicitDeny',
    ],
    [
      'NotResource, the one that it names',
      [allow({ Action: 's3:*', NotResource: 'arn:aws:s3:::lake/landing/*' })],
      's3:GetObject',
      OBJECT,
      'implicitDeny',
    ],
    [
      'NotResource, any other',
      [allow({ Action: 's3:*', NotResource: 'arn:aws:s3:::lake/exports/*' })],
      's3:GetObject',
      OBJECT,
      'allowed',
    ],
    [
      'a prefix',
      [allow({ Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/landing/*' })],
      's3:GetObject',
      OBJECT,
      'allowed',
    ],
    [
      'a prefix that another one begins with',
      [allow({ Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/land/*' })],
      's3:GetObject',
      OBJECT,
      'implicitDeny',
    ],
    [
      'an asterisk over slashes',
      [allow({ Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/*.parquet' })],
      's3:GetObject',
      OBJECT,
      'allowed',
    ],
    [
      'a dot is a dot',
      [allow({ Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/*parquet' })],
      's3:GetObject',
      OBJECT.replace('.', '-'),
      'allowed',
    ],
    [
      'a dot is no other character',
      [allow({ Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/*.parquet' })],
      's3:GetObject',
      OBJECT.replace('.', '-'),
      'implicitDeny',
    ],
    [
      'an asterisk within a segment ends at the colon',
      [allow({ Action: 'logs:*', Resource: 'arn:aws:logs:*2223333:log-group:collect:log-stream:*' })],
      'logs:PutLogEvents',
      LOG_STREAM,
      'implicitDeny',
    ],
    [
      'an asterisk at the end of a segment goes on',
      [allow({ Action: 'logs:*', Resource: 'arn:aws:logs:eu-central-1:111122223333:log-group:collect:*' })],
      'logs:PutLogEvents',
      LOG_STREAM,
      'allowed',
    ],
    [
      'the log group is not its streams',
      [allow({ Action: 'logs:*', Resource: 'arn:aws:logs:eu-central-1:111122223333:log-group:collect' })],
      'logs:PutLogEvents',
      LOG_STREAM,
      'implicitDeny',
    ],
    [
      'one character is no colon',
      [allow({ Action: 'logs:*', Resource: 'arn:aws:logs:eu-central-1:111122223333:log-group?collect:*' })],
      'logs:PutLogEvents',
      LOG_STREAM,
      'implicitDeny',
    ],
    [
      'a policy variable',
      [allow({ Action: 's3:GetObject', Resource: `arn:aws:s3:::lake/${variable('aws:PrincipalAccount')}/*` })],
      's3:GetObject',
      'arn:aws:s3:::lake/111122223333/a',
      'allowed',
      { 'aws:PrincipalAccount': '111122223333' },
    ],
    [
      'a wildcard in a value is none',
      [allow({ Action: 's3:GetObject', Resource: `arn:aws:s3:::lake/${variable('aws:PrincipalTag/team')}/*` })],
      's3:GetObject',
      'arn:aws:s3:::lake/other/a',
      'implicitDeny',
      { 'aws:PrincipalTag/team': '*' },
    ],
    [
      'an asterisk as itself',
      [allow({ Action: 's3:GetObject', Resource: `arn:aws:s3:::lake/${variable('*')}` })],
      's3:GetObject',
      'arn:aws:s3:::lake/a',
      'implicitDeny',
    ],
    [
      'a variable’s default',
      [allow({ Action: 's3:GetObject', Resource: `arn:aws:s3:::lake/${variable("aws:PrincipalTag/team, 'none'")}/*` })],
      's3:GetObject',
      'arn:aws:s3:::lake/none/a',
      'allowed',
    ],
  ];
  it.each(cases)('%s', (_, statements, action, resource, outcome, context = {}) => {
    expect(evaluate([policy(...statements)], { action, resource, context }).outcome).toBe(outcome);
  });

  const conditions: [what: string, condition: Condition, context: Context, holds: boolean][] = [
    ['a text', { StringEquals: { k: 'a' } }, { k: 'a' }, true],
    ['a text in other letters', { StringEquals: { k: 'a' } }, { k: 'A' }, false],
    ['a text whose letters do not matter', { StringEqualsIgnoreCase: { k: 'a' } }, { k: 'A' }, true],
    ['no pattern in StringEquals', { StringEquals: { k: 'a*' } }, { k: 'ab' }, false],
    ['one of several values', { StringEquals: { k: ['a', 'b'] } }, { k: 'b' }, true],
    ['none of several values', { StringNotEquals: { k: ['a', 'b'] } }, { k: 'b' }, false],
    ['a key in other letters', { StringEquals: { 'aws:requestedregion': 'r' } }, { 'aws:RequestedRegion': 'r' }, true],
    ['a key that is missing', { StringEquals: { k: 'a' } }, {}, false],
    ['a key that is missing, negated', { StringNotEquals: { k: 'a' } }, {}, true],
    ['a key that is missing, if it exists', { StringEqualsIfExists: { k: 'a' } }, {}, true],
    ['a key that exists and differs', { StringEqualsIfExists: { k: 'a' } }, { k: 'b' }, false],
    ['a pattern', { StringLike: { 's3:prefix': 'unload/*' } }, { 's3:prefix': 'unload/a/b/' }, true],
    ['a pattern that does not match', { StringLike: { 's3:prefix': 'unload/*' } }, { 's3:prefix': '' }, false],
    ['no pattern that matches', { StringNotLike: { k: ['a*', 'b*'] } }, { k: 'c' }, true],
    ['two keys, one false', { StringEquals: { k: 'a', l: 'b' } }, { k: 'a', l: 'c' }, false],
    ['two operators, one false', { StringEquals: { k: 'a' }, Bool: { l: 'true' } }, { k: 'a', l: false }, false],
    ['a truth', { Bool: { 'aws:SecureTransport': 'true' } }, { 'aws:SecureTransport': true }, true],
    ['a truth in other letters', { Bool: { k: 'False' } }, { k: false }, true],
    ['a missing key is asked for', { Null: { k: 'true' } }, {}, true],
    ['a present key is asked for', { Null: { k: 'false' } }, { k: 'a' }, true],
    ['a present key where none may be', { Null: { k: 'true' } }, { k: 'a' }, false],
    ['a smaller number', { NumericLessThan: { 's3:TlsVersion': 1.2 } }, { 's3:TlsVersion': 1.1 }, true],
    [
      'the same number is no smaller one',
      { NumericLessThan: { 's3:TlsVersion': 1.2 } },
      { 's3:TlsVersion': '1.2' },
      false,
    ],
    ['numbers, not their text', { NumericEquals: { k: '1.0' } }, { k: 1 }, true],
    ['at most', { NumericLessThanEquals: { k: 10 } }, { k: 9 }, true],
    ['more than', { NumericGreaterThan: { k: 10 } }, { k: 10 }, false],
    [
      'an ARN, component by component',
      { ArnLike: { k: 'arn:aws:logs:*:1:log-group:*' } },
      { k: 'arn:aws:logs:r:1:log-group:g:x' },
      true,
    ],
    [
      'an asterisk does not leave its component',
      { ArnLike: { k: 'arn:aws:*:log-group:*' } },
      { k: 'arn:aws:logs:r:1:log-group:g' },
      false,
    ],
    ['ArnEquals takes patterns too', { ArnEquals: { k: 'arn:aws:sns:r:1:t?' } }, { k: 'arn:aws:sns:r:1:t1' }, true],
    ['no such ARN', { ArnNotLike: { k: 'arn:aws:sns:*:1:*' } }, { k: 'arn:aws:sqs:r:1:q' }, true],
    ['every value, of many', { 'ForAllValues:StringEquals': { k: ['a', 'b'] } }, { k: ['a', 'b', 'a'] }, true],
    ['every value, one too many', { 'ForAllValues:StringEquals': { k: ['a', 'b'] } }, { k: ['a', 'c'] }, false],
    ['every value of none', { 'ForAllValues:StringEquals': { k: 'a' } }, {}, true],
    ['any value', { 'ForAnyValue:StringLike': { k: 'a*' } }, { k: ['b', 'ab'] }, true],
    ['any value of none', { 'ForAnyValue:StringEquals': { k: 'a' } }, {}, false],
    ['any value that is not it', { 'ForAnyValue:StringNotEquals': { k: 'a' } }, { k: ['a', 'b'] }, true],
    [
      'a variable in a condition',
      { StringEquals: { k: variable('aws:PrincipalAccount') } },
      { k: '1', 'aws:PrincipalAccount': '1' },
      true,
    ],
    [
      'a variable in an ARN',
      { ArnLike: { k: `arn:aws:sns:r:${variable('aws:PrincipalAccount')}:*` } },
      { k: 'arn:aws:sns:r:1:t', 'aws:PrincipalAccount': '1' },
      true,
    ],
  ];
  it.each(conditions)('condition: %s', (_, condition, context, holds) => {
    const { outcome } = evaluate([policy(...onCondition(condition))], { action: 'a:B', resource: TABLE, context });
    expect(outcome).toBe(holds ? 'allowed' : 'implicitDeny');
  });

  it('names the policy and the statement that decided', () => {
    const policies = [policy(get), { ...policy(otherRegions), name: 'pin' }];
    const request = { action: 'dynamodb:GetItem', resource: TABLE, context: HERE };
    expect(evaluate(policies, request).decidedBy).toEqual({ policy: 'p', statement: get });
    expect(evaluate(policies, { ...request, context: {} }).decidedBy).toEqual({
      policy: 'pin',
      statement: otherRegions,
    });
    expect(evaluate(policies, { ...request, action: 's3:GetObject' }).decidedBy).toBeUndefined();
  });

  it.each<[string, Statement, string]>([
    [
      'operator',
      allow({ Action: '*', Resource: '*', Condition: { IpAddress: { k: '10.0.0.0/8' } } }),
      '"IpAddress" is not known',
    ],
    [
      'misspelt operator',
      allow({ Action: '*', Resource: '*', Condition: { StringEqual: { k: 'a' } } }),
      '"StringEqual" is not known',
    ],
    ['variable', allow({ Action: '*', Resource: `arn:aws:s3:::${variable('aws:username')}` }), 'aws:username'],
    ['number', allow({ Action: '*', Resource: '*', Condition: { NumericEquals: { k: 'x' } } }), '"x" is no number'],
    ['element', { ...get, Actions: 'a' } as Statement, 'it has Actions'],
    ['effect', { ...get, Effect: 'allow' } as unknown as Statement, 'neither Allow nor Deny'],
    ['action', { Effect: 'Allow', Resource: '*' }, 'not one of Action and NotAction'],
    ['resource', { Effect: 'Allow', Action: '*' }, 'neither a resource nor a principal'],
  ])('throws for what it cannot judge: %s', (_, statement, message) => {
    const request = { action: 'a:B', resource: TABLE, context: { k: '1' } };
    expect(() => evaluate([policy(statement)], request)).toThrow(message);
  });

  it('throws for a multivalued key without a set operator, and for an older version of the language', () => {
    const request = { action: 'a:B', resource: TABLE, context: { k: ['a', 'b'] } };
    expect(() => evaluate([policy(...onCondition({ StringEquals: { k: 'a' } }))], request)).toThrow('has many values');
    const old = { name: 'old', document: { Version: '2008-10-17', Statement: [get] } };
    expect(() => evaluate([old], request)).toThrow('its version is not 2012-10-17');
  });
});

describe('the policy of what is called', () => {
  const role: Principal = { arn: 'arn:aws:iam::111122223333:role/collect', account: '111122223333' };
  const root = { AWS: 'arn:aws:iam::111122223333:root' };
  const decrypt = { action: 'kms:Decrypt', resource: 'arn:aws:kms:eu-central-1:111122223333:key/k', context: {} };
  const keyPolicy = (Principal: Statement['Principal']): Policy =>
    policy({ Effect: 'Allow', Action: 'kms:*', Resource: '*', ...(Principal && { Principal }) });
  const own = policy(allow({ Action: 'kms:Decrypt', Resource: decrypt.resource }));
  const none = policy();

  it.each<[string, Policy, Policy | undefined, Decision['outcome']]>([
    ['a key that lets the account’s policies decide', own, keyPolicy(root), 'allowed'],
    ['such a key, and a role without a grant', none, keyPolicy(root), 'implicitDeny'],
    ['a key that names the role', none, keyPolicy({ AWS: role.arn as string }), 'allowed'],
    ['a key that names anybody', none, keyPolicy('*'), 'allowed'],
    ['a key that names another account', own, keyPolicy({ AWS: '999988887777' }), 'implicitDeny'],
    ['a key without a policy', own, undefined, 'implicitDeny'],
  ])('%s', (_, identity, resource, outcome) => {
    const access = { principal: role, request: decrypt, identity: [identity], resource, resourceMustAllow: true };
    expect(evaluateAccess(access).outcome).toBe(outcome);
  });

  const read = { action: 's3:GetObject', resource: OBJECT, context: { 'aws:SecureTransport': true } };
  const readable = policy(allow({ Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/*' }));
  const insecure = policy(
    deny({
      Principal: { AWS: '*' },
      Action: 's3:*',
      Resource: OBJECT,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    }),
  );

  it.each<[string, Policy, Policy | undefined, Context, Decision['outcome']]>([
    ['a bucket whose Deny does not apply', readable, insecure, read.context, 'allowed'],
    ['a bucket whose Deny applies', readable, insecure, { 'aws:SecureTransport': false }, 'explicitDeny'],
    ['a bucket without a policy', readable, undefined, read.context, 'allowed'],
    [
      'a bucket that allows the role itself',
      none,
      policy(allow({ Principal: { AWS: role.arn as string }, Action: 's3:*', Resource: OBJECT })),
      read.context,
      'allowed',
    ],
    [
      'a bucket that allows the account only',
      none,
      policy(allow({ Principal: root, Action: 's3:*', Resource: OBJECT })),
      read.context,
      'implicitDeny',
    ],
    [
      'a bucket that denies the account',
      readable,
      policy(deny({ Principal: root, Action: 's3:*', Resource: '*' })),
      read.context,
      'explicitDeny',
    ],
  ])('%s', (_, identity, resource, context, outcome) => {
    const request = { ...read, context };
    const access = { principal: role, request, identity: [identity], resource, resourceMustAllow: false };
    expect(evaluateAccess(access).outcome).toBe(outcome);
  });

  it.each<[string, Principal, Decision['outcome']]>([
    ['the service that it names', { service: 'apigateway.amazonaws.com' }, 'allowed'],
    ['another service', { service: 'events.amazonaws.com' }, 'implicitDeny'],
    ['a role', role, 'implicitDeny'],
  ])('a function that lets a service call it: %s', (_, principal, outcome) => {
    const resource = policy(
      allow({
        Principal: { Service: 'apigateway.amazonaws.com' },
        Action: 'lambda:InvokeFunction',
        Resource: 'arn:aws:lambda:eu-central-1:111122223333:function:collect',
        Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:execute-api:eu-central-1:111122223333:api/*/*/*' } },
      }),
    );
    const request = {
      action: 'lambda:InvokeFunction',
      resource: 'arn:aws:lambda:eu-central-1:111122223333:function:collect',
      context: { 'aws:SourceArn': 'arn:aws:execute-api:eu-central-1:111122223333:api/$default/GET/p.gif' },
    };
    expect(evaluateAccess({ principal, request, identity: [], resource, resourceMustAllow: false }).outcome).toBe(
      outcome,
    );
  });
});
