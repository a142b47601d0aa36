import { Duration, Names, Stack, Validations } from 'aws-cdk-lib';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import type { PaulaConfig, StageConfig } from '../domain/config.ts';
import {
  glueColumns,
  LANDING_PARTITIONS,
  lakeTables,
  partitionProjection,
  type TableDefinition,
} from '../domain/tables.ts';
import { acknowledgeWildcards } from './aws-solutions.ts';
import type { DataKey } from './data-key.ts';
import { pinLogicalId, removalOf } from './pinned.ts';

export interface LakeProps {
  readonly config: PaulaConfig;
  readonly stage: StageConfig;
  readonly key: DataKey;
}

type Grantee = IConstruct & IGrantable;

/** Where Lambda puts the batches that a consumer gave up; the name is its own and cannot be chosen. */
const FAILED_BATCHES = 'aws/lambda/';

/** The files of the Iceberg tables. */
const ICEBERG = 'lake/';

/** The landing table that only analysts read, with rights of their own. */
const REJECTIONS = 'rejected';

/** Athena's own result files of every statement. */
export const ATHENA_RESULTS = 'athena/';

/** The differences that a plan unloads for publish, by segment and run. */
const UNLOADED = 'unload/';

/** What publish hands to people and destinations. */
const EXPORTS = 'exports/';

/** Results and differences are read within the run that writes them; two days leave time to look into a failure. */
const SCRATCH_DAYS = 2;

/** An upload that is not finished in a day never will be. */
const UNFINISHED_UPLOAD_DAYS = 1;

/** The lake: one bucket, the database over it and the tables that `land` writes into. */
export class Lake extends Construct {
  readonly bucket: Bucket;
  readonly databaseName: string;
  readonly #key: DataKey;
  readonly #landing: readonly TableDefinition[];

