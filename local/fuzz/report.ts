import type { FuzzReport, Row } from './run.ts';

/** Shares that the acceptance asks for. */
const LEAST_MUTATED = 0.3;
const LEAST_ACCEPTED = 0.2;

type Count = Exclude<keyof Row, 'base'>;

const sum = ({ rows }: FuzzReport, count: Count): number => rows.reduce((total, row) => total + row[count], 0);

const COLUMNS: readonly Count[] = ['sent', 'mutated', 'accepted', 'rejected', 'refused', 'failed', 'slowestMs'];

/** A line for each kind of request, and one for all of them. */
export function tableOf(report: FuzzReport): string {
  const total = Object.fromEntries(COLUMNS.map((count) => [count, sum(report, count)])) as Omit<Row, 'base'>;
  const slowestMs = Math.max(...report.rows.map((row) => row.slowestMs));
  const rows = [...report.rows].sort((a, b) => a.base.localeCompare(b.base));
  const lines = [...rows, { ...total, base: 'all', slowestMs }].map((row) =>
    [row.base.padEnd(22), ...COLUMNS.map((count) => String(Math.round(row[count])).padStart(10))].join(''),
  );
  return [[''.padEnd(22), ...COLUMNS.map((count) => count.padStart(10))].join(''), ...lines].join('\n');
}

/** What has to be true of a run; the numbers are in the words. */
export function conditionsOf(
  report: FuzzReport,
  wanted: { requests: number; http: number },
): { holds: boolean; what: string }[] {
  const [sent, mutated] = [sum(report, 'sent'), sum(report, 'mutated')];
  const [accepted, rejected, refused] = [sum(report, 'accepted'), sum(report, 'rejected'), sum(report, 'refused')];
  const { pixels } = report;
  const percent = (part: number) => `${((100 * part) / sent).toFixed(1)} %`;
  const routes = report.rows.filter(({ base }) => base.includes(' /') || base.includes('pixel'));
  return [
    { holds: sent === wanted.requests, what: `${sent} requests are sent` },
    { holds: report.sentOverHttp >= wanted.http, what: `${report.sentOverHttp} of them over HTTP` },
    {
      holds: accepted + rejected + refused === sent,
      what: `accepted ${accepted} + rejected ${rejected} + refused ${refused} = sent: no 5xx but the honest 503 (${report.unavailable})`,
    },
    {
      holds: mutated >= LEAST_MUTATED * sent && routes.every((row) => row.mutated >= LEAST_MUTATED * row.sent),
      what: `${percent(mutated)} are mutations of valid ones, at least ${100 * LEAST_MUTATED} % on each route`,
    },
    { holds: accepted >= LEAST_ACCEPTED * sent, what: `${percent(accepted)} are accepted` },
    {
      holds: pixels.gifs === pixels.withinLimits && pixels.gatewayRefusals === pixels.beyondLimits,
      what: `${pixels.gifs} of ${pixels.withinLimits} pixels within the gateway's limits got the GIF, ${pixels.gatewayRefusals} of ${pixels.beyondLimits} beyond them its refusal`,
    },
    { holds: report.unhandled === 0, what: `${report.unhandled} rejections or exceptions were not handled` },
    {
      holds: Object.keys(report.counters).length === 0,
      what: `the functions met no fault: ${JSON.stringify(report.counters)}`,
    },
    { holds: report.failedBatches === 0, what: `${report.failedBatches} batches were given up by a consumer` },
  ];
}
