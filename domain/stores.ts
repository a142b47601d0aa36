import type { PaulaConfig } from './config.ts';
import { SK } from './items.ts';
import { lakeTables, type TableDefinition } from './tables.ts';

/**
 * How an erasure reaches a store. `items`: items are deleted by key. `proof`: the subject's name gives way to a salted hash.
 * `statement`: rows go by `sql/FILE`, and their bytes with the rewrite that follows. `rewrite`: objects are written again
 * without the subject's lines, rows or records. `discard`: whole objects go. `window`: the store forgets by itself after
 * so many hours, and the erasure waits for that. `none`: nothing in it names anybody.
 */
export type StoreErasure =
  | { by: 'items' | 'proof' | 'discard' }
  | { by: 'statement'; file: string }
  | { by: 'rewrite'; format: 'parquet' | 'failed_batch' | 'lines' }
  | { by: 'window'; hours: number }
  | { by: 'none'; why: string };

/** The part of an access bundle that shows a store, or why it has none. */
export type StoreAccess =
  | { part: 'profile' | 'receipts' | 'segments' | 'events' | 'features' | 'links' }
  | { none: string };

/** When a store's content ends without anybody asking. `ends` says it for people; `days` where a job or a rule counts them. */
export type StoreRetention = { ends: string; days?: number };

export type Store = {
  /** Unique, and what reports call it. */
  name: string;
  kind: 'items' | 'objects' | 'table' | 'stream' | 'service';
  /** What in the templates it is: a pinned logical id, or a type of which all resources are meant. */
  resource: string;
  /** The sort key's kind, the prefix in the bucket or the table of the lake. */
  part?: string;
  erasure: StoreErasure;
  access: StoreAccess;
  retention: StoreRetention;
};

/** Kinesis's shortest retention: after it the stream holds nothing of before an erasure any more. */
export const STREAM_HOURS = 24;

/**
 * From an erasure until its second walk: the stream's retention, and an hour for what a consumer was writing when the last
 * record left it.
 */
export const SWEEP_HOURS = STREAM_HOURS + 1;

/** Point-in-time recovery of the tables, in days: an erased item is in no backup after them. */
export const BACKUP_DAYS = 7;

/** What is unloaded for the next step, and Athena's results, are read within the run that writes them, in days. */
export const SCRATCH_DAYS = 2;

/** Prefixes of the bucket beside those of the tables. */
export const FAILED_BATCHES = 'aws/lambda/';
export const UNLOADED = 'unload/';
export const ATHENA_RESULTS = 'athena/';
export const EXPORTS = 'exports/';

/** Access bundles stand below the exports, whose rules they share; no segment can be called so, since it has a "-". */
export const BUNDLES = `${EXPORTS}access-bundles/`;

/** How long a bundle can be fetched, in days. Who comes later asks again and gets a newer one. */
export const BUNDLE_DAYS = 7;

/**
 * How long the ledger stands, in years: for a person's customer id the server may send anything that old, and an objection
 * has no end of its own.
 */
export const LEDGER_YEARS = 10;

/** How long a request and a proof of consent are kept, in years: the limitation period of a claim (BGB section 195). */
export const PROOF_YEARS = 3;

const RESTORED = 'the ledger is replayed after a restore';

/**
 * Every place that holds, or could hold, something of a person: what erasure, access and retention walk, in the order in
 * which an erasure does. A test fails when a resource of the templates, a table, an item or a prefix is missing here.
 */
