import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { stageOf } from '../../domain/config.ts';
import { boundStatement, buildErasure, requestIdsLiteral } from '../../domain/erasure.ts';
import config from '../../paula.config.ts';
import { readErasureTexts } from '../../sql/erasure-texts.ts';
import {
  AS_OF,
  at,
  consent,
  erasure,
  event,
  FEATURES,
  type FixtureLake,
  INGEST,
  link,
  openFixtureLake,
  right,
  serverEvent,
} from './fixture-lake.ts';

const SALT = 'a-salt';
const hashOf = (id: string): string => createHash('sha256').update(`${SALT}${id}`).digest('hex');
const steps = buildErasure({
  config,
  stage: stageOf(config, 'local'),
  bucket: 'lake',
  ...readErasureTexts(config),
});
const ERASED = at('2026-11-24T11:00:00');
const HOUR_MS = 3_600_000;
const later = (hours: number): Date => new Date(AS_OF.getTime() + hours * HOUR_MS);

let lake: FixtureLake;
beforeEach(async () => {
  lake = await openFixtureLake();
});
afterEach(() => lake.close());

/** Runs statements of the job, and returns the rows of the last that is an unload. */
async function run(pattern: RegExp, asOf = AS_OF, requests: string[] = []): Promise<Record<string, unknown>[]> {
  let rows: Record<string, unknown>[] = [];
  for (const step of steps) {
    if (!pattern.test(step.id) || (step.kind !== 'statement' && step.kind !== 'unload')) continue;
    const found = await lake.rows(boundStatement(step, asOf, requestIdsLiteral(requests)));
    if (step.kind === 'unload') rows = found;
  }
  return rows;
}

const column = async (sql: string): Promise<unknown[]> => (await lake.rows(sql)).map((row) => Object.values(row)[0]);

/** Whole runs of ingest, on a machine that may be busy. */
const LONG_MS = 60_000;

describe('an erasure in the lake', () => {
  it(
    'takes out what names the subject, by its device or its person, and leaves everybody else and a new life',
    async () => {
      await lake.land([
        event({ event_id: 'device' }),
        event({ event_id: 'new-life', received_at: at('2026-11-24T11:30:00'), occurred_at: at('2026-11-24T11:30:00') }),
        event({ event_id: 'other', device_id: 'd.two' }),
        serverEvent({ event_id: 'person' }),
        serverEvent({ event_id: 'other-person', person_id: 'p.k1.two' }),
        link(),
        link({ device_id: 'd.two', person_id: 'p.k1.two' }),
        consent({ receipt_id: 'r1', signal_kind: 'tcf', signal_digest: 'f'.repeat(64), language: 'de' }),
        consent({ receipt_id: 'r2', subject: 'd.two', signal_kind: 'tcf', signal_digest: 'e'.repeat(64) }),
        consent({ receipt_id: 'r3', given_at: at('2026-11-24T11:30:00') }),
      ]);
      await lake.run([...INGEST, ...FEATURES]);
      // Ingested before the erasure: the statements have to find them, not the door of ingest.
      expect(await column('SELECT event_id FROM events ORDER BY 1')).toHaveLength(5);
      expect(await column("SELECT DISTINCT profile_id FROM features WHERE profile_id = 'p.k1.one'")).toHaveLength(1);
      await lake.land([erasure(hashOf('d.one'), ERASED, SALT), erasure(hashOf('p.k1.one'), ERASED, SALT)]);
      await lake.run(['ingest-erasures']);
      for (let twice = 0; twice < 2; twice++) await run(/^erase-(events|links|profile_\w+|features|consents)$/);

      expect(await column('SELECT event_id FROM events ORDER BY 1')).toEqual(['new-life', 'other', 'other-person']);
      expect(await column('SELECT device_id FROM links')).toEqual(['d.two']);
      for (const table of ['features', 'profile_features', 'profile_purposes'])
        expect(await column(`SELECT DISTINCT profile_id FROM ${table}`)).toEqual(['p.k1.two']);
      expect(await column('SELECT DISTINCT subject FROM profile_days ORDER BY 1')).toEqual(['d.two', 'p.k1.two']);
      const proofs = 'SELECT receipt_id, subject, signal_digest, signal_kind, language FROM consents ORDER BY 1';
      expect(await lake.rows(proofs)).toMatchObject([
        { receipt_id: 'r1', subject: `t.${hashOf('d.one')}`, signal_digest: null, signal_kind: 'tcf', language: 'de' },
        { receipt_id: 'r2', subject: 'd.two', signal_digest: 'e'.repeat(64) },
        { receipt_id: 'r3', subject: 'd.one' },
      ]);
    },
    LONG_MS,
  );

  it(
    'reaches the devices that only the lake knows of',
    async () => {
      await lake.land([
        link({ device_id: 'd.old' }),
        link({ device_id: 'd.left', receipt_id: 'r9', removed_at: at('2026-11-24T10:00:00') }),
        event({ event_id: 'old', device_id: 'd.old' }),
        event({ event_id: 'left', device_id: 'd.left' }),
        erasure(hashOf('p.k1.one'), ERASED, SALT),
      ]);
      await lake.run(INGEST);
      expect(await run(/^linked-devices$/, AS_OF, ['q1'])).toEqual([{ request_id: 'q1', device_id: 'd.old' }]);
      await run(/^linked-tombstones$/);
      expect(await run(/^known-requests$/, AS_OF, ['q1'])).toEqual([{ request_id: 'q1', subjects: '2' }]);
      await run(/^erase-events$/);
      // A device that had left its person by then is somebody's own.
      expect(await column('SELECT event_id FROM events')).toEqual(['left']);
    },
    LONG_MS,
  );

  it(
    'keeps a member until its departure is published, and for no longer than the stream',
    async () => {
      await lake.rows(`INSERT INTO segment_members VALUES
        ('s', 'd.one', TIMESTAMP '2026-11-20 00:00:00', NULL),
        ('gone', 'd.one', TIMESTAMP '2026-11-20 00:00:00', NULL),
        ('s', 'd.two', TIMESTAMP '2026-11-20 00:00:00', TIMESTAMP '2026-11-24 11:30:00'),
        ('s', 'd.three', TIMESTAMP '2026-11-20 00:00:00', TIMESTAMP '2026-11-24 10:00:00'),
        ('s', 'd.four', TIMESTAMP '2026-11-20 00:00:00', NULL)`);
      await lake.rows("INSERT INTO audience_history VALUES (TIMESTAMP '2026-11-24 11:00:00', 's', 1, 1, 1)");
      await lake.land([erasure(hashOf('d.one'), ERASED, SALT)]);
      await lake.run(['ingest-erasures']);
      const members = () => column('SELECT segment_id || profile_id FROM segment_members ORDER BY 1');
      await run(/^erase-segment_members$/);
      expect(await members()).toEqual(['goned.one', 'sd.four', 'sd.one', 'sd.two']);
      await run(/^erase-segment_members$/, later(23));
      expect(await members()).toEqual(['goned.one', 'sd.four', 'sd.one', 'sd.two']);
      await run(/^erase-segment_members$/, later(24));
      expect(await members()).toEqual(['sd.four', 'sd.two']);
    },
    LONG_MS,
  );

  it(
    'ends rows whose purpose has been withdrawn, and those that have outlived every purpose',
    async () => {
      const old = (days: number) => AS_OF.getTime() - days * 24 * HOUR_MS;
      await lake.rows(`INSERT INTO events BY NAME SELECT
        unnest(['withdrawn', 'kept', 'old', 'activated', 'anonymous']) AS event_id,
        unnest(['d.one', 'd.two', 'd.two', 'd.two', NULL]) AS device_id,
        unnest([${[1, 1, 396, 200, 500].map((days) => `make_timestamp_ms(${old(days)})`).join(', ')}]) AS received_at,
        unnest([${[1, 1, 396, 200, 500].map((days) => `CAST(make_timestamp_ms(${old(days)}) AS date)`).join(', ')}])
          AS received_day,
        unnest([['measurement'], ['measurement'], ['measurement', 'profile'], ['activation'], []]) AS purposes,
        unnest(['consent', 'consent', 'consent', 'consent', 'anonymous']) AS basis`);
      await lake.land([consent({ receipt_id: 'r1', withdrawn: ['measurement'] })]);
      await lake.run(['ingest-consents']);
      await run(/^(erase-withdrawn|retention-.*)$/);
      // Purpose activation is kept for 180 days in the demo, and it is the only one of that row.
      expect(await column('SELECT event_id FROM events ORDER BY 1')).toEqual(['anonymous', 'kept']);
    },
    LONG_MS,
  );
});

