import type { Purpose } from './purposes.ts';
import type { ConsentRecord } from './stream-record.ts';

/**
 * The DynamoDB items. One item per writer, because every update bills the whole item and each writer has its own
 * condition. Table `profiles`: pk = device or person id, sk below. Attribute names are short where an item is written often.
 */
export const SK = { profile: 'profile', link: 'link', audiences: 'audiences', bought: 'bought' } as const;

/** Written by the `profile` consumer alone. `b` is the packed profile, `v` its version for the conditional write. */
export type ProfileItem = { pk: string; sk: 'profile'; b: Uint8Array; v: number; ttl: number };

/** The purchases that no longer fit into the profile item; written by the `profile` consumer alone. */
export type BoughtItem = { pk: string; sk: 'bought'; b: Uint8Array; v: number; ttl: number };

/**
 * Written at the door, before it answers. On a device: its person, since when and under which receipt, and a copy of the
 * person's devices. On a person: its devices (`MAX_SIBLINGS` at most, oldest out). On both: withdrawals and objection,
 * with their times.
 * Times are milliseconds since the epoch; `ttl` seconds, as DynamoDB wants it.
 */
export type LinkItem = {
  pk: string;
  sk: 'link';
  person?: string;
  since?: number;
  receipt?: string;
  siblings?: string[];
  /** Raised by each rewrite of `siblings`: the condition that keeps two doors from overwriting each other. */
  revision?: number;
  /** Purpose to the time of its withdrawal: events are not folded for it any more, until a later receipt grants it again. */
  withdrawn?: Partial<Record<Purpose, number>>;
  /** Of the withdrawn purposes, those that a later receipt grants again, with its time. */
  regranted?: Partial<Record<Purpose, number>>;
  /** Objection to direct marketing (GDPR Art. 21(2)): no profiling, no mail, no activation. */
  objected?: number;
  /** Out of the erasure ledger and never stored here: what happened up to then is not folded any more. */
  erased?: number;
  ttl: number;
};

/** Written by `publish` alone: the ids of the audiences that the profile is in, as a string set. */
export type AudiencesItem = { pk: string; sk: 'audiences'; ids?: Set<string> };

/** A person's devices that are kept on its link item; the oldest goes when one more comes. */
export const MAX_SIBLINGS = 20;

/** Table `consents`: append only. pk = subject, sk = `<given_at, 13 digits>#<receipt id>`, so the newest is the last. */
export type ReceiptItem = { pk: string; sk: string } & Omit<ConsentRecord, 'kind' | 'subject'>;

/**
 * The same table holds the ledger: salted hashes of subjects that were erased or have objected (`domain/rights.ts`), the
 * requests, and under one key what they share.
 */
export const LEDGER = {
  /** pk of the stage's salt and of the time of the last maintenance, by their sk. */
  shared: 'ledger',
  salt: 'salt',
  maintenance: 'maintenance',
  /** pk of the ids of requests that the job has not finished. */
  open: 'open',
  /** sk below `requestPk` and `subjectPk`. */
  request: 'request',
  subject: 'ledger',
} as const;

export const requestPk = (id: string): string => `r.${id}`;
export const subjectPk = (hash: string): string => `t.${hash}`;

/** Table `control`, pk only: what the plan and its readers share. */
export const LEASE_PK = 'lease#lake';

/** The one writer of the lake: ingest, erasure and maintenance take it in turn. `expires` in seconds since the epoch. */
export type LeaseItem = { pk: typeof LEASE_PK; owner: string; expires: number };

export const audiencePk = (segment: string): string => `audience#${segment}`;

/** One per audience: up to which `as_of` its differences are published, and when all of it goes stale (seconds). */
export type AudienceItem = { pk: string; published_until: string; expires: number };

export const markPk = (name: string): string => `mark#${name}`;

/** The time as of which the plan last did what is not done in every run, ISO 8601 with milliseconds and Z. */
export type MarkItem = { pk: string; at: string };

/** True while an item is in force: DynamoDB's sweeper is late by up to days, so readers look themselves. */
export function isLive(item: { ttl: number }, nowSeconds: number): boolean {
  return item.ttl > nowSeconds;
}