export function stores(config: PaulaConfig): readonly Store[] {
  const raw: StoreRetention = { ends: 'rawRetentionDays', days: config.rawRetentionDays };
  const scratch: StoreRetention = { ends: 'two days', days: SCRATCH_DAYS };
  const untilProfileEnds: StoreRetention = { ends: 'ttl: retention of purpose profile after the last receipt' };
  const profiles = (part: keyof typeof SK, access: StoreAccess, retention = untilProfileEnds): Store => ({
    name: `profiles/${part}`,
    kind: 'items',
    resource: 'ProfilesTable',
    part: SK[part],
    erasure: { by: 'items' },
    access,
    retention,
  });
  const consents = (part: string, rest: Pick<Store, 'erasure' | 'access' | 'retention'>): Store => {
    return { name: `consents/${part}`, kind: 'items', resource: 'ConsentsTable', part, ...rest };
  };
  const objects = (name: string, part: string, erasure: StoreErasure, retention: StoreRetention): Store => {
    const access: StoreAccess = { none: 'a copy on its way between two other stores' };
    return { name, kind: 'objects', resource: 'LakeBucket', part, erasure, access, retention };
  };
  const service = (name: string, resource: string, erasure: StoreErasure, ends: string): Store => {
    return {
      name,
      kind: 'service',
      resource,
      erasure,
      access: { none: 'nothing in it names anybody' },
      retention: { ends },
    };
  };
  const nobody = (why: string): StoreErasure => ({ by: 'none', why });

  return [
    profiles('link', { part: 'links' }, { ends: 'ttl: 395 days on a device, ten years on a person' }),
    profiles('profile', { part: 'profile' }),
    profiles('bought', { part: 'profile' }),
    profiles('audiences', { part: 'segments' }, { ends: 'with the membership, at the next run of the plan' }),
    consents('receipt', {
      erasure: { by: 'proof' },
      access: { part: 'receipts' },
      retention: { ends: 'ttl: three years after it expires, or after it has been reduced to proof' },
    }),
    consents('request', {
      erasure: { by: 'proof' },
      access: { none: 'its status is asked for by its own id' },
      retention: { ends: 'ttl: three years' },
    }),
    consents('ledger', {
      erasure: nobody('salted hashes, which keep erased and objecting subjects out'),
      access: { none: 'a hash, kept for the objection or the erasure itself' },
      retention: { ends: 'ttl: ten years' },
    }),
    {
      name: 'control',
      kind: 'items',
      resource: 'ControlTable',
      erasure: nobody('the lease and the expiry of each audience'),
      access: { none: 'nothing in it names anybody' },
      retention: { ends: 'overwritten' },
    },
    {
      name: 'stream',
      kind: 'stream',
      resource: 'EventStream',
      erasure: { by: 'window', hours: STREAM_HOURS },
      access: { none: 'read by both consumers within minutes' },
      retention: { ends: '24 hours' },
    },
    ...lakeTables(config).map((table) => tableStore(table, config)),
    objects('failed batches', FAILED_BATCHES, { by: 'rewrite', format: 'failed_batch' }, raw),
    objects('unloaded differences', UNLOADED, { by: 'discard' }, scratch),
    objects('query results', ATHENA_RESULTS, { by: 'discard' }, scratch),
    objects('access bundles', BUNDLES, { by: 'discard' }, { ends: 'a week', days: BUNDLE_DAYS }),
    objects('exports', EXPORTS, { by: 'rewrite', format: 'lines' }, raw),
    ...['ProfilesTable', 'ConsentsTable', 'ControlTable'].map((table): Store => {
      const erasure: StoreErasure = { by: 'window', hours: BACKUP_DAYS * 24 };
      const access = { none: `a backup of the table; ${RESTORED}` };
      return {
        name: `backup of ${table}`,
        kind: 'service',
        resource: table,
        erasure,
        access,
        retention: { ends: '7 days' },
      };
    }),
    service('logs', 'AWS::Logs::LogGroup', nobody('names of errors and counts; never an event'), 'logRetentionDays'),
    service(
      'executions of the state machines',
      'AWS::StepFunctions::StateMachine',
      nobody('input and statements carry request ids and times'),
      '90 days, by the service',
    ),
    service(
      'history of statements',
      'AWS::Athena::WorkGroup',
      nobody('the statements join the ledger; an analyst’s own may name somebody'),
      '45 days, by the service',
    ),
    service('descriptions of tables', 'LakeDatabase', nobody('names and types of columns'), 'with the table'),
    service('keys', 'KeysSecret', nobody('random keys'), 'by rotation'),
    service('data key', 'DataKey', nobody('it never leaves the service'), 'with the stage'),
    service('alarms', 'AWS::SNS::Topic', nobody('fixed texts and counts'), 'not kept'),
  ];
}

/** Rows of the lake in which a subject is, by table: the file that takes them out, and the part of a bundle with them. */
const LAKE: Readonly<Record<string, Pick<Store, 'access' | 'retention'> & { erasure?: StoreErasure }>> = {
  events: { access: { part: 'events' }, retention: { ends: 'the longest retention of the purposes of the row' } },
  links: { access: { part: 'links' }, retention: { ends: 'retention of purpose identity_merge after its end' } },
  consents: { access: { part: 'receipts' }, retention: { ends: 'three years after its expiry' } },
  profile_days: {
    access: { none: 'sums of what part events shows' },
    retention: { ends: 'retention of purpose profile after the day of receipt' },
  },
  profile_subjects: {
    access: { none: 'what parts links and receipts say, by subject' },
    retention: { ends: 'with the history and the receipts that name it' },
  },
  features: { access: { part: 'features' }, retention: { ends: 'with the history that it is made of' } },
  profile_features: {
    access: { none: 'the same sums as part features, in one row' },
    retention: { ends: 'with the history that it is made of' },
  },
  profile_purposes: {
    access: { none: 'what part receipts says, by profile' },
    retention: { ends: 'with the receipt or the history that it is made of' },
  },
  segment_members: { access: { part: 'segments' }, retention: { ends: 'when the departure has been published' } },
  erasures: {
    access: { none: 'a hash, kept for the erasure itself' },
    retention: { ends: 'ten years' },
    erasure: { by: 'none', why: 'salted hashes, which the statements join' },
  },
  rights: {
    access: { none: 'a hash, kept for the request itself' },
    retention: { ends: 'ten years for an objection, 90 days for an access' },
    erasure: { by: 'none', why: 'salted hashes, which the statements join' },
  },
  audience_history: {
    access: { none: 'counts' },
    retention: { ends: 'none' },
    erasure: { by: 'none', why: 'sizes of audiences by time' },
  },
};

/** Landing tables that name nobody. */
const NAMELESS: Readonly<Record<string, string>> = {
  rejected: 'reasons and paths of fields; never a value, never an id',
  landing_erasures: 'salted hashes, on their way into the ledger',
  landing_rights: 'salted hashes, on their way into the ledger',
};

function tableStore({ name, kind, prefix }: TableDefinition, config: PaulaConfig): Store {
  const nameless = NAMELESS[name];
  if (kind === 'landing')
    return {
      name,
      kind: 'objects',
      resource: 'LakeBucket',
      part: prefix,
      erasure: nameless === undefined ? { by: 'rewrite', format: 'parquet' } : { by: 'none', why: nameless },
      access: { none: 'a copy on its way into the lake' },
      retention: { ends: 'rawRetentionDays', days: config.rawRetentionDays },
    };
  const known = LAKE[name];
  if (!known) throw new Error(`domain/stores.ts: table "${name}" is in no list of stores`);
  const { access, retention, erasure = { by: 'statement', file: `erasure/${name}.sql` } } = known;
  return { name, kind: 'table', resource: 'LakeBucket', part: name, erasure, access, retention };
}
