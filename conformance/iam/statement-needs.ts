import { lakeTables } from '../../domain/tables.ts';
import config from '../../paula.config.ts';
import type { Deployment, Resource } from './deployment.ts';
import { contextOf, type Need } from './need.ts';
import { objectNeeds } from './service-needs.ts';

/** What Athena runs a statement with. */
export type AthenaCall = { sql: string; database: string; workGroup: string };

/** Where the rows of a table are, or of which tables a view is made. */
type Relation = { bucket: string; prefix: string } | { reads: readonly string[] };

/** What the database holds, by name; it grows as the plan's statements make tables and views. */
export type Catalogue = Map<string, Relation>;

/** The tables that the deployment makes itself, and those that the plan has made before any other machine runs. */
export function catalogueOf(deployment: Deployment): Catalogue {
  const landing = deployment.ofType('AWS::Glue::Table').map((table) => {
    const { Name, StorageDescriptor } = table.property('TableInput') as {
      Name: string;
      StorageDescriptor: { Location: string };
    };
    return [Name, placeOf(StorageDescriptor.Location)] as const;
  });
  const bucket = landing[0]?.[1].bucket ?? '';
  const iceberg = lakeTables(config).flatMap(({ name, kind, prefix }) =>
    kind === 'iceberg' ? [[name, { bucket, prefix }] as const] : [],
  );
  return new Map([...landing, ...iceberg]);
}

function placeOf(url: string): { bucket: string; prefix: string } {
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.*)$/.exec(url) ?? [];
  if (bucket === undefined || prefix === undefined) throw new Error(`${url} is no place in S3`);
  return { bucket, prefix };
}

const COMMENT = /--.*$|\/\*[\s\S]*?\*\//gm;
const READ = /\b(?:FROM|JOIN|INTO|USING)\s+"?(\w+)"?/gi;
const CREATE_TABLE = /^CREATE TABLE IF NOT EXISTS (\w+)\b[\s\S]*?\bLOCATION '([^']+)'/i;
const CREATE_VIEW = /^CREATE OR REPLACE VIEW (\w+)\b/i;
const ALTER_TABLE = /^ALTER TABLE (\w+)\b/i;
const MERGE = /^(?:MERGE INTO|DELETE FROM|OPTIMIZE) (\w+)\b/i;
const VACUUM = /^VACUUM (\w+)$/i;
const UNLOAD = /^UNLOAD \([\s\S]*\) TO '([^']+)'/i;

/**
 * What a statement needs of the role that starts it: Athena works in its name.
 * - Starting, stopping and looking after it, and the actions in S3: https://docs.aws.amazon.com/step-functions/latest/dg/athena-iam.html
 *   ("Run a Job (.sync)", static resources), on the places that the statement reads and writes
 * - the catalogue: an action on a table is one on its database and on the catalogue too, and the database `default` is
 *   looked up, https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html; a commit of
 *   Iceberg is an UpdateTable, https://docs.aws.amazon.com/glue/latest/dg/optimization-prerequisites.html
 * - the key: Decrypt for data, GenerateDataKey too for results, https://docs.aws.amazon.com/athena/latest/ug/encryption.html
 * Throws for a kind of statement that is not known here.
 */
export function statementNeeds(call: AthenaCall, deployment: Deployment, catalogue: Catalogue): Need[] {
  const sql = call.sql.replace(COMMENT, '').trim();
  const glue = glueOn(deployment, call.database);
  const make = (name: string, relation: Relation): void => void catalogue.set(name, relation);
  const readNames = [...sql.matchAll(READ)].map(([, name = '']) => name).filter((name) => catalogue.has(name));
  const reading = [...closure(readNames, catalogue)].flatMap((name) => {
    const relation = catalogue.get(name) as Relation;
    const files = 'bucket' in relation ? read(deployment, relation) : [];
    return [...glue.table(name, 'glue:GetTable'), ...files];
  });
  const always = [...runNeeds(call, deployment), ...glue.databases(), ...resultNeeds(call, deployment)];
  const needs = (...more: Need[][]): Need[] =>
    [...always, ...reading, ...more.flat()].map((need) => ({ ...need, why: `Athena, ${sql.slice(0, 40)}` }));

  const [, table = '', location = ''] = CREATE_TABLE.exec(sql) ?? [];
  if (table !== '') {
    make(table, placeOf(location));
    return needs(glue.table(table, 'glue:GetTable', 'glue:CreateTable'), write(deployment, placeOf(location)));
  }
  const view = CREATE_VIEW.exec(sql)?.[1];
  if (view !== undefined) {
    make(view, { reads: readNames });
    return needs(glue.table(view, 'glue:GetTable', 'glue:CreateTable', 'glue:UpdateTable'));
  }
  const vacuumed = VACUUM.exec(sql)?.[1];
  const changed = vacuumed ?? (ALTER_TABLE.exec(sql) ?? MERGE.exec(sql))?.[1];
  if (changed !== undefined) {
    const relation = catalogue.get(changed);
    if (!relation || !('bucket' in relation)) throw new Error(`${changed} is no table: ${sql.slice(0, 80)}`);
    const commit = [glue.table(changed, 'glue:GetTable', 'glue:UpdateTable'), write(deployment, relation)];
    // Without the right to delete, VACUUM succeeds and removes nothing, says its page in the user guide.
    return needs(...commit, vacuumed === undefined ? [] : remove(deployment, relation));
  }
  const folder = UNLOAD.exec(sql)?.[1];
  if (folder !== undefined) return needs(write(deployment, placeOf(folder)));
  throw new Error(`statement-needs.ts does not know what this needs: ${sql.slice(0, 80)}`);
}

