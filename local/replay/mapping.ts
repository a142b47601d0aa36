import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { Purpose } from '../../domain/purposes.ts';

/** One event that a row's event column can mean. Property values are constants, or `{column}` for a column's text. */
const MappedEvent = z.strictObject({
  event: z.string().min(1),
  properties: z.record(z.string(), z.string()).default({}),
});

/**
 * How rows of a CSV become events: rows that agree in `groupBy` and lie within `lookAheadRows` of each other are the lines
 * of one event, whose time is its first row's. The first event of a person is preceded by one that grants `consent`.
 */
const Mapping = z.strictObject({
  source: z.string(),
  person: z.string(),
  messageId: z.string(),
  timestamp: z.string(),
  eventColumn: z.string(),
  events: z.record(z.string(), MappedEvent),
  groupBy: z.array(z.string()).min(1),
  lookAheadRows: z.int().min(0).max(10_000),
  lines: z.strictObject({ product_id: z.string(), quantity: z.string(), price: z.string() }),
  consent: z.array(Purpose),
});

export type Mapping = z.infer<typeof Mapping>;

/** Reads and checks a mapping file; the error names the file, the key and the rule. */
export function readMapping(file: string): Mapping {
  const parsed = Mapping.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(
    `${file} is refused: ${parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
  );
}
