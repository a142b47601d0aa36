import { randomBytes } from 'node:crypto';
import type { PaulaConfig, StageConfig } from '../../domain/config.ts';
import { shownSize } from '../../domain/minimum-size.ts';
import { bindPlaceholders } from '../../domain/placeholders.ts';
import { admittedBy, asOfLiteral, buildPlan, FEATURE_WINDOW_DAYS, literalsOf } from '../../domain/plan.ts';
import type { Segment } from '../../domain/sql-file.ts';
import { lakeTables } from '../../domain/tables.ts';
import { soundSegments } from '../../sql/sound-segments.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';
import { athenaPrice, scannedBytes } from './scan-cost.ts';

/** Journeys that are shown, and the last events of each. */
const JOURNEYS = 10;
const JOURNEY_EVENTS = 12;

/** One step of a journey: how many days before the report, and what. */
export type JourneyEvent = { daysAgo: number; event: string; product?: string; category?: string };

/** What an analyst sees of a segment: nothing that tells of one person. Sizes as `shownSize` has them. */
export type SegmentReport = {
  id: string;
  name: Segment['name'];
  size: string;
  /** Shared with other segments, as the last run of the plan left those. */
  overlap: { segment: string; shared: string; size: string }[];
  /** Absent below the minimum size. The label is made for this report and leads nowhere. */
  journeys?: { label: string; events: JourneyEvent[] }[];
  /** `bytes` that Athena would scan on this data, and what that costs, in US dollars. */
  cost: { bytes: number; usd: number; tables: { table: string; bytes: number }[] };
  minimum: number;
};

/** What is needed of a lake: `local/lake.ts` has it. */
export type ReportLake = {
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<Record<string, unknown>[]>;
};

/**
 * Tries a segment on the data of this machine, as of a time. The file is read anew, so that it can be changed between two
 * calls. Throws the faults of the file; and where there is no such file, with the names that there are.
 */
export async function reportSegment(
  id: string,
  asOf: Date,
  options: {
    config: PaulaConfig;
    stage: StageConfig;
    lake: ReportLake;
    scratch: string;
    sqlFolder?: string | undefined;
  },
): Promise<SegmentReport> {
  const { config, stage, lake, scratch } = options;
  const { faults, ...texts } = soundSegments(readSqlTexts(options.sqlFolder), config);
  const own = faults.filter((fault) => fault.startsWith(`segments/${id}.sql:`));
  if (own.length > 0) throw new Error(own.map((fault) => `sql/${fault}`).join('\n'));
  const segment = texts.segments.find((candidate) => candidate.id === id);
  if (!segment)
    throw new Error(
      `there is no sql/segments/${id}.sql; there are ${texts.segments.map((each) => each.id).join(', ')}`,
    );

  for (const step of buildPlan({ config, stage, bucket: 'any', ...texts }))
    if (step.kind === 'statement' && step.id.startsWith('view-')) await lake.run(step.sql);
  const { sql, parameters } = admittedBy(segment, { stage, queries: texts.queries });
  const admitted = bindPlaceholders(sql, literalsOf(parameters, asOf));
  const minimum = config.minimumSegmentSize;
  const [counted] = await lake.rows(`SELECT count(*) AS n FROM (${admitted}) AS a`);
  const size = Number(counted?.n);
  const { bytes, byTable } = await scannedBytes(admitted, { lake, tables: lakeTables(config), scratch });
  return {
    id,
    name: segment.name,
    size: shownSize(size, minimum),
    overlap: await overlapOf(id, admitted, minimum, lake),
    ...(size >= minimum && { journeys: await journeysOf(admitted, asOf, lake) }),
    cost: {
      bytes,
      usd: athenaPrice(bytes),
      tables: [...byTable].map(([table, part]) => ({ table, bytes: Math.round(part) })),
    },
    minimum,
  };
}

async function overlapOf(
  id: string,
  admitted: string,
  minimum: number,
  lake: ReportLake,
): Promise<SegmentReport['overlap']> {
  const found = await lake.rows(
    `SELECT m.segment_id AS segment, count(*) AS size, count(a.profile_id) AS shared
     FROM segment_members AS m LEFT JOIN (${admitted}) AS a ON a.profile_id = m.profile_id
     WHERE m.left_at IS NULL AND m.segment_id <> '${id}' GROUP BY 1 ORDER BY 3 DESC, 1`,
  );
  return found.map(({ segment, size, shared }) => ({
    segment: String(segment),
    shared: shownSize(Number(shared), minimum),
    size: shownSize(Number(size), minimum),
  }));
}

/** A few members by chance, under labels of their own, with what they did last and no time of day. */
async function journeysOf(
  admitted: string,
  asOf: Date,
  lake: ReportLake,
): Promise<NonNullable<SegmentReport['journeys']>> {
  const salt = randomBytes(16).toString('hex');
  const at = asOfLiteral(asOf);
  const rows = await lake.rows(
    `WITH chosen AS (
       SELECT profile_id FROM (${admitted}) AS a
       ORDER BY sha256(to_utf8('${salt}' || profile_id)) LIMIT ${JOURNEYS}
     ), steps AS (
       SELECT e.profile_id, e.event, e.product_id, e.category, date_diff('day', e.occurred_at, ${at}) AS days_ago,
         row_number() OVER (PARTITION BY e.profile_id ORDER BY e.occurred_at DESC, e.event_id) AS place
       FROM profile_events AS e JOIN chosen AS s ON s.profile_id = e.profile_id
       WHERE e.received_day >= CAST(date_add('day', -${FEATURE_WINDOW_DAYS}, ${at}) AS date)
     )
     SELECT s.profile_id, t.event, t.product_id, t.category, t.days_ago
     FROM chosen AS s LEFT JOIN steps AS t ON t.profile_id = s.profile_id AND t.place <= ${JOURNEY_EVENTS}
     ORDER BY sha256(to_utf8('${salt}' || s.profile_id)), t.place DESC`,
  );
  const journeys = new Map<unknown, JourneyEvent[]>();
  for (const { profile_id, event, product_id, category, days_ago } of rows) {
    const events = journeys.get(profile_id) ?? [];
    journeys.set(profile_id, events);
    if (event === null) continue;
    events.push({
      daysAgo: Number(days_ago),
      event: String(event),
      ...(product_id !== null && { product: String(product_id) }),
      ...(category !== null && { category: String(category) }),
    });
  }
  return [...journeys.values()].map((events) => ({ label: randomBytes(3).toString('hex'), events }));
}