  constructor(scope: Construct, id: string, { config, stage, key }: LakeProps) {
    super(scope, id);
    this.#key = key;
    this.#landing = lakeTables(config).filter(({ kind }) => kind === 'landing');

    const expireAfter = (prefix: string, days: number) => ({ prefix, expiration: Duration.days(days) });
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // An erasure must remove the bytes; a version would keep them. Iceberg's snapshots are what guards against a mistake.
      versioned: false,
      removalPolicy: removalOf(stage),
      lifecycleRules: [
        ...this.#landing.map(({ prefix }) => expireAfter(prefix, config.rawRetentionDays)),
        expireAfter(FAILED_BATCHES, config.rawRetentionDays),
        // An export names people as they were when it was written, so it is raw data too.
        expireAfter(EXPORTS, config.rawRetentionDays),
        expireAfter(UNLOADED, SCRATCH_DAYS),
        expireAfter(ATHENA_RESULTS, SCRATCH_DAYS),
        { abortIncompleteMultipartUploadAfter: Duration.days(UNFINISHED_UPLOAD_DAYS) },
      ],
    });
    pinLogicalId(this.bucket, 'LakeBucket');
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Server access logs hold keys and addresses for ever in a second bucket, in reach of no erasure. Who read what ' +
        'is answered by the data events of the account’s CloudTrail, which the platform team owns.',
    });

    // Athena's SQL and its DDL want an identifier, and CloudFormation does not make one; so it is derived from the path.
    this.databaseName = Names.uniqueResourceName(this, { separator: '_', maxLength: 60 }).toLowerCase();
    const { account } = Stack.of(this);
    const database = new CfnDatabase(this, 'Database', {
      catalogId: account,
      databaseInput: { name: this.databaseName, description: `${config.brand.name}: lake` },
    });
    database.applyRemovalPolicy(removalOf(stage));
    pinLogicalId(database, 'LakeDatabase');

    for (const table of this.#landing) {
      const made = new CfnTable(this, table.name, {
        catalogId: account,
        databaseName: this.databaseName,
        tableInput: {
          name: table.name,
          tableType: 'EXTERNAL_TABLE',
          parameters: {
            EXTERNAL: 'TRUE',
            classification: 'parquet',
            ...partitionProjection(table, this.bucket.bucketName, config.rawRetentionDays),
          },
          partitionKeys: glueColumns({ columns: LANDING_PARTITIONS }),
          storageDescriptor: {
            location: this.bucket.s3UrlForObject(table.prefix),
            columns: glueColumns(table),
            inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
            outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
            serdeInfo: { serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
          },
        },
      });
      made.addResourceDependency(database);
      made.applyRemovalPolicy(removalOf(stage));
    }
  }

  /** `land` writes its files. */
  grantLand(grantee: Grantee): void {
    const prefixes = this.#landing.map(({ prefix }) => prefix);
    this.#grantObjects(grantee, prefixes, ['s3:PutObject'], 'The keys of landing files come from the stream.');
    this.#key.grantSeal(grantee);
  }

  /** A consumer's event-source mapping keeps what the consumer gave up. Lambda asks for the list permission too. */
  grantKeepFailed(grantee: Grantee): void {
    this.#grantObjects(
      grantee,
      [FAILED_BATCHES],
      ['s3:PutObject'],
      'Lambda names the objects of failed batches itself.',
    );
    Grant.addToPrincipal({ grantee, actions: ['s3:ListBucket'], resourceArns: [this.bucket.bucketArn] });
    this.#key.grantSeal(grantee);
  }

  /** `publish` reads the difference that a run unloaded and writes the export. */
  grantPublish(grantee: Grantee): void {
    this.#grantObjects(grantee, [UNLOADED], ['s3:GetObject'], 'Athena names the objects that it unloads itself.');
    this.#grantObjects(grantee, [EXPORTS], ['s3:PutObject'], 'An export is named by its segment and time.');
    Grant.addToPrincipal({
      grantee,
      actions: ['s3:ListBucket'],
      resourceArns: [this.bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': `${UNLOADED}*` } },
    });
    this.#key.grantOpen(grantee);
    this.#key.grantSeal(grantee);
  }

  /**
   * The plan's statements run with the rights of the state machine: Iceberg writes new files, and a statement that fails
   * takes away those that it has written. Failed batches, rejections and exports are none of its business, and of landing
   * it only reads what ingest does.
   */
  grantQuery(grantee: Grantee): void {
    const { partition, region, account } = Stack.of(this);
    const glueArn = (resource: string) => `arn:${partition}:glue:${region}:${account}:${resource}`;
    const read = ['s3:GetObject'];
    const write = [...read, 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
    const why = 'Iceberg, UNLOAD and Athena name their files themselves.';
    this.#grantObjects(grantee, [ICEBERG], [...write, 's3:DeleteObject'], why);
    this.#grantObjects(grantee, [UNLOADED, ATHENA_RESULTS], write, why);
    this.#grantObjects(
      grantee,
      this.#landing.filter(({ name }) => name !== REJECTIONS).map(({ prefix }) => prefix),
      read,
      'Ingest reads whatever landed, under the names that land gave it.',
    );
    Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
      resourceArns: [this.bucket.bucketArn],
    });
    const database = [glueArn('catalog'), glueArn(`database/${this.databaseName}`)];
    // Athena looks the default database up before it runs any DDL.
    Grant.addToPrincipal({
      grantee,
      actions: ['glue:GetDatabase'],
      resourceArns: [...database, glueArn('database/default')],
    });
    Grant.addToPrincipal({
      grantee,
      actions: [
        'glue:GetTable',
        'glue:GetTables',
        'glue:GetPartition',
        'glue:GetPartitions',
        'glue:CreateTable',
        'glue:UpdateTable',
      ],
      resourceArns: [...database, glueArn(`table/${this.databaseName}/*`)],
    });
    acknowledgeWildcards(
      grantee,
      [`:table/${this.databaseName}/*`],
      'The plan makes and evolves the tables of this database, and only of this one.',
    );
    this.#key.grantOpen(grantee);
    this.#key.grantSeal(grantee);
  }

  #grantObjects(grantee: Grantee, prefixes: readonly string[], actions: string[], why: string): void {
    Grant.addToPrincipal({
      grantee,
      actions,
      resourceArns: prefixes.map((prefix) => this.bucket.arnForObjects(`${prefix}*`)),
    });
    acknowledgeWildcards(
      grantee,
      prefixes.map((prefix) => `/${prefix}*`),
      why,
    );
  }
}
