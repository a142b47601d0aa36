import type { PaulaConfig } from '../../domain/config.ts';
import type { RequestItem } from '../../domain/rights.ts';
import type { TableDefinition } from '../../domain/tables.ts';
import type { LinkStore } from '../collect/deps.ts';
import type { Ledger } from '../rights/deps.ts';
import type { ReadItems } from '../stored-items.ts';

/** The requests that the job has not finished, and when it last did its daily work. */
export type OpenRequests = {
  openRequests: () => Promise<RequestItem[]>;
  /** Milliseconds since the epoch; 0 for never. */
  maintainedAt: () => Promise<number>;
  noteMaintenance: (at: number) => Promise<void>;
};

/** What stands of a subject in the tables, as far as the job deletes it or shows it. */
export type ErasedItems = {
  /** Deletes profile, purchases and audiences. */
  forgetProfile: (id: string) => Promise<void>;
  forgetLink: (id: string) => Promise<void>;
  /** Moves the receipts that were given up to a time (milliseconds) under the hash, where they end by their own. */
  reduceReceipts: (id: string, hash: string, until: number) => Promise<void>;
  receipts: (id: string) => Promise<Record<string, unknown>[]>;
};

/** An object of the bucket; `at` in milliseconds since the epoch. */
export type StoredObject = { key: string; at: number };

export type Objects = {
  /** Objects below a prefix in the order of their keys, from behind a key on. */
  list: (prefix: string, after?: string) => AsyncIterable<StoredObject>;
  get: (key: string) => Promise<Uint8Array | undefined>;
  put: (key: string, body: Uint8Array | string) => Promise<void>;
  remove: (key: string) => Promise<void>;
  /** The lines of a text object, unzipped where its name ends with `.gz`. */
  lines: (key: string) => AsyncIterable<string>;
};

export type EraseDeps = {
  config: PaulaConfig;
  tables: readonly TableDefinition[];
  ledger: Pick<Ledger, 'salt' | 'hashOf' | 'noteErasure' | 'save' | 'request' | 'subject'> & OpenRequests;
  items: ErasedItems;
  links: Pick<LinkStore, 'read' | 'unlink'>;
  read: ReadItems;
  objects: Objects;
  /** Reads a landing file and lays out the rows that are kept: `whole` where all of them are, `empty` where none is. */
  rewriteParquet: (
    table: TableDefinition,
    file: Uint8Array,
    keep: (row: Readonly<Record<string, unknown>>) => boolean,
  ) => Promise<Uint8Array | 'whole' | 'empty'>;
  gzip: (text: string) => Uint8Array;
  /** Milliseconds since some fixed point, for how long a call has run. */
  elapsed: () => number;
  count: (metric: 'Erased' | 'LeftOver', dimension: string, by?: number) => void;
};