/** The relations named and all that they are made of. */
function closure(names: readonly string[], catalogue: Catalogue): Set<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    const relation = catalogue.get(name);
    if (relation && 'reads' in relation) relation.reads.forEach(visit);
  };
  names.forEach(visit);
  return found;
}

const need = (deployment: Deployment, action: string, resource: string, more = {}): Need => ({
  request: { action, resource, context: { ...contextOf(deployment), ...more } },
  why: '',
});

function runNeeds({ workGroup }: AthenaCall, deployment: Deployment): Need[] {
  const { partition, region, account } = deployment;
  const arn = (resource: string): string => `arn:${partition}:athena:${region}:${account}:${resource}`;
  return [
    ...['athena:StartQueryExecution', 'athena:StopQueryExecution', 'athena:GetQueryExecution'].map((action) =>
      need(deployment, action, arn(`workgroup/${workGroup}`)),
    ),
    need(deployment, 'athena:GetDataCatalog', arn('datacatalog/AwsDataCatalog')),
  ];
}

function glueOn(deployment: Deployment, database: string) {
  const { partition, region, account } = deployment;
  const arn = (resource: string): string => `arn:${partition}:glue:${region}:${account}:${resource}`;
  const above = [arn('catalog'), arn(`database/${database}`)];
  return {
    databases: () => [...above, arn('database/default')].map((on) => need(deployment, 'glue:GetDatabase', on)),
    table: (name: string, ...actions: string[]) =>
      actions.flatMap((action) =>
        [...above, arn(`table/${database}/${name}`)].map((on) => need(deployment, action, on)),
      ),
  };
}

/** Stands for the name of a file, which Athena makes up. */
const FILE = 'any';

function read(deployment: Deployment, { bucket: name, prefix }: { bucket: string; prefix: string }): Need[] {
  const bucket = bucketCalled(deployment, name);
  const listed = need(deployment, 's3:ListBucket', deployment.arnOf(bucket), { 's3:prefix': prefix });
  return [listed, ...objectNeeds(deployment, bucket, 'GetObject', prefix + FILE)];
}

function remove(deployment: Deployment, { bucket, prefix }: { bucket: string; prefix: string }): Need[] {
  return objectNeeds(deployment, bucketCalled(deployment, bucket), 'DeleteObject', prefix + FILE);
}

/** A large file is uploaded in parts, and an upload that fails is ended; a place that is written is read and listed too. */
function write(deployment: Deployment, place: { bucket: string; prefix: string }): Need[] {
  const bucket = bucketCalled(deployment, place.bucket);
  const arn = deployment.arnOf(bucket);
  return [
    ...read(deployment, place),
    ...objectNeeds(deployment, bucket, 'PutObject', place.prefix + FILE),
    need(deployment, 's3:ListMultipartUploadParts', `${arn}/${place.prefix}${FILE}`),
    need(deployment, 's3:AbortMultipartUpload', `${arn}/${place.prefix}${FILE}`),
    need(deployment, 's3:ListBucketMultipartUploads', arn),
  ];
}

function resultNeeds({ workGroup }: AthenaCall, deployment: Deployment): Need[] {
  const found = deployment.ofType('AWS::Athena::WorkGroup').find((one) => one.property('Name') === workGroup);
  if (!found) throw new Error(`${deployment.name} has no workgroup ${workGroup}`);
  const { ResultConfiguration } = found.property('WorkGroupConfiguration') as {
    ResultConfiguration: { OutputLocation: string };
  };
  const place = placeOf(ResultConfiguration.OutputLocation);
  const bucket = deployment.arnOf(bucketCalled(deployment, place.bucket));
  return [need(deployment, 's3:GetBucketLocation', bucket), ...write(deployment, place)];
}

function bucketCalled(deployment: Deployment, name: string): Resource {
  const bucket = deployment.ofType('AWS::S3::Bucket').find(({ id }) => id === name);
  if (!bucket) throw new Error(`${deployment.name} has no bucket ${name}`);
  return bucket;
}
