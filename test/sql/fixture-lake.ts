import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type PaulaConfig, stageOf } from '../../domain/config.ts';
import { INGEST_WINDOW_DAYS } from '../../domain/ingest-window.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { buildPlan, literalsOf } from '../../domain/plan.ts';
import type {
  ConsentRecord,
  ErasureRecord,
  EventRecord,
  LinkRecord,
  RightRecord,
  StreamRecord,
} from '../../domain/stream-record.ts';
import { duckDbAddColumnDdl, duckDbDdl, lakeTables, tableOf } from '../../domain/tables.ts';
import { toParquet } from '../../lambdas/adapters/parquet.ts';
import { land } from '../../lambdas/land.ts';
import { openLake } from '../../local/lake.ts';
import demo from '../../paula.config.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';

export const at = (iso: string): number => Date.parse(`${iso}Z`);

/** The run's time in most tests. */
export const AS_OF = new Date('2026-11-24T12:00:00.000Z');

export const QUIET_SECONDS = stageOf(demo, 'local').segmentQuietSeconds;

const DAY_MS = 86_400_000;

/** A temporary lake whose landing is filled by `land` itself and whose steps are the plan's own. */
export async function openFixtureLake(
  config: PaulaConfig = demo,
  folder: string = mkdtempSync(join(tmpdir(), 'paula-lake-')),
  firstSequence = 0,
): Promise<FixtureLake> {
  const objects = join(folder, 'objects');
  const tables = lakeTables(config);
  const plan = buildPlan({ config, stage: stageOf(config, 'local'), bucket: 'lake', ...readSqlTexts() });
  const lake = await openLake({ folder, objects, tables });
  for (const table of tables) if (table.kind === 'iceberg') await lake.run(duckDbDdl(table));

  let sequence = firstSequence;
  const put = async (key: string, body: Uint8Array): Promise<void> => {
    const path = join(objects, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.data`, body);
    writeFileSync(`${path}.meta.json`, '{}');
  };

  const fixture: FixtureLake = {
    /** Lands records as one batch; `from` makes their sequence numbers, so that a batch can be delivered again. */
    async land(
      records: readonly StreamRecord[],
      from = sequence,
      shard = 'shardId-000000000000',
      arrivedAt = AS_OF.getTime(),
    ) {
      const batch = records.map((record, i) => ({
        shard,
        sequenceNumber: String(from + i).padStart(56, '0'),
        arrivedAt,
        text: JSON.stringify(record),
      }));
      sequence = Math.max(sequence, from + records.length);
      const failed = await land(batch, { tables, parquet: toParquet, put });
      if (failed !== undefined) throw new Error(`record ${failed} cannot be read`);
    },

    /** Runs steps of the plan by id; `builtUpTo` is the mark of those that have one. */
    async run(ids: readonly string[], asOf = AS_OF, builtUpTo?: Date): Promise<void> {
      const since = new Date(asOf.getTime() - INGEST_WINDOW_DAYS * DAY_MS);
      await lake.refreshLanding(since.toISOString().slice(0, 10));
      for (const id of ids) {
        const step = plan.find((candidate) => candidate.id === id);
        if (step?.kind === 'add_column') {
          const table = tableOf(tables, step.table);
          const column = table.columns.find(({ name }) => name === step.column);
          if (column) await lake.run(duckDbAddColumnDdl(table, column));
        } else if (step?.kind === 'statement') {
          await lake.run(bindPlaceholders(step.sql, literalsOf(step.parameters, asOf, builtUpTo)));
        } else throw new Error(`no statement step "${id}"`);
      }
    },

    /** The rows that an `unload` step would hand on. */
    async unloaded(id: string, asOf = AS_OF) {
      const step = plan.find((candidate) => candidate.id === id);
      if (step?.kind !== 'unload') throw new Error(`no unload step "${id}"`);
      return lake.rows(bindPlaceholders(step.sql, literalsOf(step.parameters, asOf)));
    },

    rows: lake.rows,

    folder,

    /** The same lake and objects after a change of the configuration. */
    async reopen(changed: PaulaConfig): Promise<FixtureLake> {
      lake.close();
      return openFixtureLake(changed, folder, sequence);
    },

    close(): void {
      lake.close();
      rmSync(folder, { recursive: true });
    },
  };
  if (config === demo) await fixture.run(VIEWS);
  return fixture;
}

export type FixtureLake = {
  land(records: readonly StreamRecord[], from?: number, shard?: string, arrivedAt?: number): Promise<void>;
  run(ids: readonly string[], asOf?: Date, builtUpTo?: Date): Promise<void>;
  unloaded(id: string, asOf?: Date): Promise<Record<string, unknown>[]>;
  rows(sql: string): Promise<Record<string, unknown>[]>;
  folder: string;
  reopen(changed: PaulaConfig): Promise<FixtureLake>;
  close(): void;
};

export const VIEWS = ['withdrawals', 'live_links', 'profile_events', 'order_lines', 'profile_history'].map(
  (view) => `view-${view}`,
);
/** From events to what segments are made of and gated by. */
export const FEATURES = ['profile_days', 'profile_subjects', 'features', 'profile_features', 'profile_purposes'];
export const INGEST = ['ingest-links', 'ingest-consents', 'ingest-erasures', 'ingest-rights', 'ingest-events'];

/** A browser event with consent to everything that the lake needs; `over` changes it. */
export function event(over: Partial<EventRecord> & Pick<EventRecord, 'event_id'>): EventRecord {
  return {
    kind: 'event',
    schema_version: 1,
    source: 'web',
    site: 'shop',
    event: 'Page Viewed',
    occurred_at: at('2026-11-24T10:00:00'),
    received_at: at('2026-11-24T10:00:01'),
    device_id: 'd.one',
    is_bot: false,
    purposes: ['storage', 'measurement', 'profile'],
    basis: 'consent',
    ...over,
  };
}

const DAY_SECONDS = 86_400;
/** How far back a browser may date an event; what happened earlier was received when it could still be. */
const CLAMP_DAYS = 7;

/** A time so many seconds before `AS_OF`, in milliseconds. */
export const ago = (seconds: number): number => AS_OF.getTime() - seconds * 1000;

let dids = 0;

/** What a device did so many seconds before `AS_OF`. */
export const did = (device: string, name: string, seconds: number, over: Partial<EventRecord> = {}): EventRecord =>
  event({
    event_id: `e${++dids}`,
    event: name,
    device_id: device,
    occurred_at: ago(seconds),
    received_at: ago(Math.min(seconds, CLAMP_DAYS * DAY_SECONDS)),
    ...over,
  });

/** The same, from a server and of a person. */
export function serverEvent(over: Partial<EventRecord> & Pick<EventRecord, 'event_id'>): EventRecord {
  const { device_id: _, ...rest } = event(over);
  return { ...rest, source: 'shop_backend', person_id: over.person_id ?? 'p.k1.one' };
}

export function consent(over: Partial<ConsentRecord> & Pick<ConsentRecord, 'receipt_id'>): ConsentRecord {
  return {
    kind: 'consent',
    subject: 'd.one',
    site: 'shop',
    granted: [],
    withdrawn: [],
    method: 'browser',
    notice_version: '2026-11',
    given_at: at('2026-11-24T09:00:00'),
    expires_at: at('2027-11-24T09:00:00'),
    controller: 'Lindenblatt Cosmetics',
    notice_digest: '0'.repeat(64),
    region: 'eu-central-1',
    signal_kind: 'own',
    ...over,
  };
}

export function link(over: Partial<LinkRecord> = {}): LinkRecord {
  return {
    kind: 'link',
    device_id: 'd.one',
    person_id: 'p.k1.one',
    since: at('2026-11-24T09:30:00'),
    receipt_id: 'r1',
    ...over,
  };
}

export function erasure(tombstone: string, erased_at: number, salt?: string): ErasureRecord {
  return { kind: 'erasure', tombstone, request_id: 'q1', erased_at, ...(salt !== undefined && { salt }) };
}

export function right(over: Partial<RightRecord> & Pick<RightRecord, 'subject_hash'>): RightRecord {
  return {
    kind: 'right',
    request_kind: 'objection',
    salt: 'salt',
    request_id: 'q2',
    requested_at: at('2026-11-24T11:00:00'),
    ...over,
  };
}
