import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { PaulaConfig } from '../domain/config.ts';
import { BUNDLES, stores, UNLOADED } from '../domain/stores.ts';
import { acknowledgeWildcards } from './aws-solutions.ts';
import type { StateStack } from './state-stack.ts';

type Grantee = IConstruct & IGrantable;

/** Fold and decision ask the ledger whether something belongs to an erased life, or to somebody who has objected. */
export function grantLedgerReads(grantee: IGrantable, { tables }: StateStack): void {
  grantItems(grantee, tables.consents, ['GetItem', 'BatchGetItem']);
}

/** The door for rights: link items, ledger and requests, the stream, and the bundles, which it reads. */
export function grantRights(grantee: Grantee, state: StateStack): void {
  grantItems(grantee, state.tables.profiles, ['GetItem', 'UpdateItem', 'DeleteItem']);
  grantItems(grantee, state.tables.consents, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']);
  state.stream.grantPut(grantee);
  state.keys.grantRead(grantee);
  grantObjects(grantee, state, [BUNDLES], ['s3:GetObject'], 'A bundle is named by the id of its request.');
  // Without the right to list, S3 says "forbidden" of a bundle that has expired.
  grantList(grantee, state, [BUNDLES]);
  state.key.grantOpen(grantee);
}

/** The rights job's function walks every store: it reads, rewrites and deletes items and objects, and only lists the lake. */
export function grantErase(grantee: Grantee, state: StateStack, config: PaulaConfig): void {
  grantItems(grantee, state.tables.profiles, ['BatchGetItem', 'GetItem', 'UpdateItem', 'DeleteItem']);
  grantItems(grantee, state.tables.consents, [
    'BatchGetItem',
    'GetItem',
    'PutItem',
    'UpdateItem',
    'DeleteItem',
    'Query',
  ]);
  const walked = stores(config).filter(({ kind }) => kind === 'objects');
  const prefixesBy = (by: 'rewrite' | 'discard') =>
    walked.flatMap(({ erasure, part }) => (erasure.by === by && part !== undefined && part !== BUNDLES ? [part] : []));
  const why = 'Consumers, Lambda, Athena and publish name their objects themselves; an erasure looks into each.';
  grantObjects(grantee, state, prefixesBy('rewrite'), ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], why);
  grantObjects(grantee, state, prefixesBy('discard'), ['s3:DeleteObject'], why);
  grantObjects(grantee, state, [UNLOADED], ['s3:GetObject'], why);
  grantList(grantee, state, [...walked.flatMap(({ part = '' }) => part), 'lake/']);
  state.key.grantOpen(grantee);
  state.key.grantSeal(grantee);
}

function grantItems(grantee: IGrantable, table: TableV2, actions: readonly string[]): void {
  Grant.addToPrincipal({
    grantee,
    actions: actions.map((action) => `dynamodb:${action}`),
    resourceArns: [table.tableArn],
  });
}

function grantObjects(
  grantee: Grantee,
  { lake }: StateStack,
  prefixes: readonly string[],
  actions: string[],
  why: string,
): void {
  Grant.addToPrincipal({
    grantee,
    actions,
    resourceArns: prefixes.map((prefix) => lake.bucket.arnForObjects(`${prefix}*`)),
  });
  acknowledgeWildcards(
    grantee,
    prefixes.map((prefix) => `/${prefix}*`),
    why,
  );
}

function grantList(grantee: IGrantable, { lake }: StateStack, prefixes: readonly string[]): void {
  Grant.addToPrincipal({
    grantee,
    actions: ['s3:ListBucket'],
    resourceArns: [lake.bucket.bucketArn],
    conditions: { StringLike: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } },
  });
}
