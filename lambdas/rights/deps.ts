import type { LedgerItem, RequestItem } from '../../domain/rights.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import type { CollectDeps } from '../collect/deps.ts';

/** The ledger and the requests in table `consents`. Every write may be done twice. */
export type Ledger = {
  /** The stage's salt; made at the first call of all. */
  salt: () => Promise<string>;
  hashOf: (salt: string, id: string) => string;
  subject: (hash: string) => Promise<LedgerItem>;
  noteErasure: (hash: string, request: string, at: number) => Promise<void>;
  noteObjection: (hash: string, at: number) => Promise<void>;
  noteAccess: (hash: string, request: string, at: number) => Promise<void>;
  /** Stores a request; one that waits for the job is on the job's list, too. */
  save: (request: RequestItem, waits: boolean) => Promise<void>;
  request: (id: string) => Promise<RequestItem | undefined>;
};

/** What stands of a subject in tables `profiles` and `consents`. */
export type SubjectItems = {
  /** Sets the objection on the link item, keeps an earlier one. `ttl` in seconds since the epoch. */
  object: (id: string, at: number, ttl: number) => Promise<void>;
  /** Deletes what profiling has made: profile, purchases and audiences. The link stays. */
  forgetProfile: (id: string) => Promise<void>;
};

/** Everything that the door for rights reaches. */
export type RightsDeps = Pick<CollectDeps, 'sha256' | 'hmac' | 'plan' | 'keys' | 'links' | 'randomId' | 'count'> & {
  ledger: Ledger;
  items: SubjectItems;
  /** Puts records on the stream under their partition keys; returns the indices that still failed after the retries. */
  put: (records: readonly { key: string; record: StreamRecord }[]) => Promise<number[]>;
  /** A gzipped file of a bundle; undefined where it is not there any more. */
  bundle: (key: string) => Promise<Uint8Array | undefined>;
};
