import type { PaulaConfig } from '../domain/config.ts';
import { segmentFaults } from '../domain/segment-faults.ts';
import type { SqlTexts } from './sql-texts.ts';

/** The texts without the segments that a configuration does not allow, whose faults join those of the unreadable ones. */
export function soundSegments({ queries, segments, faults }: SqlTexts, config: PaulaConfig): SqlTexts {
  const judged = segments.map((segment) => ({ segment, found: segmentFaults(segment, config) }));
  return {
    queries,
    segments: judged.flatMap(({ segment, found }) => (found.length === 0 ? [segment] : [])),
    faults: [...faults, ...judged.flatMap(({ found }) => found)],
  };
}
