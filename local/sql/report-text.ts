import { ATHENA_LEAST_BYTES, ATHENA_USD_PER_TB } from './scan-cost.ts';
import type { JourneyEvent, SegmentReport } from './segment-report.ts';

/** A report as lines for the terminal. */
export function reportLines(report: SegmentReport): string[] {
  const { id, name, size, overlap, journeys, cost, minimum } = report;
  return [
    `${id}: ${name.de} / ${name.en}`,
    `size      ${size}`,
    'overlap   shared of the other segment, as of the last run of the plan',
    ...(overlap.length === 0 ? ['          no other segment has members'] : []),
    ...overlap.map((other) => `          ${other.segment.padEnd(40)} ${other.shared} of ${other.size}`),
    `cost      ${megabytes(cost.bytes)} per run on this data, ${cost.usd.toFixed(6)} USD in Athena`,
    `          (${ATHENA_USD_PER_TB} USD per TB, ${megabytes(ATHENA_LEAST_BYTES)} at least)`,
    ...cost.tables.map(({ table, bytes }) => `          ${table.padEnd(40)} ${megabytes(bytes)}`),
    ...(journeys === undefined
      ? [`journeys  none: a segment of fewer than ${minimum} is not shown by its members`]
      : ['journeys  members by chance; the label is of this call alone']),
    ...(journeys ?? []).flatMap(({ label, events }) => [
      `  ${label}`,
      ...events.map((event) => `    ${eventText(event)}`),
      ...(events.length === 0 ? ['    nothing within the window that features describe'] : []),
    ]),
  ];
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 3 : 0)} MB`;

function eventText({ daysAgo, event, product, category }: JourneyEvent): string {
  const when = `${daysAgo} ${daysAgo === 1 ? 'day' : 'days'} ago`;
  const what = [product, category].filter((part) => part !== undefined).join(', ');
  return `${when.padEnd(14)}${event}${what === '' ? '' : `  (${what})`}`;
}
