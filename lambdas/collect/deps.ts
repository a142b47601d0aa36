import type { AdmitDeps } from '../../domain/admit.ts';
import type { LinkItem, ReceiptItem } from '../../domain/items.ts';
import type { Keys } from '../../domain/keys.ts';
import type { DoorMetric } from '../../domain/metrics.ts';
import type { Purpose } from '../../domain/purposes.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import type { TrackingPlan } from '../../domain/tracking-plan.ts';
import type { Hashes } from '../browser.ts';
import type { ReceiptTerms } from './receipt-terms.ts';

/** The links and withdrawals of devices and persons. Every write is idempotent. */
export type LinkStore = {
  read: (ids: readonly string[]) => Promise<Map<string, LinkItem>>;
  /** True where a profile is stored under the id; asked only while two person keys are live. */
  hasProfile: (id: string) => Promise<boolean>;
  /** Writes the device's link and adds it to its person's devices; false where the device belongs to another person. */
  link: (link: {
    device: string;
    person: string;
    since: number;
    receipt: string;
    /** Seconds since the epoch, for the device's item and for the person's. */
    ttl: number;
    personTtl: number;
  }) => Promise<boolean>;
  unlink: (device: string, person: string) => Promise<void>;
  /** Notes since when purposes are withdrawn, and which of those once withdrawn are granted again. */
  noteConsent: (
    id: string,
    note: { withdrawn: readonly Purpose[]; regranted: readonly Purpose[]; at: number; ttl: number },
  ) => Promise<void>;
  /** Deletes what profiling has made of an id: profile, purchases and audiences. The link stays. */
  forgetProfile: (id: string) => Promise<void>;
};

/** Consent receipts, append only. */
export type ReceiptStore = {
  latest: (subject: string) => Promise<ReceiptItem | undefined>;
  /** The newest receipts, the newest first: at least the last own choice's and those of the strings that came since. */
  recent: (subject: string) => Promise<readonly ReceiptItem[]>;
  append: (receipt: ReceiptItem) => Promise<void>;
};

/** Everything that the door's use cases reach. */
export type CollectDeps = Hashes & {
  /** The plan, event ids and user agents, as `admit` takes them. */
  admission: AdmitDeps;
  plan: TrackingPlan;
  keys: Keys;
  links: LinkStore;
  receipts: ReceiptStore;
  terms: ReceiptTerms;
  /** Puts records on the stream under their partition keys; returns the indices that still failed after the retries. */
  put: (records: readonly { key: string; record: StreamRecord }[]) => Promise<number[]>;
  /** 128 random bits, base64url. */
  randomId: () => string;
  country: (address: string) => string | undefined;
  /** Verifies an identity token for a site at a time in milliseconds; returns its subject, or undefined. */
  verifyIdentity: (token: string, site: string, now: number) => Promise<string | undefined>;
  /** Counts what leaves no row: by metric and reason, never by person. */
  count: (metric: DoorMetric, dimension: string, by?: number) => void;
};
