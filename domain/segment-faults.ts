import type { PaulaConfig } from './config.ts';
import { specialCategoryFinder } from './special-categories.ts';
import { specialSegmentRefusals } from './special-segments.ts';
import type { Segment } from './sql-file.ts';

/**
 * What keeps a segment that can be read from being built under a configuration: a destination that is not there, a special
 * category that may not be told. Each as file, line, what is wrong; empty where it may be built.
 */
export function segmentFaults(segment: Segment, config: PaulaConfig): string[] {
  const { file, lines } = segment;
  const { extraTerms, explicitConsentPurpose } = config.specialCategories;
  const known = Object.keys(config.destinations);
  const destinations = segment.destinations
    .filter((destination) => !known.includes(destination))
    .map(
      (destination) =>
        `destinations: "${destination}" is not in paula.config.ts; ` +
        (known.length > 0 ? `configured are ${known.join(', ')}` : 'none is configured: leave the line out'),
    );
  const special = specialSegmentRefusals(segment, specialCategoryFinder(extraTerms), explicitConsentPurpose);
  return [...destinations, ...special].map((fault) => `${file}:${lineOf(fault, lines)}: ${fault}`);
}

/** A fault begins with the part of the file that it is about; of one that is missing, and of the file's name, the first line. */
const lineOf = (fault: string, lines: Segment['lines']): number => lines[fault.split(':', 1)[0] ?? ''] ?? 1;
