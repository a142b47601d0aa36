import { beforeAll, describe, expect, it } from '@jest/globals';
import { resourcesOf, synthesise } from './synthesised.ts';

type Statement = { Effect: string; Action: string | string[]; Resource: unknown };

/** What each role is granted, by the beginning of the role's logical id. */
let grants: Record<string, Statement[]>;

beforeAll(() => {
  const { line } = synthesise('prod');
  grants = Object.fromEntries(
    resourcesOf(line, 'AWS::IAM::Policy').map(([id, { Properties }]) => {
      const { Statement } = Properties.PolicyDocument as { Statement: Statement[] };
      return [id.replace(/Role(DefaultPolicy)?.*$/, ''), Statement.filter(({ Effect }) => Effect === 'Allow')];
    }),
  );
});

/** The actions that a role has on whatever resource's text matches. */
const actionsOn = (role: string, resource: RegExp): string[] =>
  (grants[role] ?? [])
    .flatMap(({ Action, Resource }) =>
      [Resource].flat().some((one) => resource.test(JSON.stringify(one))) ? [Action].flat() : [],
    )
    .sort();

describe('the key', () => {
  const OPEN = 'kms:Decrypt';
  const SEAL = 'kms:GenerateDataKey';

  it.each([
    ['DoorCollect', [OPEN, SEAL], 'opens tables and secret, and seals the stream'],
    ['DoorDecide', [OPEN], 'opens tables and secret'],
    ['ProfileFunction', [OPEN, SEAL], 'opens stream and tables; what it gives up is sealed'],
    ['LandFunction', [OPEN, SEAL], 'opens the stream and seals files'],
    ['PlanPublish', [OPEN, SEAL], 'opens differences and tables, and seals exports'],
    ['Plan', [OPEN, SEAL], 'opens and seals the lake'],
    ['DoorRights', [OPEN, SEAL], 'opens tables, secret and bundles, and seals the stream'],
    ['RightsJobErase', [OPEN, SEAL], 'opens and seals tables and objects'],
    ['KeysFunction', [OPEN, SEAL], 'opens and seals the secret'],
  ])('is used by %s for %j: it %s', (role, actions) => {
    expect(actionsOn(role, /DataKeyArn/)).toEqual(actions);
  });
});

describe('the tables', () => {
  it.each([
    ['DoorCollect', ['DeleteItem', 'GetItem', 'UpdateItem'], ['PutItem', 'Query'], 'deletes what a withdrawal ends'],
    ['DoorDecide', ['BatchGetItem'], ['BatchGetItem', 'GetItem'], 'reads profiles and the ledger, and changes nothing'],
    ['ProfileFunction', ['BatchGetItem', 'DeleteItem', 'PutItem'], ['BatchGetItem', 'GetItem'], 'writes what it folds'],
  ])('%s has %j on profiles and %j on consents: it %s', (role, profiles, consents) => {
    const on = (table: RegExp) => actionsOn(role, table).map((action) => action.replace('dynamodb:', ''));
    expect([on(/ProfilesTable/), on(/ConsentsTable/)]).toEqual([profiles, consents]);
  });
});

describe('the plan', () => {
  const READ = 's3:GetObject';
  const WRITE = ['s3:AbortMultipartUpload', READ, 's3:ListMultipartUploadParts', 's3:PutObject'];

  it('writes tables, differences and results, and deletes in the tables alone', () => {
    expect(actionsOn('Plan', /"\/lake\/\*"/)).toEqual([...WRITE, 's3:DeleteObject'].sort());
    for (const prefix of ['unload', 'athena']) expect(actionsOn('Plan', new RegExp(`"/${prefix}/\\*"`))).toEqual(WRITE);
  });

  it('reads what ingest reads of landing, and no rejection, failed batch or export', () => {
    for (const prefix of ['landing', 'landing-links', 'landing-consents', 'landing-erasures', 'landing-rights'])
      expect(actionsOn('Plan', new RegExp(`"/${prefix}/\\*"`))).toEqual([READ]);
    for (const prefix of ['rejected', 'aws/lambda', 'exports'])
      expect(actionsOn('Plan', new RegExp(`"/${prefix}/\\*"`))).toEqual([]);
  });

  it('looks a database up as a database, and never as a table', () => {
    expect(actionsOn('Plan', /:table\//)).not.toContain('glue:GetDatabase');
    expect(actionsOn('Plan', /:database\/default/)).toEqual(['glue:GetDatabase']);
  });
});
