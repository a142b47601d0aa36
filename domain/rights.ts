import { BACKUP_DAYS, LEDGER_YEARS, PROOF_YEARS, SWEEP_HOURS } from './stores.ts';

/** What a person may ask for (GDPR Art. 15 and 20, 21(2), 17). */
export type Right = 'access' | 'objection' | 'erasure';

/**
 * Where a request stands. `open`: taken, the next run of the job works on it. `ready`: the bundle can be fetched. `erased`:
 * gone from items, tables and files; what the stream still holds is waited for. `swept`: gone after the stream, too; only
 * backups hold it. `done`: nothing holds it.
 */
export type RequestState = 'open' | 'ready' | 'erased' | 'swept' | 'done';

/**
 * A request, table `consents`: pk `r.<id>`, sk `request`. `subjects` are the ids that it is about, in clear for as long as
 * the job needs them and no longer; `hashes` are the same, salted. Times in milliseconds, `ttl` in seconds since the epoch.
 */
export type RequestItem = {
  id: string;
  right: Right;
  /** Who asked: the browser that holds the cookie, or the brand's server for a person. */
  channel: 'device' | 'person';
  received_at: number;
  state: RequestState;
  /** When it came to its state. */
  since: number;
  hashes: readonly string[];
  subjects?: readonly string[];
  ttl: number;
};

/** What the ledger knows of a salted hash, table `consents`: pk `t.<hash>`, sk `ledger`. Times in milliseconds. */
export type LedgerItem = {
  /** What happened up to then is refused wherever it turns up again. */
  erased?: number;
  /** Objection to direct marketing; it has no end. */
  objected?: number;
  /** The newest request of each kind, so that a repeated call finds it. */
  access?: string;
  erasure?: string;
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_SECONDS = 366 * 86_400;

/** A request this young is what a repeated call means: its answer may have been lost. */
export const REPEAT_MS = HOUR_MS;

/** When the ledger may forget a hash, in seconds since the epoch. */
export const ledgerTtl = (at: number): number => Math.floor(at / 1000) + LEDGER_YEARS * YEAR_SECONDS;

/** When a request or a proof may be forgotten, in seconds since the epoch. */
export const proofTtl = (at: number): number => Math.floor(at / 1000) + PROOF_YEARS * YEAR_SECONDS;

/**
 * By when a request has to be answered: one month after its receipt (GDPR Art. 12(3)), on the same day of the next month or
 * on its last (Regulation 1182/71, Art. 3(2)(c)). Milliseconds since the epoch.
 */
export function deadlineOf(receivedAt: number): number {
  const received = new Date(receivedAt);
  const month = received.getUTCMonth() + 1;
  const lastDay = new Date(Date.UTC(received.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const due = new Date(received);
  due.setUTCDate(1);
  due.setUTCMonth(month);
  due.setUTCDate(Math.min(received.getUTCDate(), lastDay));
  return due.getTime();
}

/** When a state ends by the passing of time; undefined where it waits for the job or for nothing. Milliseconds. */
export function waitsUntil({ right, state, received_at, since }: RequestItem): number | undefined {
  if (right !== 'erasure') return undefined;
  if (state === 'erased') return received_at + SWEEP_HOURS * HOUR_MS;
  return state === 'swept' ? since + BACKUP_DAYS * DAY_MS : undefined;
}

/** The state after a run of the job that did its whole work, at a time in milliseconds. */
export function stateAfterRun(request: RequestItem, now: number): RequestState {
  if (request.right === 'access') return request.state === 'open' ? 'ready' : request.state;
  const until = waitsUntil(request);
  if (request.state === 'open') return now >= request.received_at + SWEEP_HOURS * HOUR_MS ? 'swept' : 'erased';
  if (until === undefined || now < until) return request.state;
  return request.state === 'erased' ? 'swept' : 'done';
}

/** True while a run of the job has to walk the stores for it. */
export const needsWalk = (request: RequestItem, now: number): boolean =>
  request.right === 'erasure' && stateAfterRun(request, now) !== request.state && request.state !== 'swept';

/** A request as its asker sees it; it names nobody. Times are ISO 8601. */
export function statusOf(request: RequestItem): Record<string, unknown> {
  const { id, right, state, received_at, since } = request;
  const until = waitsUntil(request);
  return {
    id,
    right,
    state,
    received_at: new Date(received_at).toISOString(),
    deadline: new Date(deadlineOf(received_at)).toISOString(),
    since: new Date(since).toISOString(),
    ...(until !== undefined && {
      waiting_for: state === 'erased' ? 'the stream to forget' : 'the backups to end',
      until: new Date(until).toISOString(),
    }),
  };
}
