import { type Attribute, AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { StageConfig } from '../domain/config.ts';
import type { DataKey } from './data-key.ts';
import { pinLogicalId, removalOf } from './pinned.ts';

export interface ProfileTablesProps {
  readonly stage: StageConfig;
  readonly key: DataKey;
}

/** An erased person leaves the last backup after this many days at most, so it counts into every erasure's deadline. */
const RECOVERY_DAYS = 7;

const PK: Attribute = { name: 'pk', type: AttributeType.STRING };
const SK: Attribute = { name: 'sk', type: AttributeType.STRING };

/** The tables behind door, fold, decision and publish. None needs an index or a scan: every read knows its key. */
export class ProfileTables extends Construct {
  readonly profiles: TableV2;
  readonly consents: TableV2;
  readonly control: TableV2;
  readonly #key: DataKey;

  constructor(scope: Construct, id: string, { stage, key }: ProfileTablesProps) {
    super(scope, id);
    this.#key = key;
    const table = (name: string, sortKey?: Attribute): TableV2 => {
      const made = new TableV2(this, name, {
        partitionKey: PK,
        ...(sortKey && { sortKey, timeToLiveAttribute: 'ttl' }),
        billing: Billing.onDemand(),
        encryption: TableEncryptionV2.customerManagedKey(key),
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true, recoveryPeriodInDays: RECOVERY_DAYS },
        deletionProtection: stage.removal === 'retain',
        removalPolicy: removalOf(stage),
      });
      pinLogicalId(made, `${name}Table`);
      return made;
    };
    /** pk = device or person id, sk = the writer's item. */
    this.profiles = table('Profiles', SK);
    /** pk = subject, sk = receipt; append only. */
    this.consents = table('Consents', SK);
    /** pk only: the lake's lease, the plan's marks and the audiences' expiries. */
    this.control = table('Control');
  }

  /** The door reads and writes link items, deletes what a withdrawal ends, and appends receipts. */
  grantCollect(grantee: IGrantable): void {
    this.#grant(grantee, this.profiles, 'dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
    this.#grant(grantee, this.consents, 'dynamodb:PutItem', 'dynamodb:Query');
  }

  /** The fold reads profile and link together, writes profile and bought items, and takes back a first one that came too late. */
  grantFold(grantee: IGrantable): void {
    this.#grant(grantee, this.profiles, 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem');
  }

  /** A decision reads a profile's items and the audiences' expiries. */
  grantDecide(grantee: IGrantable): void {
    this.#grant(grantee, this.profiles, 'dynamodb:BatchGetItem');
    this.#grant(grantee, this.control, 'dynamodb:BatchGetItem');
  }

  /** Publish writes audience items and the audience's own. */
  grantPublish(grantee: IGrantable): void {
    this.#grant(grantee, this.profiles, 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
    this.#grant(grantee, this.control, 'dynamodb:PutItem');
  }

  /** The plan takes and releases the lease, and reads and sets its marks. */
  grantLease(grantee: IGrantable): void {
    this.#grant(grantee, this.control, 'dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
  }

  #grant(grantee: IGrantable, table: TableV2, ...actions: string[]): void {
    Grant.addToPrincipal({ grantee, actions, resourceArns: [table.tableArn] });
    this.#key.grantOpen(grantee);
  }
}