describe('an access request in the lake', () => {
  it(
    'finds the rows of its own subjects and of nobody else',
    async () => {
      await lake.land([
        event({ event_id: 'mine', properties: { coupon: 'C' }, category: 'face' }),
        event({ event_id: 'other', device_id: 'd.two' }),
        serverEvent({ event_id: 'order', value: '12.5', order_id: 'o1' }),
        right({ request_kind: 'access', subject_hash: hashOf('d.one'), salt: SALT, request_id: 'a1' }),
        right({ request_kind: 'access', subject_hash: hashOf('d.two'), salt: SALT, request_id: 'a2' }),
      ]);
      await lake.run([...INGEST, ...FEATURES]);
      expect(await run(/^known-requests$/, AS_OF, ['a1'])).toEqual([{ request_id: 'a1', subjects: '1' }]);
      const found = await run(/^access-events$/, AS_OF, ['a1']);
      expect(found).toMatchObject([
        { request_id: 'a1', event_id: 'mine', occurred_at: String(at('2026-11-24T10:00:00')), category: 'face' },
      ]);
      const features = await run(/^access-features$/, AS_OF, ['a1']);
      expect(features).toContainEqual({ request_id: 'a1', family: 'category', feature: 'Page Viewed:face' });
      expect(features.map(({ request_id }) => request_id)).not.toContain('a2');
      expect(await run(/^access-events$/, AS_OF, [])).toEqual([]);
    },
    LONG_MS,
  );
});

describe('an objection in the lake', () => {
  it(
    'ends profiling of the device, or of the person with all devices, also of what comes later',
    async () => {
      await lake.land([
        event({ event_id: 'device' }),
        event({ event_id: 'later', received_at: at('2026-11-24T11:59:00') }),
        event({ event_id: 'linked', device_id: 'd.linked' }),
        serverEvent({ event_id: 'person', person_id: 'p.k1.two' }),
        link({ device_id: 'd.linked', person_id: 'p.k1.two' }),
        event({ event_id: 'other', device_id: 'd.three' }),
        right({ subject_hash: hashOf('d.one'), salt: SALT }),
        right({ subject_hash: hashOf('p.k1.two'), salt: SALT }),
        right({ request_kind: 'access', subject_hash: hashOf('d.three'), salt: SALT }),
      ]);
      await lake.run(INGEST);
      expect(await column('SELECT event_id FROM profile_events')).toEqual(['other']);
      // Measurement has consent of its own and goes on.
      expect(await column('SELECT count(*) FROM events')).toEqual(['5']);
    },
    LONG_MS,
  );
});
